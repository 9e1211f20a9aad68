-- The type artifact: text and binary forms, parts, order, containment.
SET search_path = public, mlmeta;

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
	RETURN concat_ws(' | ', SQLSTATE, m, nullif(d, ''),
		CASE WHEN h = '' THEN 'NO HINT' END);
END
$$;

-- Text, its canonical form and its parts
SELECT a, kind(a), name(a), version(a), digest(a)
FROM unnest(ARRAY[
	'model:churn/xgb:v12',
	'dataset:orders',
	'dataset:orders@sha256:' || repeat('0123456789ABCDEF', 4),
	'x-y_2:n:1@sha256:' || repeat('00', 32),
	'm:a%3Ab%40c%25d:v%3a1',
	'm:%61%62%63:%76%31',
	'm:line%0Abreak%7F',
	'm:caf%C3%A9:€%E2%82%AC',
	'm:s3%3A//bucket/key with space:2024-01-01T00%3A00',
	'm:!#$&''()*+,-./;<=>?[\]^_`{|}~"']::artifact[]) AS a;

-- Bad text
SELECT t, pg_temp.failure(format('SELECT %L::artifact', t))
FROM unnest(ARRAY[
	'', 'model', ':', ':name', 'model:', 'model::', 'model::v1', 'model:a:',
	'model:a:b:c', 'Model:a', '1model:a', '-model:a', 'mo del:a', 'mødel:a',
	' model:a', 'model:a@', 'model:a@sha256:', 'model:a@sha256:00',
	'model:a@md5:' || repeat('00', 16), 'model:a@SHA256:' || repeat('00', 32),
	'model:a@sha256:' || repeat('0', 63) || 'g',
	'model:a@sha256:' || repeat('0', 65),
	'model:a@b@sha256:' || repeat('0', 64), 'model@sha256:' || repeat('0', 64),
	'model:%', 'model:%4', 'model:%4x', 'model:a:%zz', 'model:a%00b',
	'model:%C3', 'model:%C3x%A9', 'model:%FF', 'model:%ED%A0%80',
	E'model:a\nb', E'model:a:\x7F', E'\tmodel:a']) AS t;
SELECT pg_temp.failure(format('SELECT %L::artifact', t))
FROM unnest(ARRAY[
	repeat('k', 64) || ':n', 'k:' || repeat('n', 1025),
	'k:n:' || repeat('v', 256), 'k:' || repeat('€', 342)]) AS t;
SELECT octet_length(kind(a)), octet_length(name(a)), octet_length(version(a)),
	a::text::artifact = a AS same
FROM (SELECT (repeat('k', 63) || ':' || repeat('%3a', 1024) || ':'
	|| repeat('%25', 255) || '@sha256:' || repeat('f', 64))::artifact AS a)
	AS largest;

-- From parts, which are taken as they are
SELECT artifact('model', 'a:b@c%d', E'v\t1', 'sha256:' || repeat('aB', 32));
SELECT artifact('model', 'a'), artifact('model', 'a', 'v1'),
	artifact('model', 'a', NULL, repeat('00', 32)),
	artifact(kind => 'model', name => 'a', digest => repeat('00', 32));
SELECT artifact(NULL, 'a') AS no_kind, artifact('model', NULL) AS no_name;
SELECT pg_temp.failure('SELECT artifact(' || arguments || ')')
FROM unnest(ARRAY[
	$$'', 'a'$$, $$'Model', 'a'$$, $$'model:', 'a'$$, $$'model', ''$$,
	$$'model', 'a', ''$$, $$'model', 'a', 'v', ''$$,
	$$'model', 'a', 'v', 'abc'$$, $$'model', repeat('a', 1025)$$,
	$$'model', 'a', repeat('a', 256)$$]) AS arguments;

-- The binary form, which a later version must read
SELECT mlmeta_internal.artifact_send(a)
FROM unnest(ARRAY[
	'model:churn/xgb:v12',
	'dataset:caf%C3%A9',
	'm:a%3Ab@sha256:' || repeat('0123456789abcdef', 4)]::artifact[]) AS a;
CREATE TEMPORARY TABLE received (a artifact);
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\025\\001\\000\\000\\000\\000\\001m\\000\\000\\000\\003a:b\\000\\000\\000\\003v%%1\\377\\377"' WITH (FORMAT binary)
SELECT a, version(a) FROM received;
-- (early end, unknown format, unknown flag, bad kind, string beyond the end,
-- missing digest, excess bytes, zero byte)
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\001\\001\\377\\377"' WITH (FORMAT binary)
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\020\\002\\000\\000\\000\\000\\001m\\000\\000\\000\\001a\\000\\000\\000\\000\\377\\377"' WITH (FORMAT binary)
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\020\\001\\002\\000\\000\\000\\001m\\000\\000\\000\\001a\\000\\000\\000\\000\\377\\377"' WITH (FORMAT binary)
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\020\\001\\000\\000\\000\\000\\001M\\000\\000\\000\\001a\\000\\000\\000\\000\\377\\377"' WITH (FORMAT binary)
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\020\\001\\000\\377\\377\\377\\377m\\000\\000\\000\\001a\\000\\000\\000\\000\\377\\377"' WITH (FORMAT binary)
\set VERBOSITY sqlstate
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\020\\001\\001\\000\\000\\000\\001m\\000\\000\\000\\001a\\000\\000\\000\\000\\377\\377"' WITH (FORMAT binary)
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\021\\001\\000\\000\\000\\000\\001m\\000\\000\\000\\001a\\000\\000\\000\\000x\\377\\377"' WITH (FORMAT binary)
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\020\\001\\000\\000\\000\\000\\001m\\000\\000\\000\\001\\000\\000\\000\\000\\000\\377\\377"' WITH (FORMAT binary)
\set VERBOSITY default
-- The client's encoding is converted
SET client_encoding = 'LATIN1';
SELECT mlmeta_internal.artifact_send(artifact('m', convert_from('\x636166c3a9', 'UTF8')));
\copy received FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\023\\001\\000\\000\\000\\000\\001m\\000\\000\\000\\004caf\\351\\000\\000\\000\\000\\377\\377"' WITH (FORMAT binary)
RESET client_encoding;
SELECT a FROM received WHERE name(a) LIKE 'caf%';

-- Order: kind, name, version in natural order, digest; what is absent first
SELECT a FROM (SELECT a::artifact FROM unnest(ARRAY[
	'model:a:v10', 'model:a:v9', 'model:a', 'model:a:v09', 'model:a:v9.1',
	'model:a:1.10.0', 'model:a:1.9.12', 'model:a:1.9', 'model:a:v9-rc1',
	'model:a:va', 'model:a:v', 'model:a:99999999999999999999999999',
	'model:a:100000000000000000000000000', 'model:a:00', 'model:a:0',
	'model:a:v9@sha256:' || repeat('00', 32),
	'model:a:v9@sha256:' || repeat('01', 32),
	'model:a@sha256:' || repeat('ff', 32),
	'model:b:v1', 'model:B:v1', 'dataset:z', 'model:a/b', 'model:é']) AS a)
	AS unsorted
ORDER BY a;

-- Thousands of generated references: parts, text and value agree
CREATE TEMPORARY TABLE sample AS
SELECT i, artifact(k, n, v, d) AS a, k, n, v, d
FROM (SELECT i,
		(ARRAY['model', 'dataset', 'm', 'x-1_'])[1 + h % 4] AS k,
		left(translate(md5('n' || h / 40), '0123456', ':@% /é€'),
			1 + h % 7) AS n,
		CASE WHEN h % 5 > 0
			THEN (ARRAY['v', '', '1.', E'\n', '00'])[h % 5]
				|| (h / 7 % 23)::text || (ARRAY['', 'a', '.0', ':1'])[1 + h % 4]
			END AS v,
		CASE WHEN h % 3 = 0 THEN 'sha256:' || encode(sha256(i::text::bytea), 'hex')
			END AS d
	FROM (SELECT i, (hashint4(i) & 65535) AS h
		FROM generate_series(1, 5000) AS i) AS hashes) AS parts;
INSERT INTO sample
SELECT i + 5000, artifact(k, n, v, encode(sha256(n::bytea), 'hex')), k, n, v,
	'sha256:' || encode(sha256(n::bytea), 'hex')
FROM sample;
SELECT count(*) AS n,
	count(*) FILTER (WHERE a::text::artifact = a) AS by_value,
	count(*) FILTER (WHERE a::text::artifact::text = a::text) AS by_text,
	count(*) FILTER (WHERE kind(a) = k AND name(a) = n
		AND version(a) IS NOT DISTINCT FROM v
		AND digest(a) IS NOT DISTINCT FROM d) AS by_parts,
	count(*) FILTER (WHERE artifact(kind(a), name(a), version(a), digest(a))
		= a) AS made_again,
	count(*) FILTER (WHERE any_version(a) = artifact(k, n)) AS any_version
FROM sample;

-- The order is total, and equality is that of the text
CREATE TEMPORARY TABLE few AS
SELECT DISTINCT ON (a) a FROM sample WHERE i % 37 = 0;
SELECT count(*) > 5000 AS many,
	bool_and(mlmeta_internal.artifact_cmp(x.a, y.a) = - mlmeta_internal.artifact_cmp(y.a, x.a)) AS antisymmetric,
	bool_and((x.a = y.a) = (x.a::text = y.a::text)) AS equal_as_text,
	bool_and((x.a = y.a) = (mlmeta_internal.artifact_cmp(x.a, y.a) = 0)
		AND (x.a <> y.a) = (mlmeta_internal.artifact_cmp(x.a, y.a) <> 0)
		AND (x.a < y.a) = (mlmeta_internal.artifact_cmp(x.a, y.a) < 0)
		AND (x.a <= y.a) = (mlmeta_internal.artifact_cmp(x.a, y.a) <= 0)
		AND (x.a > y.a) = (mlmeta_internal.artifact_cmp(x.a, y.a) > 0)
		AND (x.a >= y.a) = (mlmeta_internal.artifact_cmp(x.a, y.a) >= 0)) AS operators,
	bool_and(x.a <> y.a OR mlmeta_internal.artifact_hash(x.a) = mlmeta_internal.artifact_hash(y.a)) AS hash
FROM few AS x, few AS y;
SELECT count(*) AS violations
FROM (SELECT a FROM few ORDER BY a LIMIT 60) AS x,
	(SELECT a FROM few ORDER BY a DESC LIMIT 60) AS y,
	(SELECT a FROM few ORDER BY md5(a::text) LIMIT 60) AS z
WHERE (x.a < y.a AND y.a < z.a AND NOT x.a < z.a)
	OR (x.a > y.a AND y.a > z.a AND NOT x.a > z.a);
SELECT min(a) = (SELECT a FROM sample ORDER BY a LIMIT 1) AS min,
	max(a) = (SELECT a FROM sample ORDER BY a DESC LIMIT 1) AS max
FROM sample;

-- Containment: what the left one leaves open, the right one may have
SELECT a, b, a @> b AS contains, b <@ a AS contained,
	contains(a, b) AND is_version_of(b, a) AS functions
FROM (VALUES
	('m:a', 'm:a'), ('m:a', 'm:a:v1'), ('m:a:v1', 'm:a'),
	('m:a:v1', 'm:a:v1@sha256:' || repeat('00', 32)),
	('m:a', 'm:a:v1@sha256:' || repeat('00', 32)),
	('m:a@sha256:' || repeat('00', 32), 'm:a:v1@sha256:' || repeat('00', 32)),
	('m:a@sha256:' || repeat('01', 32), 'm:a:v1@sha256:' || repeat('00', 32)),
	('m:a:1', 'm:a:01'), ('m:a', 'd:a'), ('m:a', 'm:ab'), ('m:ab', 'm:a'))
	AS pair (x, y) CROSS JOIN LATERAL (SELECT x::artifact AS a, y::artifact AS b)
	AS typed;

-- Indexes, grouping, joins
ANALYZE sample;
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
CREATE INDEX by_btree ON sample USING btree (a);
SELECT pg_temp.index_of($$SELECT * FROM sample WHERE a < 'm:b'$$);
SELECT (SELECT count(*) FROM sample WHERE a < 'm:b')
	= (SELECT count(*) FROM sample WHERE mlmeta_internal.artifact_lt(a, 'm:b')) AS same;

-- All versions of something are next to each other in the index
INSERT INTO sample (a) SELECT a::artifact FROM unnest(ARRAY['m:ab', 'm:ab:v1',
	'm:ab:v10', 'm:ab:v1@sha256:' || repeat('00', 32), 'm:ab%01', 'm:abc:v1',
	'm:ab%01:v1', 'n:ab', 'm:AB', 'm:a%C2%80', 'm:ab/v1']) AS a;
SELECT pg_temp.index_of(format('SELECT * FROM sample WHERE %s', clause)),
	clause
FROM unnest(ARRAY[$$a <@ 'm:ab'$$, $$artifact 'm:ab' @> a$$,
	$$is_version_of(a, 'm:ab')$$, $$contains('m:ab', a)$$,
	$$a @> 'm:ab'$$, $$a <@ any_version(a)$$]) AS clause;
SELECT a FROM sample WHERE a <@ 'm:ab' ORDER BY a;
SELECT a FROM sample WHERE a <@ 'm:ab:v1' ORDER BY a;
SELECT a FROM sample WHERE artifact 'm:ab:v1' @> a ORDER BY a;
SELECT count(*) > 0 AS found,
	count(*) FILTER (WHERE by_index <> by_scan) AS differences
FROM (SELECT (SELECT count(*) FROM sample AS s WHERE s.a <@ r.a) AS by_index,
		(SELECT count(*) FROM sample AS s WHERE (s.a <@ r.a) IS TRUE) AS by_scan
	FROM (SELECT a FROM sample WHERE i % 500 = 0 UNION ALL
		SELECT any_version(a) FROM sample WHERE i % 500 = 0 UNION ALL
		SELECT artifact(kind(a), name(a), version(a)) FROM sample
		WHERE i % 500 = 0) AS r) AS answers;
SELECT a < mlmeta_internal.artifact_successor(a) AS below,
	mlmeta_internal.artifact_successor(a) < artifact('m', repeat('n', 1023) || 'o') AS above
FROM (SELECT artifact('m', repeat('n', 1024), 'v') AS a) AS longest;
DROP INDEX by_btree;
CREATE INDEX by_hash ON sample USING hash (a);
SELECT pg_temp.index_of($$SELECT * FROM sample WHERE a = 'm:b'$$);
SELECT count(*) FROM sample
WHERE a = (SELECT a FROM sample ORDER BY i LIMIT 1);
RESET enable_seqscan;
SELECT (SELECT count(DISTINCT a) FROM sample)
	= (SELECT count(*) FROM (SELECT a FROM sample GROUP BY a) AS g) AS grouped,
	(SELECT count(DISTINCT a) FROM sample)
	= (SELECT count(DISTINCT a::text) FROM sample) AS as_text;

-- NULL in, NULL out
SELECT kind(NULL::artifact) AS kind, any_version(NULL) AS any_version,
	NULL::artifact @> 'm:a' AS contains;
