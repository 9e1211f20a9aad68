-- Packed metric series: bit for bit, small, and nothing forged gets through.

SET search_path = public, mlmeta;
SET TimeZone = 'UTC';

-- The points as they went in
SELECT * FROM unpack_series(pack_series(
	ARRAY[10, 20, 20, 5], ARRAY['2024-01-01 00:00', '2024-01-01 00:00:01.5',
		'infinity', '-infinity']::timestamptz[],
	ARRAY[0.5, '-0', 'NaN', '-Infinity']::float8[]));
SELECT step, value FROM unpack_series(pack_series('{}', '{}', '{}'));
SELECT unpack_series(NULL), pack_series(NULL, '{}', '{}') IS NULL AS strict;
-- what is written today
SELECT pack_series(ARRAY[1, 2, 3], ARRAY['2024-01-01', '2024-01-02', '2024-01-03']::timestamptz[],
	ARRAY[0.25, 0.5, 0.125]) AS decimals, pack_series('{}', '{}', '{}') AS empty;
CREATE TABLE crc_table AS
WITH RECURSIVE steps (byte, crc, bit) AS (
	SELECT byte, byte::bigint, 0 FROM generate_series(0, 255) AS byte
	UNION ALL
	SELECT byte, (crc >> 1) # (crc & 1) * x'82f63b78'::bigint, bit + 1 FROM steps WHERE bit < 8
)
SELECT array_agg(crc ORDER BY byte) AS entries FROM steps WHERE bit = 8;
CREATE FUNCTION crc32c_of(data bytea) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
	crc bigint := x'ffffffff'::bigint;
	entries bigint[] := (SELECT t.entries FROM crc_table AS t);
BEGIN
	FOR i IN 0..length(data) - 1 LOOP
		crc := (crc >> 8) # entries[1 + ((crc # get_byte(data, i)) & 255)::int];
	END LOOP;
	RETURN crc # x'ffffffff'::bigint;
END
$$;
-- check value of the catalogue of parametrised CRC algorithms, CRC-32/ISCSI
SELECT to_hex(crc32c_of('123456789'));
CREATE FUNCTION sealed(data bytea) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE
	crc bigint := crc32c_of(data);
BEGIN
	FOR i IN 0..3 LOOP
		data := data || set_byte('\x00', 0, ((crc >> 8 * i) & 255)::int);
	END LOOP;
	RETURN data;
END
$$;
-- written by hand after doc/storage-format.md: version 1, 3 points; steps from 1
-- by 1, exact; times from 0 by 0, exact; values: decimals of 2 digits without
-- exceptions, from 25, last value + 0, a packed block of 6 bits from -37
SELECT * FROM unpack_series(sealed('\x01 03  05 02 02  05 00 00  01 02 00  01 32 00  06 49 3e00'));
-- golden series, one for each mode, and the MD5 of the points they hold: every
-- later version reads them (made by version 1 of the format)
CREATE TABLE golden (mode text, packed bytea, points text);
INSERT INTO golden VALUES
	('float4', '\x0128060202018289c4cfbab5d80280897a0305ce0ad159213a2b446785e8ac109d550040405addf5102151d6c30ae511548b
		c06a6f130a00228b281b461e0e160ed534e2464bfe83b32c00a273adc994fc86e4e28a27e91e0e1998e161c62371d06098a8
		d1a808b8b5da3a11aa421078e59888a44a6af2e9ac37ab8f111618fe0592e1e46244c3627c8b2507aa60ad2d0ef980c7e424
		6ee97077179fe062056c31b01fa602',
		'aa203524522b9fc96b6de2937bf5ba79'),
	('float4, signs apart', '\x0128060202018289c4cfbab5d80280897a0305ce0ad159213a2b446785e8ac109d550140555555553500ddfb1bffa0f01a81
		0a5b06d5e23a7b2e67155439cb699c353041fe5ccf3fbe27402ca0f84244e4f9957258656253f0f6490b8b2721d8237ef227
		1101f801008072436c8b77ed9d262687e2498f3d6ed76b7d2a36a0b46d23c118c9661ed748a9ddc5e3ecfe79aa38f2ce64bf
		265df3499e946e060273bac849',
		'098ae4cbe12cdbb1dc716051bc0c2d53'),
	('float8', '\x0128060202018289c4cfbab5d80280897a0305ce0ad159213a2b446785e8ac109d752080317279f3b9f737feaf31b8b094d1
		35220e1fb25f5ecba0fa939a168beb6cdb5a4c4397b38eeb7667419593a0527b96d338c47299660d4c387b6cf3f1e7bad713
		c3ce3fbe8504a0010588852cafed80e24b0598161c22f2f47594c65f29473a9cf1afca4482414edb14bc457172ce4f5a582d
		9911912721e4e9ab0c7bc4cfb3aa9cc39f4468954f8200fc000000000000a8c9c651e486d85e237907e35d3bcfa75cf03431
		28bd593e87e281af8d9be8b187668c38b85dafb527faac3e15bb6bca4b054adbfdf94fe2468291e7bac046b219317008ecb8
		46c243a163a9ddd5ff6186799c5de7e94e01e8a93ecb6a2e1c79477d994d4bf66b9ac7e128bae6a3370be49327a5264b487c
		331033ca3ef1',
		'11cc207d1aab4077a3575066c9844076'),
	('float8, signs apart', '\x0128060202018289c4cfbab5d80280897a0305ce0ad159213a2b446785e8ac109d7541555555553580317279f3b9f737feaf
		31b8b094d135220e1fb25f5ecba0fa939a168beb6cdb5a4c4397b38eeb7667419593a0527b96d338c47299660d4c387b6cf3
		f1e7bad713c3ce3fbe8504a0010588852cafed80e24b0598161c22f2f47594c65f29473a9cf1afca4482414edb14bc457172
		ce4f5a582d9911912721e4e9ab0c7bc4cfb3aa9cc39f4468954f8200fc000000000000a8c9c651e486d85e237907e35d3bcf
		a75cf0343128bd593e87e281af8d9be8b187668c38b85dafb527faac3e15bb6bca4b054adbfdf94fe2468291e7bac046b219
		317008ecb846c243a163a9ddd5ff6186799c5de7e94e01e8a93ecb6a2e1c79477d994d4bf66b9ac7e128bae6a3370be49327
		a5264b487c33106d9d2840',
		'8a55618ff173d6f07c54dda0dbfca198'),
	('dictionary', '\x0128060202018289c4cfbab5d80280897a0305ce0ad159213a2b446785e8ac109d9560400140bfdbb65f787cf2b4c2600f00
		00000000000016735711615ed9d40001018182799ee7799ee7799ee719f31149fe',
		'fe8166469195cdaaaabfbb4bf3fa46c2'),
	('exceptions', '\x0128060202018289c4cfbab5d80280897a0305ce0ad159213a2b446785e8ac109d354040c000000000000000ff2fa0aaaaaa
		aaaaaafa2740400008b40600000000e1fbf180',
		'3563c722982a4ca3ab72e5fcb49f8e52'),
	('raw', '\x0128060202018289c4cfbab5d80280897a0305ce0ad159213a2b446785e8ac109d15c09d21e191aa5dc7c488365add1ea391
		71abdab60d074226c6d583bb3bf706f5622613bc3ef0d58f17581456313e3c560441a14d18c1a02261ef1905541af5bd35f2
		85c1c6044c8542ea69bede132d20677dd2c56efdffebb3b4ecfa5e7325b4c0a0381089805c4da5c88b4fc661f619125dd839
		0ee599b2061fe40b41a04d7a630551889578d847d0c46302cd0201e1e499b01ea5e565a6019ca7ab1edba645b6fd1a7641bc
		580f833ed7ed5314449c47a08f049a876273f4812223ef4f9f3da113d063de1c1ed275b064581fdc0ca11246b71c3654d33b
		c79aa268a7d02a02f43cd914a48fa7ceb00792e38fbef36925901fc816783b31d2ac4c2832a934cc16472c08e5e8ff9723b4
		0f07dac71d60107d991109eb6cf994389c31e094f7c5e121fd11a9fb925eb653f3487df65e2653dd80802deddac307e04fc0
		f1fefa8c14b3ea421b',
		'd5628ef8384aae684165b305d486a64a');
SELECT mode, md5(string_agg(int8send(step) || timestamptz_send(at) || float8send(value), ''::bytea ORDER BY o)) = points AS same
FROM golden, unpack_series(packed) WITH ORDINALITY AS u (step, at, value, o) GROUP BY mode, points ORDER BY mode;
-- behind the same steps and times, in the middle of a byte
SELECT mode, (get_byte(packed, 33) >> 5) + 8 * (get_byte(packed, 34) & 1) AS code FROM golden ORDER BY mode;
DROP TABLE golden;

-- Bits that SQL cannot write: NaNs of all payloads, denormals
CREATE FUNCTION raw_series(bits bytea[]) RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT sealed('\x01'::bytea || set_byte('\x00', 0, cardinality(bits))
		|| '\x0502020500' || '\x00' || '\x00'
		|| string_agg(substr(b, 8, 1) || substr(b, 7, 1) || substr(b, 6, 1) || substr(b, 5, 1)
			|| substr(b, 4, 1) || substr(b, 3, 1) || substr(b, 2, 1) || substr(b, 1, 1), ''::bytea ORDER BY i))
	FROM unnest(bits) WITH ORDINALITY AS u (b, i)
$$;
CREATE FUNCTION bits_of(packed bytea) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(encode(float8send(v), 'hex') ORDER BY i)
	FROM unnest(series_points(packed)) WITH ORDINALITY AS u (v, i)
$$;
CREATE TABLE odd (bits bytea[]);
INSERT INTO odd VALUES
	('{"\\x7ff8000000000000","\\x7ff0000000000001","\\xfff8000000000001","\\x7fffffffffffffff","\\xffffffffffffffff"}'),
	('{"\\x0000000000000000","\\x8000000000000000","\\x0000000000000001","\\x8000000000000001","\\x000fffffffffffff"}'),
	('{"\\x7fefffffffffffff","\\xffefffffffffffff","\\x7ff0000000000000","\\xfff0000000000000","\\x0010000000000000"}'),
	('{"\\x7ff8000000000000","\\x7ff0000020000000","\\x7ff4000020000000","\\xfff8000000000000","\\x3ff0000000000000"}'),
	('{"\\x36a0000000000000","\\xb6a0000000000000","\\x3690000000000000","\\x47efffffe0000000","\\x47effffff0000000"}'),
	('{"\\x0000000000000000","\\x8000000000000000"}'), ('{"\\x8000000000000000"}'), ('{"\\x7ff0000000000001"}');
-- alone, and as the exceptions among decimals and among floats of four bytes
SELECT bool_and(bits_of(pack_series(array_fill(1, ARRAY[n]), array_fill('2000-01-01'::timestamptz, ARRAY[n]),
		series_points(raw))) = bits_of(raw)) AS alone,
	bool_and(bits_of(pack_series(array_fill(1, ARRAY[n + 200]), array_fill('2000-01-01'::timestamptz, ARRAY[n + 200]),
		decimals[:100] || series_points(raw) || decimals[101:]))
		= bits_of(pack_series(array_fill(1, ARRAY[100]), array_fill('2000-01-01'::timestamptz, ARRAY[100]), decimals[:100]))
			|| bits_of(raw)
			|| bits_of(pack_series(array_fill(1, ARRAY[100]), array_fill('2000-01-01'::timestamptz, ARRAY[100]), decimals[101:])))
		AS exceptions
FROM (SELECT raw_series(bits) AS raw, cardinality(bits) AS n FROM odd) AS o,
	(SELECT array_agg(i * i / 100.0::float8) AS decimals FROM generate_series(1, 200) AS i
	UNION ALL SELECT array_agg((i * i / 97.0)::float4::float8) FROM generate_series(1, 200) AS i) AS d;

-- Data of many kinds. The generator is part of the test: the same numbers in
-- every version, u and v uniform on (0, 1), g normal, walk a sum of normals.
CREATE TABLE noise AS
SELECT i, u, v, g, g2, sum(g2) OVER (ORDER BY i) AS walk
FROM (
	SELECT i, u, v, sqrt(-2 * ln(u)) * cos(2 * pi() * v) AS g, sqrt(-2 * ln(u)) * sin(2 * pi() * v) AS g2
	FROM (
		SELECT i::bigint, (('x' || substr(md5('u' || i), 1, 13))::bit(52)::bigint + 0.5) / 2 ^ 52 AS u,
			(('x' || substr(md5('v' || i), 1, 13))::bit(52)::bigint + 0.5) / 2 ^ 52 AS v
		FROM generate_series(1, 5000) AS i
	) AS uniform
) AS normal;
CREATE TABLE times (name text PRIMARY KEY, bytes numeric, formula text);
INSERT INTO times VALUES
	('constant', 0.05, '0'),
	('every 250 ms', 0.05, 'i * 250000'),
	('and 1 ms of jitter', 1.6, 'i * 250000 + round(1000 * g2)'),
	('late by up to 200 us', 1.1, 'i * 1000000 + floor(200 * v)'),
	('clock in ms', 0.8, 'i * 250000 + 1000 * round(5 * walk)'),
	('durations of 1 s +- 10 ms', 2.1, 'i * 1000000 + round(10000 * walk)'),
	('pauses of an hour', 1.7, 'i * 250000 + round(1000 * g2) + i / 500 * 3600000000');
CREATE TABLE kinds (name text PRIMARY KEY, bytes numeric, formula text);
INSERT INTO kinds VALUES
	('constant', 0.05, '0.001'),
	('the step', 0.05, 'i'),
	('noisy integers', 1.4, 'floor(1000 * u)'),
	('four decimals, loss', 1.7, 'round((2 * exp(-i / 1000.0) + 0.05 * g)::numeric, 4)'),
	('four decimals, walk', 1.3, 'round((50 + walk / 100)::numeric, 4)'),
	('four decimals, uniform', 1.9, 'round(u::numeric, 4)'),
	('four decimals and NaN', 1.4, 'CASE WHEN i % 100 = 7 THEN ''NaN'' ELSE round((50 + walk / 100)::numeric, 4) END'),
	('accuracy on 96', 0.8, 'round(96 * (0.8 + 0.05 * g)) / 96'),
	('accuracy on 96, float4', 0.8, '(round(96 * (0.8 + 0.05 * g)) / 96)::float4'),
	('float4, loss', 3.2, '(2 * exp(-i / 1000.0) + 0.05 * g)::float4'),
	('float4, normal', 3.6, 'g::float4'),
	('float4, uniform', 3.4, 'u::float4'),
	('float4, any exponent', 4.1, '(exp(20 * g) * sign(v - 0.5))::float4'),
	('mean of 32 float4', 5.5, '(g::float4::float8 + g2::float4::float8 + u::float4::float8) / 32'),
	('step decay', 0.4, '0.1 * 0.97 ^ (i / 50)'),
	('cosine decay', 5.2, '0.0005 * (1 + cos(pi() * i / 1000))'),
	('float8, loss', 6.8, '2 * exp(-i / 1000.0) + 0.05 * g'),
	('float8, uniform', 6.9, 'u'),
	('float8, normal', 7.2, 'g'),
	('float8, any exponent', 8.05, 'exp(100 * g) * sign(v - 0.5)'),
	('any bits', 8.05, '(''x'' || substr(md5(i::text), 1, 3))::bit(12)::int * 2.0::float8 ^ ((''x'' || substr(md5(''e'' || i), 1, 2))::bit(8)::int - 1000) * u');
CREATE FUNCTION packing(times text, points text, n int) RETURNS TABLE (packed bytea, identical boolean)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format(
		'SELECT p, series_steps(p) = s AND series_times(p) = t AND array_send(series_points(p)) = array_send(v)
			AND series_count(p) = cardinality(s)
		FROM (SELECT pack_series(s, t, v) AS p, s, t, v
			FROM (SELECT array_agg(i::bigint ORDER BY i) AS s,
				array_agg(''2024-01-01 UTC''::timestamptz + interval ''1 us'' * (%s) ORDER BY i) AS t,
				array_agg((%s)::float8 ORDER BY i) AS v FROM noise WHERE i <= $1) AS a OFFSET 0) AS b', times, points)
	USING n;
END
$$;
-- bytes a point, with the steps and without the times
SELECT name, identical, length(packed) / 5000.0 <= bytes AS small,
	CASE WHEN length(packed) / 5000.0 > bytes THEN round(length(packed) / 5000.0, 2) END AS too_large
FROM kinds, packing('0', formula, 5000) ORDER BY bytes, name;
SELECT name, identical, length(packed) / 5000.0 <= bytes AS small,
	CASE WHEN length(packed) / 5000.0 > bytes THEN round(length(packed) / 5000.0, 2) END AS too_large
FROM times, packing(formula, '0', 5000) ORDER BY bytes, name;
-- float4 and four decimals: at most eight bytes a point, whatever the clock;
-- nothing is ever larger than its values, times and steps as they are
SELECT bool_and(identical) AS identical,
	max(length(packed)) FILTER (WHERE k.name ~ 'float4,|four decimals') < 8 * 5000 AS within_8,
	max(length(packed)) FILTER (WHERE t.bytes < 0.1) < 8 * 5000 * 1.05 AS within_raw_values,
	max(length(packed)) < 24 * 5000 AS within_raw
FROM kinds AS k, times AS t, packing(t.formula, k.formula, 5000);
-- short series, around the sizes of blocks
SELECT bool_and(identical) AS identical, count(*),
	max(length(packed) - 24 * n) <= 16 AS little_more_than_raw
FROM kinds AS k, (VALUES (1), (2), (3), (4), (7), (8), (15), (16), (17), (63), (64), (65), (66), (127), (128),
	(129), (130), (1000)) AS s (n), packing('i * 250000 + round(1000 * g2)', k.formula, n);

-- Extremes of steps and times, any order
SELECT bool_and(series_steps(p) = s AND series_times(p) = t) AS identical
FROM (SELECT pack_series(s, t, array_fill(0, ARRAY[cardinality(s)])) AS p, s, t
	FROM (VALUES
		('{9223372036854775807,-9223372036854775808}'::bigint[], '{infinity,-infinity}'::timestamptz[]),
		('{-9223372036854775808,9223372036854775807,0}', '{-infinity,infinity,2000-01-01}'),
		('{0,9223372036854775807,-9223372036854775808,-1}', '{4714-11-24 00:00 BC,294276-12-31 23:59:59.999999,infinity,-infinity}'),
		('{-9223372036854775808,0}', '{2000-01-01,1999-12-31}'),
		('{5,4,3,2,1,1,1}', '{2000-01-07,2000-01-06,2000-01-05,2000-01-04,2000-01-03,2000-01-02,2000-01-01}')
	) AS v (s, t) OFFSET 0) AS q;
SELECT bool_and(series_steps(p) = s) AS identical
FROM (SELECT pack_series(s, array_fill('2000-01-01'::timestamptz, ARRAY[n]), array_fill(0, ARRAY[n])) AS p, s
	FROM (SELECT seed, n, array_agg(('x' || md5(seed || ' ' || i))::bit(64)::bigint >> seed) AS s
		FROM generate_series(0, 63) AS seed, (VALUES (2), (5), (100), (300)) AS l (n), generate_series(1, n) AS i
		GROUP BY seed, n) AS a OFFSET 0) AS q;

-- The largest, and bounds
SELECT length(p) < 200 AS tiny, series_count(p), (SELECT sum(value) FROM unpack_series(p))
FROM (SELECT pack_series(array_agg(i), array_agg('2000-01-01'::timestamptz + i * interval '1 s'), array_agg(i % 1))
	FROM generate_series(1::bigint, 1048576) AS i) AS q (p);
SELECT pack_series(array_fill(1, ARRAY[1048577]), array_fill('2000-01-01'::timestamptz, ARRAY[1048577]),
	array_fill(1, ARRAY[1048577]));
SELECT * FROM series_bounds(pack_series(ARRAY[10, 30, 20],
	ARRAY['2024-01-03', '2024-01-01', '2024-01-02']::timestamptz[], ARRAY[1.5, 'NaN', -3]));
SELECT * FROM series_bounds(pack_series(ARRAY[10], ARRAY['2024-01-03']::timestamptz[], ARRAY['NaN'::float8]));
SELECT * FROM series_bounds(pack_series('{}', '{}', '{}'));

-- Errors
SELECT pack_series(ARRAY[1, 2], ARRAY['2024-01-01']::timestamptz[], ARRAY[1, 2]);
SELECT pack_series(ARRAY[1], ARRAY['2024-01-01']::timestamptz[], ARRAY[NULL]::float8[]);
SELECT pack_series(ARRAY[[1]], ARRAY['2024-01-01']::timestamptz[], ARRAY[1]);
SELECT unpack_series('');
SELECT series_count('\x02000000000000');
SELECT series_points(substr(pack_series('{}', '{}', '{}'), 2));
SELECT series_points(sealed('\x01ffffff7f'));
SELECT series_points(sealed('\x01ffffffffffffffffffff'));
SELECT series_points(sealed('\x0100 00'));
SELECT series_points(sealed('\x0101 050200 050000 01 17 00 050000'));
SELECT series_points(sealed('\x0101 050200 050000 01 00 02'));
SELECT series_points(sealed('\x0101 050200 050000 04 01 050000 050200'));
SELECT series_points(sealed('\x0101 050200 050000 02 00 05808080802000'));
SELECT series_points(sealed('\x0101 050200 050000 05'));
SELECT series_points(sealed('\x0101 050200 05fcffffffffffffffff0100 00 0000000000000000'));
SELECT series_points(sealed('\x0102 03 0200'));

-- Every change of a byte is noticed by the checksum
CREATE FUNCTION outcome(packed bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	SELECT count(*) INTO n FROM unpack_series(packed);
	RETURN CASE WHEN n <= 1048576 THEN 'points' ELSE 'too many points' END;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE TABLE samples AS
SELECT packed FROM kinds AS k, packing('i * 250000 + round(1000 * g2)', k.formula, 40);
SELECT outcome(set_byte(packed, at, get_byte(packed, at) # 16)), count(*) > 1000 AS many
FROM samples, generate_series(0, length(packed) - 1) AS at GROUP BY 1;
SELECT outcome(substr(packed, 1, at)), count(*) > 1000 AS many
FROM samples, generate_series(0, length(packed) - 1) AS at GROUP BY 1;
-- and with a checksum that fits, nothing worse than other points comes out
SELECT DISTINCT outcome(sealed(set_byte(body, at, get_byte(body, at) # mask)))
FROM (SELECT substr(packed, 1, length(packed) - 4) AS body FROM samples) AS s,
	generate_series(0, 24) AS at, (VALUES (1), (4), (16), (64), (128), (255)) AS m (mask)
ORDER BY 1;
SELECT DISTINCT outcome(sealed(substr(packed, 1, at))) FROM samples, generate_series(1, length(packed) - 5, 3) AS at;
SELECT DISTINCT outcome(sealed('\x01'::bytea || set_byte('\x00', 0, i % 100) || sha256(i::text::bytea)))
FROM generate_series(1, 1000) AS i ORDER BY 1;

DROP TABLE crc_table, odd, noise, times, kinds, samples;
DROP FUNCTION crc32c_of, sealed, raw_series, bits_of, packing, outcome;
