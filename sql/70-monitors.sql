-- Monitors: which rows to watch, in what windows, against which baseline.
--
-- A monitor names a source (a table or a query), its time column and the length
-- of a window; a baseline is a profile of rows that were fine. Checks (part 71)
-- profile each complete window on the bins of the baseline and judge it.
--
-- A source is run with the rights of whoever checks, who must be the monitor's
-- owner: nobody runs a query that somebody else stored.

CREATE FUNCTION mlmeta.is_window_length(length interval) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN length > '0'::interval
	AND (pg_catalog.date_trunc('month', length) = length
		OR (pg_catalog.date_part('year', length) = 0
			AND pg_catalog.date_part('month', length) = 0));

COMMENT ON FUNCTION mlmeta.is_window_length(interval) IS
	'whether windows can have this length: whole months, or days and smaller units';

CREATE FUNCTION mlmeta.window_start(at timestamp, length interval)
RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
	WHEN length >= '1 month'::interval
			AND pg_catalog.date_trunc('month', length) = length THEN
		'2000-01-01'::timestamp + pg_catalog.make_interval(months => (
			pg_catalog.floor(
				((pg_catalog.date_part('year', at) - 2000) * 12
					+ pg_catalog.date_part('month', at) - 1)
				/ (pg_catalog.date_part('year', length) * 12
					+ pg_catalog.date_part('month', length)))
			* (pg_catalog.date_part('year', length) * 12
				+ pg_catalog.date_part('month', length)))::integer)
	ELSE pg_catalog.date_bin(length, at, '2000-01-03'::timestamp)
END;

COMMENT ON FUNCTION mlmeta.window_start(timestamp, interval) IS
	'start of the window that a time lies in: calendar months from January 2000, other lengths from Monday, 3 January 2000';

-- Tables ------------------------------------------------------------------------

CREATE TABLE mlmeta.monitors (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (mlmeta.is_name(name)),
	source text NOT NULL,
	query text NOT NULL,
	time_column text NOT NULL,
	time_type regtype NOT NULL,
	granularity interval NOT NULL CHECK (mlmeta.is_window_length(granularity)),
	time_zone text NOT NULL,
	features text[] NOT NULL,
	label_column text,
	score_column text,
	threshold float8 NOT NULL DEFAULT 0.5,
	tolerance float8 NOT NULL DEFAULT 0.05 CHECK (tolerance >= 0),
	q float8 NOT NULL DEFAULT 0.02 CHECK (q > 0 AND q < 1),
	alpha float8 NOT NULL DEFAULT 0.05 CHECK (alpha > 0 AND alpha < 1),
	owner text NOT NULL DEFAULT CURRENT_USER,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);

COMMENT ON TABLE mlmeta.monitors IS
	'what is watched; see create_monitor()';
COMMENT ON COLUMN mlmeta.monitors.source IS
	'the table or query as given to create_monitor()';
COMMENT ON COLUMN mlmeta.monitors.query IS
	'the query with every name qualified: it means the same under any search_path';
COMMENT ON COLUMN mlmeta.monitors.granularity IS
	'length of a window';
COMMENT ON COLUMN mlmeta.monitors.time_zone IS
	'the time zone whose days and months the windows follow';
COMMENT ON COLUMN mlmeta.monitors.features IS
	'columns of the source that are profiled';
COMMENT ON COLUMN mlmeta.monitors.label_column IS
	'what turned out to be true, NULL as long as it is not known';
COMMENT ON COLUMN mlmeta.monitors.score_column IS
	'the model''s probability of a positive label';
COMMENT ON COLUMN mlmeta.monitors.threshold IS
	'scores from here on predict a positive label';
COMMENT ON COLUMN mlmeta.monitors.tolerance IS
	'drift up to this Kolmogorov or total variation distance wakes nobody up';
COMMENT ON COLUMN mlmeta.monitors.q IS
	'false discovery rate over the features of a window';
COMMENT ON COLUMN mlmeta.monitors.alpha IS
	'level of the confidence bounds of effects';
COMMENT ON COLUMN mlmeta.monitors.owner IS
	'the role that checks the monitor, with its own rights';

CREATE TABLE mlmeta.monitor_baselines (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	monitor bigint NOT NULL REFERENCES mlmeta.monitors ON DELETE CASCADE,
	dataset mlmeta.artifact REFERENCES mlmeta.artifacts,
	period_start timestamptz,
	period_end timestamptz,
	profile mlmeta.profile NOT NULL,
	quality mlmeta.classification,
	window_quality float8[],
	set_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	user_name text NOT NULL DEFAULT SESSION_USER
);

CREATE INDEX monitor_baselines_monitor ON mlmeta.monitor_baselines
	(monitor, id);

COMMENT ON TABLE mlmeta.monitor_baselines IS
	'the baselines of monitors, the newest in force; see set_baseline()';
COMMENT ON COLUMN mlmeta.monitor_baselines.dataset IS
	'the data version it was made from';
COMMENT ON COLUMN mlmeta.monitor_baselines.period_end IS
	'the first window checked against it begins here';
COMMENT ON COLUMN mlmeta.monitor_baselines.quality IS
	'quality of the model over the baseline; estimates are calibrated on it';
COMMENT ON COLUMN mlmeta.monitor_baselines.window_quality IS
	'ROC AUC of the baseline''s own windows: what is usual';

-- Making monitors ------------------------------------------------------------------

CREATE FUNCTION mlmeta.find_monitor(monitor text) RETURNS mlmeta.monitors
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_one mlmeta.monitors;
BEGIN
	SELECT * INTO found_one FROM mlmeta.monitors AS m WHERE m.name = monitor;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'monitor "%" does not exist', monitor
			USING ERRCODE = 'undefined_object',
				HINT = 'Make it with create_monitor(); the table mlmeta.monitors lists what there is.';
	END IF;
	RETURN found_one;
END
$$;

COMMENT ON FUNCTION mlmeta.find_monitor(text) IS
	'the monitor of that name, or an error';

-- Not pinned: the source means what it means to the caller, as in
-- snapshot_dataset(). All other names are qualified.
CREATE FUNCTION mlmeta.create_monitor(
	name text,
	source text,
	time_column text,
	granularity interval,
	features text[] DEFAULT NULL,
	label text DEFAULT NULL,
	score text DEFAULT NULL,
	threshold float8 DEFAULT 0.5,
	tolerance float8 DEFAULT 0.05,
	q float8 DEFAULT 0.02,
	time_zone text DEFAULT pg_catalog.current_setting('TimeZone')
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
	resolved record;
	missing text;
	time_type regtype;
	result bigint;
BEGIN
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.check_name('monitor', name);
	IF NOT coalesce(mlmeta.is_window_length(granularity), false) THEN
		RAISE EXCEPTION 'monitor "%": windows cannot be % long', name,
				coalesce(granularity::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use whole months, or days and smaller units, such as ''1 day''.';
	END IF;
	IF NOT coalesce(tolerance >= 0 AND tolerance < 1, false)
			OR NOT coalesce(q > 0 AND q < 1, false) THEN
		RAISE EXCEPTION 'monitor "%": tolerance % or q % is out of range', name,
				tolerance, q
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'The tolerance is a distance from 0 to 1, 0.05 by default; q a false discovery rate between 0 and 1, 0.02 by default.';
	END IF;
	PERFORM pg_catalog.timezone(time_zone, '2000-01-01'::timestamp);

	SELECT * INTO resolved FROM mlmeta.resolve_source('monitor', name, source);

	SELECT c.name INTO missing
	FROM pg_catalog.unnest(features || ARRAY[time_column, label, score]) AS c (name)
	WHERE c.name IS NOT NULL AND NOT EXISTS (
		SELECT FROM pg_catalog.jsonb_array_elements(resolved.columns) AS r
		WHERE r OPERATOR(pg_catalog.->>) 'name' OPERATOR(pg_catalog.=) c.name);
	IF FOUND OR time_column IS NULL THEN
		RAISE EXCEPTION 'monitor "%": the source has no column "%"', name,
				coalesce(missing, 'NULL')
			USING ERRCODE = 'undefined_column',
				HINT = pg_catalog.format('It has %s.', (
					SELECT pg_catalog.string_agg(r OPERATOR(pg_catalog.->>) 'name', ', ')
					FROM pg_catalog.jsonb_array_elements(resolved.columns) AS r));
	END IF;
	SELECT (r OPERATOR(pg_catalog.->>) 'type')::pg_catalog.regtype INTO time_type
	FROM pg_catalog.jsonb_array_elements(resolved.columns) AS r
	WHERE r OPERATOR(pg_catalog.->>) 'name' OPERATOR(pg_catalog.=) time_column;
	IF time_type OPERATOR(pg_catalog.<>) ALL (ARRAY['timestamptz', 'timestamp', 'date']::pg_catalog.regtype[]) THEN
		RAISE EXCEPTION 'monitor "%": column "%" of type % is no time', name,
				time_column, time_type
			USING ERRCODE = 'datatype_mismatch',
				HINT = 'Use a column of type timestamptz, timestamp or date; a query can convert it.';
	END IF;

	INSERT INTO mlmeta.monitors (name, source, query, time_column, time_type,
		granularity, time_zone, features, label_column, score_column, threshold,
		tolerance, q)
	VALUES (name, source, resolved.query, time_column, time_type,
		granularity, time_zone, coalesce(features, ARRAY(
			SELECT r.value OPERATOR(pg_catalog.->>) 'name'
			FROM pg_catalog.jsonb_array_elements(resolved.columns)
				WITH ORDINALITY AS r (value, n)
			WHERE (r.value OPERATOR(pg_catalog.->>) 'name' OPERATOR(pg_catalog.=)
				ANY (ARRAY[time_column, label])) IS NOT TRUE
			ORDER BY r.n)),
		label, score, threshold, tolerance, q)
	RETURNING id INTO result;
	RETURN result;
EXCEPTION WHEN unique_violation THEN
	RAISE EXCEPTION 'monitor "%" exists already', name
		USING ERRCODE = 'duplicate_object';
END
$$;

COMMENT ON FUNCTION mlmeta.create_monitor(text, text, text, interval, text[],
	text, text, float8, float8, float8, text) IS
	'watches a table or query in windows of its time column; features: columns to profile, all but time and label by default; label and score: for the quality of a binary classifier; returns the monitor''s number';

-- Baselines ----------------------------------------------------------------------------

CREATE FUNCTION mlmeta.monitor_rows(monitor mlmeta.monitors, query text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.format(
	'(SELECT mlmeta.window_start(%1$s, %2$L::interval) AS window_start, s.*
		FROM (%3$s
		) AS s
		WHERE %1$s >= coalesce($1 AT TIME ZONE %4$L, %1$s)
			AND %1$s < coalesce($2 AT TIME ZONE %4$L, ''infinity'')) AS s
	CROSS JOIN LATERAL (SELECT %5$s) AS f',
	CASE WHEN (monitor).time_type = 'timestamptz'::regtype
		THEN pg_catalog.format('(s.%I AT TIME ZONE %L)', (monitor).time_column,
			(monitor).time_zone)
		ELSE pg_catalog.format('s.%I', (monitor).time_column) END,
	(monitor).granularity,
	query,
	(monitor).time_zone,
	(SELECT pg_catalog.string_agg(pg_catalog.format('s.%I', c.name), ', ' ORDER BY c.n)
		FROM pg_catalog.unnest((monitor).features) WITH ORDINALITY AS c (name, n)));

COMMENT ON FUNCTION mlmeta.monitor_rows(mlmeta.monitors, text) IS
	'FROM item of the monitored rows from $1 to $2: s has window_start and all columns, f the features';

CREATE FUNCTION mlmeta.store_baseline(
	monitor mlmeta.monitors,
	query text,
	period_start timestamptz,
	period_end timestamptz,
	dataset mlmeta.artifact
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	reference mlmeta.profile;
	quality mlmeta.classification;
	window_quality float8[];
	last_time timestamptz;
	has_quality boolean := monitor.label_column IS NOT NULL
		AND monitor.score_column IS NOT NULL;
	result bigint;
BEGIN
	PERFORM mlmeta.check_writable();
	IF monitor.owner <> current_user THEN
		RAISE EXCEPTION 'monitor "%" belongs to "%"', monitor.name, monitor.owner
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'Only its owner runs its source.';
	END IF;

	EXECUTE format('SELECT mlmeta.profile(f), max(s.window_start) FROM %s',
		mlmeta.monitor_rows(monitor, query))
	INTO reference, last_time USING period_start, period_end;
	IF reference IS NULL THEN
		RAISE EXCEPTION 'monitor "%": the baseline has no rows', monitor.name
			USING ERRCODE = 'no_data_found',
				HINT = 'Name a period, or a data version, that holds rows.';
	END IF;
	IF has_quality THEN
		EXECUTE format(
			'SELECT mlmeta.merge(w.quality),
				array_agg(mlmeta.roc_auc(w.quality) ORDER BY w.window_start)
			FROM (SELECT s.window_start,
					mlmeta.classification(s.%I::integer, s.%I, %L) AS quality
				FROM %s GROUP BY s.window_start) AS w',
			monitor.label_column, monitor.score_column, monitor.threshold,
			mlmeta.monitor_rows(monitor, query))
		INTO quality, window_quality USING period_start, period_end;
	END IF;

	INSERT INTO mlmeta.monitor_baselines (monitor, dataset, period_start,
		period_end, profile, quality, window_quality)
	VALUES (monitor.id, dataset, period_start,
		coalesce(period_end,
			(last_time + monitor.granularity) AT TIME ZONE monitor.time_zone),
		reference, quality, window_quality)
	RETURNING id INTO result;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta.store_baseline(mlmeta.monitors, text, timestamptz,
	timestamptz, mlmeta.artifact) IS
	'profiles the rows of a query and stores them as the monitor''s newest baseline';

CREATE FUNCTION mlmeta.set_baseline(
	monitor text,
	period_start timestamptz,
	period_end timestamptz
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.monitors := mlmeta.find_monitor(monitor);
BEGIN
	IF NOT coalesce(period_start < period_end, false) THEN
		RAISE EXCEPTION 'monitor "%": the period of a baseline must end after it starts', monitor
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN mlmeta.store_baseline(m, m.query, period_start, period_end, NULL);
END
$$;

COMMENT ON FUNCTION mlmeta.set_baseline(text, timestamptz, timestamptz) IS
	'makes a period of the monitor''s own source its baseline, from start to before end; returns the baseline''s number';

CREATE FUNCTION mlmeta.set_baseline(monitor text, dataset mlmeta.artifact)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.monitors := mlmeta.find_monitor(monitor);
	snapshot mlmeta.dataset_snapshots;
BEGIN
	SELECT * INTO snapshot FROM mlmeta.dataset_snapshots AS d
	WHERE d.artifact OPERATOR(mlmeta.=) dataset
	ORDER BY d.taken_at DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no snapshot of dataset "%"', dataset
			USING ERRCODE = 'undefined_object',
				HINT = 'Take one with snapshot_dataset().';
	END IF;
	IF snapshot.owner <> current_user THEN
		RAISE EXCEPTION 'the snapshot of dataset "%" belongs to "%"', dataset,
				snapshot.owner
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'Only its owner runs its query.';
	END IF;
	RETURN mlmeta.store_baseline(m, CASE WHEN snapshot.copy_table IS NULL
		THEN snapshot.query ELSE 'SELECT * FROM ' || snapshot.copy_table END,
		NULL, NULL, dataset);
END
$$;

COMMENT ON FUNCTION mlmeta.set_baseline(text, mlmeta.artifact) IS
	'makes the data version that a model was trained on the monitor''s baseline; its query must have the monitor''s columns; returns the baseline''s number';
