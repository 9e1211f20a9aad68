-- Values from which test/fuzz/mutate.sql starts: for every base type of mlmeta
-- some texts that are varied. A new type needs a line here: the test says so.

CREATE TABLE fuzz.seed (type regtype NOT NULL, value text NOT NULL);

CREATE TABLE fuzz.rows AS
SELECT i, (i * 37 % 101) / 7.0::float8 AS x, i % 3 = 0 AS b,
	'key ' || (i * 7 % 13) AS t
FROM generate_series(1, 60) AS i;

INSERT INTO fuzz.seed
SELECT 'mlmeta.run', value
FROM unnest(ARRAY['run_01h455vb4pex5vsknk084sn02q',
	'01890a5d-ac96-774b-bcce-b302099a8057',
	'{01890a5dac96774bbcceb302099a8057}']) AS value;

INSERT INTO fuzz.seed
SELECT 'mlmeta.artifact', value
FROM unnest(ARRAY['model:churn/xgb:v12', 'dataset:caf%C3%A9%3A1',
	'm:a:v1@sha256:' || repeat('0123456789abcdef', 4)]) AS value;

INSERT INTO fuzz.seed
SELECT 'mlmeta.lineage', mlmeta.lineage(s, t)::text
FROM (VALUES (1, 'dataset:orders', 'run_01h455vb4pex5vsknk084sn02q'),
	(1, 'run_01h455vb4pex5vsknk084sn02q', 'model:churn:v1'),
	(1, 'model:churn:v1', md5('1')), (1, 'dataset:orders', md5('1')),
	(1, md5('1'), 'report:r@sha256:' || repeat('0123456789abcdef', 4)),
	(2, 'm:a', 'm:b'), (2, 'm:b', 'm:a'), (3, 'm:a', NULL)) AS edge (k, s, t)
GROUP BY k;

INSERT INTO fuzz.seed
SELECT 'mlmeta.fingerprint_state', mlmeta.fingerprint_part(r)::text
FROM fuzz.rows AS r;

INSERT INTO fuzz.seed
SELECT 'mlmeta.histogram', unnest(ARRAY[
	mlmeta.histogram(x, 5)::text,
	mlmeta.histogram(x, 0, 10, 4)::text,
	mlmeta.histogram(x, ARRAY[0, 1, 5, 10]::float8[])::text,
	mlmeta.histogram(CASE WHEN b THEN 0 WHEN i = 1 THEN 'NaN'
		WHEN i = 2 THEN 'Infinity' WHEN i <> 4 THEN x END, 6)::text,
	mlmeta.histogram(NULL, 3)::text])
FROM fuzz.rows;

INSERT INTO fuzz.seed
SELECT 'mlmeta.frequency_table', unnest(ARRAY[
	mlmeta.frequencies(t)::text, mlmeta.frequencies(t, 4)::text,
	mlmeta.frequencies(b)::text, mlmeta.frequencies(NULL::text)::text,
	mlmeta.frequencies(repeat(t, 20))::text])
FROM fuzz.rows;

-- A state that no function gives out: its aggregate without the last step
CREATE AGGREGATE fuzz.frequency_pair(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition, STYPE = mlmeta.frequency_pair
);
INSERT INTO fuzz.seed
SELECT 'mlmeta.frequency_pair', fuzz.frequency_pair(t, b)::text FROM fuzz.rows;

INSERT INTO fuzz.seed
SELECT 'mlmeta.classification', unnest(ARRAY[
	mlmeta.classification(b, x / 15)::text,
	mlmeta.classification(b, x / 15, 0.3, i)::text])
FROM fuzz.rows;

INSERT INTO fuzz.seed
SELECT 'mlmeta.regression', unnest(ARRAY[
	mlmeta.regression(x, x + i % 2)::text,
	mlmeta.regression(x, x + i % 2, i)::text])
FROM fuzz.rows;

INSERT INTO fuzz.seed
SELECT 'mlmeta.confusion_matrix', unnest(ARRAY[
	mlmeta.confusion(t, 'key ' || i % 13)::text,
	mlmeta.confusion(b::text, 'true', i)::text])
FROM fuzz.rows;

INSERT INTO fuzz.seed
SELECT 'mlmeta.profile', mlmeta.profile(r)::text FROM fuzz.rows AS r;
INSERT INTO fuzz.seed
SELECT 'mlmeta.profile', mlmeta.detach(mlmeta.profile(r, b.p))::text
FROM fuzz.rows AS r, (SELECT mlmeta.profile(w) AS p FROM fuzz.rows AS w) AS b;

INSERT INTO fuzz.seed
SELECT 'mlmeta.moment_matrix', unnest(ARRAY[
	mlmeta.moments(ARRAY[x, i, -x * i])::text,
	mlmeta.moments(ARRAY[CASE WHEN b THEN x END])::text,
	mlmeta.moments(NULL)::text])
FROM fuzz.rows;

-- One sample, and the state that holds two
CREATE AGGREGATE fuzz.embedding_pair(embedding float8[], is_current boolean) (
	SFUNC = mlmeta_internal.embedding_sketch_transition, STYPE = mlmeta.embedding_sketch
);
INSERT INTO fuzz.seed
SELECT 'mlmeta.embedding_sketch', unnest(ARRAY[
	mlmeta.embeddings(ARRAY[x, i], 'features=8')::text,
	fuzz.embedding_pair(ARRAY[x], b)::text,
	mlmeta.embeddings(NULL)::text])
FROM fuzz.rows;
