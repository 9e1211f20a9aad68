-- The type run: text and binary forms, order, time, indexes.
SET search_path = public, mlmeta;
SET timezone = 'UTC';

-- What a statement that must fail says
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	m text;
	d text;
	h text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL,
		h = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, m, nullif(d, ''), nullif(h, ''));
END
$$;

-- Text forms. The pairs are those of the TypeID specification (valid.json);
-- they pin the digits and their order.
SELECT t::run, t::run::uuid
FROM unnest(ARRAY[
	'run_00000000000000000000000000',
	'run_0000000000000000000000000a',
	'run_0000000000000000000000000g',
	'run_00000000000000000000000010',
	'run_7zzzzzzzzzzzzzzzzzzzzzzzzz',
	'run_0123456789abcdefghjkmnpqrs',
	'run_01h455vb4pex5vsknk084sn02q']) AS t;

-- Other accepted forms
SELECT t::run
FROM unnest(ARRAY[
	'run_01H455VB4PEX5VSKNK084SN02Q',
	'01890a5d-ac96-774b-bcce-b302099a8057',
	'01890A5D-AC96-774B-BCCE-B302099A8057',
	'{01890a5d-ac96-774b-bcce-b302099a8057}',
	'01890a5dac96774bbcceb302099a8057',
	'0189-0a5d-ac96-774b-bcce-b302-099a-8057']) AS t;

-- Bad text
SELECT t, pg_temp.failure(format('SELECT %L::run', t))
FROM unnest(ARRAY[
	'', 'run_', 'run', '{', '{}', '}', 'x',
	'run_8zzzzzzzzzzzzzzzzzzzzzzzzz',
	'run_01h455vb4pex5vsknk084sn02',
	'run_01h455vb4pex5vsknk084sn02qq',
	'run_01h455vb4pex5vsknk084sn02u',
	'run_01h455vb4pex5vsknk084sn0l1',
	'RUN_01h455vb4pex5vsknk084sn02q',
	' run_01h455vb4pex5vsknk084sn02q',
	'run_01h455vb4pex5vsknk084sn02q ',
	'model_01h455vb4pex5vsknk084sn02q',
	'01890a5d-ac96-774b-bcce-b302099a805',
	'01890a5d-ac96-774b-bcce-b302099a80577',
	'01890a5d-ac96-774b-bcce-b302099a805g',
	'01890a5d-ac96-774b-bcce-b302099a8057-',
	'01-890a5d-ac96-774b-bcce-b302099a8057',
	'{01890a5d-ac96-774b-bcce-b302099a8057',
	'01890a5d-ac96-774b-bcce-b302099a8057}',
	'run_01h455vb4pé']) AS t;
SELECT length(pg_temp.failure(format('SELECT %L::run', repeat('€', 100000))))
	< 300 AS a_long_text_is_cut;

-- Binary: the sixteen bytes. A later version must read these.
SELECT mlmeta_internal.run_send('run_01h455vb4pex5vsknk084sn02q');
CREATE TEMPORARY TABLE received (r run);
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\020\\001\\211\\012\\135\\254\\226\\167\\113\\274\\316\\263\\002\\011\\232\\200\\127\\377\\377"' WITH (FORMAT binary)
SELECT * FROM received;
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\003\\001\\211\\012\\377\\377"' WITH (FORMAT binary)
\set VERBOSITY sqlstate
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\000\\377\\377"' WITH (FORMAT binary)
\set VERBOSITY default

-- Round trips over many values: text, uuid, 32 digits
CREATE TEMPORARY TABLE sample AS
SELECT i, md5('run ' || i)::uuid AS u FROM generate_series(1, 5000) AS i;
SELECT count(*) AS n,
	count(*) FILTER (WHERE u::run::text::run::uuid = u) AS by_text,
	count(*) FILTER (WHERE u::text::run = u) AS by_uuid,
	count(*) FILTER (WHERE replace(u::text, '-', '')::run = u) AS by_digits,
	count(*) FILTER (WHERE upper(substr(u::run::text, 5))
		= substr(u::run::text, 5)) AS upper_case,
	count(*) FILTER (WHERE mlmeta_internal.run_send(u::run) = uuid_send(u)) AS by_send,
	count(*) FILTER (WHERE length(u::run::text) = 30) AS of_30
FROM sample;

-- Order is that of the bytes, of the text and of uuid
SELECT bool_and((a < b) = (au < bu) AND (a <= b) = (au <= bu)
		AND (a = b) = (au = bu) AND (a <> b) = (au <> bu)
		AND (a >= b) = (au >= bu) AND (a > b) = (au > bu)
		AND (a < b) = ((a::text COLLATE "C") < (b::text COLLATE "C"))
		AND mlmeta_internal.run_cmp(a, b) = - mlmeta_internal.run_cmp(b, a)) AS ordered_like_uuid
FROM (SELECT x.u::run AS a, x.u AS au, y.u::run AS b, y.u AS bu
	FROM sample AS x, sample AS y WHERE x.i <= 150 AND y.i <= 150) AS pair;
SELECT array_agg(u ORDER BY u) = array_agg(u ORDER BY u::run) AS sorted_alike,
	min(u::run) = (array_agg(u ORDER BY u))[1] AS min,
	max(u::run) = (array_agg(u ORDER BY u DESC))[1] AS max
FROM sample;
SELECT min(r), max(r) FROM (SELECT NULL::run AS r) AS none;

-- Runs of the same leading eight bytes are told apart when sorted
SELECT array_agg(substr(r::text, 26) ORDER BY r)
FROM (SELECT ('01890a5dac96774b' || lpad(to_hex(i * 7 % 11), 16, '0'))::run
		AS r
	FROM generate_series(0, 10) AS i) AS tie;

-- Made in this session: increasing, version 7, the time is now
SELECT count(DISTINCT r) AS n, bool_and(r > before) AS increasing,
	bool_and(substr(r::uuid::text, 15, 1) = '7') AS version_7,
	bool_and(substr(r::uuid::text, 20, 1) IN ('8', '9', 'a', 'b')) AS variant,
	bool_and(abs(extract(epoch FROM clock_timestamp() - run_time(r))) < 60)
		AS recent
FROM (SELECT r, lag(r, 1, '00000000-0000-0000-0000-000000000000') OVER (
		ORDER BY i) AS before
	FROM (SELECT i, new_run() AS r FROM generate_series(1, 20000) AS i
		OFFSET 0) AS made) AS pair;

-- The example of RFC 9562, appendix A.6: 22 February 2022, 19:22:22 UTC
SELECT run_time('017F22E2-79B0-7CC3-98C4-DC0C0C07398F');
-- Ids without a time: version 4 (appendix A.3), nil, all ones
SELECT run_time('919108f7-52d1-4320-9bac-f847db4148a8') AS version_4,
	run_time('00000000-0000-0000-0000-000000000000') AS nil,
	run_time('ffffffff-ffff-ffff-ffff-ffffffffffff') AS all_ones;

-- Bounds
SELECT t, run_lower_bound(t)::uuid, run_upper_bound(t)::uuid
FROM unnest(ARRAY['-infinity', '4000-01-01 BC', '1969-12-31 23:59:59.9999',
	'1970-01-01', '1970-01-01 00:00:00.000001', '2022-02-22 19:22:22',
	'10889-08-02 05:31:50.655', '10889-08-02 05:31:50.656',
	'294276-12-31 23:59:59.999999', 'infinity']::timestamptz[]) AS t;
SELECT count(*) AS n,
	bool_and((r >= run_lower_bound(t)) = (run_time(r) >= t)) AS lower_holds,
	bool_and((r <= run_upper_bound(t)) = (run_time(r) <= t)) AS upper_holds
FROM (SELECT overlay(overlay(u::text PLACING '7' FROM 15) PLACING 'a' FROM 20)
		::run AS r FROM sample WHERE i <= 500) AS runs
	CROSS JOIN LATERAL (SELECT run_time(r) + delta AS t
		FROM unnest(ARRAY['0', '1 us', '-1 us', '999 us', '1 ms', '-1 ms',
			'1001 us']::interval[]) AS delta) AS times;

-- uuid: implicitly into run, by assignment from run. What drivers send as uuid
-- finds functions and operators, alone and in arrays.
CREATE TEMPORARY TABLE casts (r run, u uuid);
INSERT INTO casts SELECT u, u::run FROM sample WHERE i <= 3;
INSERT INTO casts (r, u) SELECT u, r FROM casts WHERE false;
SELECT bool_and(r = u) AND bool_and(u = r) AND bool_and(r::uuid = u)
	AND bool_and(r = ANY (ARRAY[u])) AND bool_and(ARRAY[u]::run[] = ARRAY[r])
	AND bool_and(u < new_run()) IS NOT NULL AND bool_and(coalesce(r, u) = r)
	AS same
FROM casts;
SELECT run_time('017F22E2-79B0-7CC3-98C4-DC0C0C07398F'::uuid)
	= run_time('017F22E2-79B0-7CC3-98C4-DC0C0C07398F'::run) AS same_time;
SELECT count(*) FROM casts AS a JOIN casts AS b ON a.r = b.u;
CREATE TEMPORARY TABLE owners (r run PRIMARY KEY);
CREATE TEMPORARY TABLE referrers (u uuid REFERENCES owners);
INSERT INTO owners SELECT r FROM casts;
INSERT INTO referrers SELECT r FROM casts;
INSERT INTO referrers VALUES ('00000000-0000-0000-0000-000000000000');
-- Nothing makes a uuid of a run unasked, which would miss its indexes: without
-- the schema in the path a comparison is refused.
SELECT castcontext, castsource::regtype, casttarget::regtype FROM pg_cast
WHERE 'run'::regtype IN (castsource, casttarget) ORDER BY 1;
SET search_path = public;
SELECT r = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' FROM casts;
SET search_path = public, mlmeta;

-- Indexes: the rows are those of a sequential scan
CREATE TEMPORARY TABLE indexed AS SELECT i, u::run AS r FROM sample;
ANALYZE indexed;
CREATE FUNCTION pg_temp.index_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (COSTS OFF, FORMAT json) ' || query INTO plan;
	RETURN jsonb_path_query_array(plan, 'strict $.**."Index Name"');
END
$$;
SET enable_seqscan = off;
CREATE UNIQUE INDEX by_btree ON indexed USING btree (r);
SELECT pg_temp.index_of(format('SELECT i FROM indexed WHERE r = %L', u::run))
FROM sample WHERE i = 7;
SELECT i FROM indexed WHERE r = (SELECT u::run FROM sample WHERE i = 7);
SELECT pg_temp.index_of(format('SELECT i FROM indexed WHERE r = %L::uuid', u))
FROM sample WHERE i = 7;
SELECT pg_temp.index_of(format('SELECT i FROM indexed
	WHERE r = ANY (ARRAY[%L, %L]::uuid[])', u, u))
FROM sample WHERE i = 7;
PREPARE by_uuid (uuid) AS SELECT i FROM indexed WHERE r = $1;
SELECT pg_temp.index_of(format('EXECUTE by_uuid (%L)', u))
FROM sample WHERE i = 7;
DEALLOCATE by_uuid;
SELECT pg_temp.index_of($$SELECT i FROM indexed
	WHERE r < '40000000000000000000000000000000'$$);
SELECT count(*) FROM indexed WHERE r < '40000000000000000000000000000000';
DROP INDEX by_btree;
CREATE INDEX by_brin ON indexed USING brin (r);
SELECT pg_temp.index_of($$SELECT i FROM indexed
	WHERE r < '40000000000000000000000000000000'$$);
SELECT count(*) FROM indexed WHERE r < '40000000000000000000000000000000';
DROP INDEX by_brin;
CREATE INDEX by_hash ON indexed USING hash (r);
SELECT pg_temp.index_of(format('SELECT i FROM indexed WHERE r = %L', u::run))
FROM sample WHERE i = 7;
SELECT i FROM indexed WHERE r = (SELECT u::run FROM sample WHERE i = 7);
RESET enable_seqscan;
SELECT count(*) FROM sample WHERE u < '40000000-0000-0000-0000-000000000000';

-- Grouping and joining by sort and by hash
SELECT count(*) FROM (SELECT r FROM indexed UNION SELECT u::run FROM sample)
	AS both_sides;
SET enable_hashjoin = off;
SELECT count(*) FROM indexed AS a JOIN indexed AS b ON a.r = b.r;
RESET enable_hashjoin;
SET enable_mergejoin = off;
SELECT count(*) FROM indexed AS a JOIN indexed AS b ON a.r = b.r;
RESET enable_mergejoin;
SELECT mlmeta_internal.run_hash(r) = mlmeta_internal.run_hash(u::run) AND mlmeta_internal.run_hash_extended(r, 0)
	<> mlmeta_internal.run_hash_extended(r, 1) AS hashed
FROM casts LIMIT 1;

-- NULL in, NULL out
SELECT NULL::run = new_run() AS eq, run_time(NULL) AS time,
	run_lower_bound(NULL) AS bound;

-- The operator classes of all types of mlmeta are whole
SELECT opcname FROM pg_opclass
WHERE opcnamespace = 'mlmeta'::regnamespace AND NOT amvalidate(oid);
