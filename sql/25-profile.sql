-- Profiles: one summary for each column of a row type, and drift between two of them.

-- ---------------------------------------------------------------------------
-- The type
-- ---------------------------------------------------------------------------

CREATE TYPE mlmeta.profile;

CREATE FUNCTION mlmeta_internal.profile_in(cstring) RETURNS mlmeta.profile
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_in';
CREATE FUNCTION mlmeta_internal.profile_out(mlmeta.profile) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_out';
CREATE FUNCTION mlmeta_internal.profile_recv(internal) RETURNS mlmeta.profile
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_recv';
CREATE FUNCTION mlmeta_internal.profile_send(mlmeta.profile) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_send';

CREATE TYPE mlmeta.profile (
	INPUT = mlmeta_internal.profile_in,
	OUTPUT = mlmeta_internal.profile_out,
	RECEIVE = mlmeta_internal.profile_recv,
	SEND = mlmeta_internal.profile_send,
	STORAGE = extended
);

COMMENT ON TYPE mlmeta.profile IS
	'mergeable summary of every column of a row type: a histogram of each numeric column, a frequency table of each categorical one, counts of the others';
COMMENT ON FUNCTION mlmeta_internal.profile_in(cstring) IS
	'text input of profile';
COMMENT ON FUNCTION mlmeta_internal.profile_out(mlmeta.profile) IS
	'text output of profile: a JSON object';
COMMENT ON FUNCTION mlmeta_internal.profile_recv(internal) IS
	'binary input of profile';
COMMENT ON FUNCTION mlmeta_internal.profile_send(mlmeta.profile) IS
	'binary output of profile';

CREATE CAST (mlmeta.profile AS jsonb) WITH INOUT;
COMMENT ON CAST (mlmeta.profile AS jsonb) IS
	'the text form, which is one JSON object';

-- ---------------------------------------------------------------------------
-- Builders
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.profile_combine(
		state mlmeta.profile, other mlmeta.profile)
	RETURNS mlmeta.profile LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_combine';
COMMENT ON FUNCTION mlmeta_internal.profile_combine(mlmeta.profile, mlmeta.profile) IS
	'combine function of the profile aggregates, transition function of merge';
CREATE FUNCTION mlmeta_internal.profile_final(state mlmeta.profile)
	RETURNS mlmeta.profile LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_final';
COMMENT ON FUNCTION mlmeta_internal.profile_final(mlmeta.profile) IS
	'final function of the profile aggregates: chooses bins and categories where no baseline gave them';

-- Stable: the text of an enum or of a user-defined type is in the catalog.
CREATE FUNCTION mlmeta_internal.profile_transition(state mlmeta.profile, rec record)
	RETURNS mlmeta.profile LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_transition';
COMMENT ON FUNCTION mlmeta_internal.profile_transition(mlmeta.profile, record) IS
	'transition function of profile with own bins';
CREATE AGGREGATE mlmeta.profile(rec record) (
	SFUNC = mlmeta_internal.profile_transition,
	STYPE = mlmeta.profile,
	SSPACE = 1048576,
	FINALFUNC = mlmeta_internal.profile_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.profile_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.profile(record) IS
	'profile of rows on bins and categories of their own: a baseline. A numeric column becomes histogram(x, 240), a categorical one frequencies(x), any other one is counted. A NULL record is no row';

CREATE FUNCTION mlmeta_internal.profile_baseline_transition(
		state mlmeta.profile, rec record, baseline mlmeta.profile)
	RETURNS mlmeta.profile LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_baseline_transition';
COMMENT ON FUNCTION mlmeta_internal.profile_baseline_transition(mlmeta.profile, record, mlmeta.profile) IS
	'transition function of profile on a baseline';
CREATE AGGREGATE mlmeta.profile(rec record, baseline mlmeta.profile) (
	SFUNC = mlmeta_internal.profile_baseline_transition,
	STYPE = mlmeta.profile,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.profile_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.profile_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.profile(record, mlmeta.profile) IS
	'profile of rows on the bins and categories of a baseline, so that windows compare and add up without loss; columns are found by name, unknown ones are profiled on their own and marked new, vanished ones have n = 0';

-- In the leader alone: the table may be a temporary one.
CREATE FUNCTION mlmeta.profile_table(
		relation regclass, columns text[] DEFAULT NULL,
		time_column text DEFAULT NULL, since timestamptz DEFAULT NULL,
		before timestamptz DEFAULT NULL, baseline mlmeta.profile DEFAULT NULL)
	RETURNS mlmeta.profile LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000
	AS 'MODULE_PATHNAME', 'mlmeta_profile_table';
COMMENT ON FUNCTION mlmeta.profile_table(regclass, text[], text, timestamptz, timestamptz, mlmeta.profile) IS
	'profile(record) of a relation''s rows, of all its columns or those named, in that order, and of those whose time_column lies from since to before the end; tables are read a page at a time, all else as the executor does. NULL without rows';
CREATE FUNCTION mlmeta.scan_path(
		relation regclass, columns text[] DEFAULT NULL,
		time_column text DEFAULT NULL, since timestamptz DEFAULT NULL,
		before timestamptz DEFAULT NULL)
	RETURNS text LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_scan_path';
COMMENT ON FUNCTION mlmeta.scan_path(regclass, text[], text, timestamptz, timestamptz) IS
	'how profile_table() reads these rows now: pages, or rows: and why they are read one by one';

-- What a check of a plain table reads, with the rights of who asks; see
-- src/scan/scan_profiles.h.
CREATE FUNCTION mlmeta_internal.scan_profiles(
		relation regclass, features text[] DEFAULT NULL,
		time_column text DEFAULT NULL, borders timestamptz[] DEFAULT NULL,
		segments text[] DEFAULT NULL, baseline mlmeta.profile DEFAULT NULL,
		detached boolean DEFAULT false,
		OUT time_window integer, OUT segment text[], OUT row_count bigint,
		OUT profile mlmeta.profile)
	RETURNS SETOF record LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 100
	AS 'MODULE_PATHNAME', 'mlmeta_scan_profiles';
COMMENT ON FUNCTION mlmeta_internal.scan_profiles(regclass, text[], text, timestamptz[], text[], mlmeta.profile, boolean) IS
	'profiles of a relation''s rows by window, numbered from 1 between ascending borders of times, and by the values of expressions over its columns, as text: one scan, of pages where profile_table() would read them';

-- ---------------------------------------------------------------------------
-- Merging, detaching
-- ---------------------------------------------------------------------------

CREATE AGGREGATE mlmeta.merge(part mlmeta.profile) (
	SFUNC = mlmeta_internal.profile_combine,
	STYPE = mlmeta.profile,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.profile_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.profile_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(mlmeta.profile) IS
	'the profile of all rows behind the merged ones, which must be on one baseline, or on equal bins (22023); detached when one of them is; NULLs are left out';
CREATE FUNCTION mlmeta.plus(a mlmeta.profile, b mlmeta.profile)
	RETURNS mlmeta.profile LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_plus';
COMMENT ON FUNCTION mlmeta.plus(mlmeta.profile, mlmeta.profile) IS
	'sum of two profiles on one baseline (22023 otherwise)';
CREATE OPERATOR mlmeta.+ (
	LEFTARG = mlmeta.profile, RIGHTARG = mlmeta.profile,
	FUNCTION = mlmeta.plus, COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.profile, mlmeta.profile) IS
	'sum of two profiles on one baseline';
CREATE FUNCTION mlmeta.detach(p mlmeta.profile)
	RETURNS mlmeta.profile LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_detach';
COMMENT ON FUNCTION mlmeta.detach(mlmeta.profile) IS
	'without the edges and categories that the baseline has: what monitoring stores; 22023 for a profile without a baseline';
CREATE FUNCTION mlmeta.attach(p mlmeta.profile, baseline mlmeta.profile)
	RETURNS mlmeta.profile LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_attach';
COMMENT ON FUNCTION mlmeta.attach(mlmeta.profile, mlmeta.profile) IS
	'a detached profile with the edges and categories of the baseline that it was made on (22023 otherwise)';

-- ---------------------------------------------------------------------------
-- Accessors
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta.row_count(p mlmeta.profile)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_row_count';
COMMENT ON FUNCTION mlmeta.row_count(mlmeta.profile) IS
	'rows that were counted';
CREATE FUNCTION mlmeta.columns(
		p mlmeta.profile,
		OUT feature text, OUT kind text, OUT n bigint, OUT null_count bigint,
		OUT null_share float8, OUT nan_count bigint,
		OUT distinct_count bigint, OUT minimum float8, OUT maximum float8,
		OUT mean float8, OUT stddev float8, OUT p50 float8,
		OUT type_name text, OUT status text)
	RETURNS SETOF record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 20
	AS 'MODULE_PATHNAME', 'mlmeta_profile_columns';
COMMENT ON FUNCTION mlmeta.columns(mlmeta.profile) IS
	'the features as rows, in the order of the columns: kind numeric, timestamp (in seconds), boolean, categorical or other; status ok, all null, new column, missing column';
CREATE FUNCTION mlmeta.histogram_of(p mlmeta.profile, feature text)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_histogram_of';
COMMENT ON FUNCTION mlmeta.histogram_of(mlmeta.profile, text) IS
	'the histogram of a feature; NULL when that is not numeric; 42703 when there is none of the name';
CREATE FUNCTION mlmeta.frequencies_of(p mlmeta.profile, feature text)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_frequencies_of';
COMMENT ON FUNCTION mlmeta.frequencies_of(mlmeta.profile, text) IS
	'the frequency table of a feature; NULL when that is not categorical; 42703 when there is none of the name';

CREATE FUNCTION mlmeta.select_columns(p mlmeta.profile, names text[])
	RETURNS mlmeta.profile LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_select_columns';
COMMENT ON FUNCTION mlmeta.select_columns(mlmeta.profile, text[]) IS
	'the profile of some of its columns, in the order of the names; 42703 when there is none of a name';

-- ---------------------------------------------------------------------------
-- Drift
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta.drift(
		reference mlmeta.profile, current mlmeta.profile,
		OUT feature text, OUT kind text, OUT measure text,
		OUT statistic float8, OUT statistic_low float8,
		OUT statistic_high float8, OUT p_value float8,
		OUT n_reference bigint, OUT n_current bigint, OUT status text,
		OUT is_primary boolean)
	RETURNS SETOF record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 10000 ROWS 100
	AS 'MODULE_PATHNAME', 'mlmeta_profile_drift';
COMMENT ON FUNCTION mlmeta.drift(mlmeta.profile, mlmeta.profile) IS
	'every measure of every feature, with bounds that hold for the rows: ks, chi2 and missing_share are the primary tests; what cannot be measured has a status: no data, too little data, constant, all null, new column, missing column, kind changed, not comparable';
