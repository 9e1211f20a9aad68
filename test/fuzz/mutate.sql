-- A mutation fuzzer over the text and binary input of every base type of
-- mlmeta, and over the functions of what gets through.
--
--	psql -v rounds=150 -v seed=0.25 -f test/fuzz/mutate.sql
--
-- Run it as a superuser in a scratch database with the extension: it writes a
-- file into the data directory. Each value of fuzz.seed is varied :rounds times
-- as text and as many times as bytes. Outcomes are counted in fuzz.outcome; a
-- value that is accepted must survive its own text and binary form, and then
-- is given to every function that takes one or two of its type.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET statement_timeout = '10min';

CREATE SCHEMA fuzz;
\ir seeds.sql

CREATE TABLE fuzz.outcome (
	type regtype NOT NULL,
	entrance text NOT NULL,
	sqlstate text NOT NULL,
	n bigint NOT NULL,
	example text NOT NULL,
	message text NOT NULL,
	PRIMARY KEY (type, entrance, sqlstate)
);

CREATE FUNCTION fuzz.note(type regtype, entrance text, sqlstate text,
	example text, message text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO fuzz.outcome
	VALUES (type, entrance, sqlstate, 1, left(example, 2000), message)
	ON CONFLICT ON CONSTRAINT outcome_pkey DO UPDATE
	SET n = outcome.n + 1;
END;

-- A whole number from 0 to n - 1
CREATE FUNCTION fuzz.below(n int) RETURNS int
LANGUAGE sql VOLATILE
RETURN least(floor(random() * greatest(n, 1))::int, greatest(n, 1) - 1);

CREATE FUNCTION fuzz.mutate(value text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	tokens text[] := ARRAY['', ' ', '"', '{', '}', '[', ']', ':', ',', '-', '%',
		'@', '\', '\u0000', '\ud800', '%00', '%FF', '0', '1', '-1', '1e400',
		'1e-400', '255', '4294967296', '9223372036854775807',
		'9223372036854775808', '-9223372036854775808', 'null', 'true', 'NaN',
		'"NaN"', '"Infinity"', '"-Infinity"', '1.7976931348623157e308', 'é', '€',
		'😀', E'\t', E'\x01', E'\x7f', '[]', '{}', '""', 'run_', 'sha256:', '01'];
	size int;
	first int;
	width int;
	numbers int;
BEGIN
	FOR round IN 1 .. greatest(fuzz.below(4), 1) LOOP
		size := length(value);
		first := 1 + fuzz.below(size);
		width := 1 + fuzz.below(CASE WHEN random() < 0.7 THEN 3 ELSE size END);
		CASE fuzz.below(10)
		WHEN 0 THEN
			value := overlay(value PLACING '' FROM first FOR width);
		WHEN 1 THEN
			value := overlay(value PLACING substr(value, first, width)
				FROM 1 + fuzz.below(size) FOR 0);
		WHEN 2 THEN
			value := overlay(value PLACING
				tokens[1 + fuzz.below(cardinality(tokens))] FROM first FOR 1);
		WHEN 3 THEN
			value := overlay(value PLACING
				tokens[1 + fuzz.below(cardinality(tokens))] FROM first FOR 0);
		WHEN 4 THEN
			value := left(value, first);
		ELSE
			-- another number: what is most often accepted, and most often odd
			numbers := regexp_count(value, '-?\d+(\.\d+)?(e-?\d+)?');
			IF numbers > 0 THEN
				value := regexp_replace(value, '-?\d+(\.\d+)?(e-?\d+)?',
					(ARRAY['0', '1', '2', '3', '7', '-1', '0.5', '100', '1e300',
						'-1e300', '5e-324', '4611686018427387904',
						'9007199254740993', '"NaN"', '"Infinity"'])
						[1 + fuzz.below(15)], 1, 1 + fuzz.below(numbers));
			END IF;
		END CASE;
	END LOOP;
	RETURN value;
END
$$;

CREATE FUNCTION fuzz.mutate(value bytea) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	tokens bytea[] := ARRAY['\x00', '\x01', '\x02', '\x7f', '\x80', '\xff',
		'\x8000', '\xffffffff', '\x7fffffff', '\xffffffff0f',
		'\xffffffffffffffff7f', '\xffffffffffffffffff01',
		'\xffffffffffffffffffff', '\x7ff0000000000000', '\xfff0000000000000',
		'\x7ff8000000000000', '\x8000000000000000', '\x3ff0000000000000'];
	size int;
	first int;
	width int;
	token bytea;
BEGIN
	FOR round IN 1 .. greatest(fuzz.below(4), 1) LOOP
		size := length(value);
		first := 1 + fuzz.below(size);
		width := 1 + fuzz.below(CASE WHEN random() < 0.7 THEN 4 ELSE size END);
		token := tokens[1 + fuzz.below(cardinality(tokens))];
		CASE fuzz.below(6)
		WHEN 0 THEN
			IF size > 0 THEN
				value := set_bit(value, fuzz.below(8 * size)::bigint,
					fuzz.below(2));
			END IF;
		WHEN 1 THEN
			value := overlay(value PLACING token FROM first FOR length(token));
		WHEN 2 THEN
			value := overlay(value PLACING token FROM first FOR 0);
		WHEN 3 THEN
			value := overlay(value PLACING '' FROM first FOR width);
		WHEN 4 THEN
			value := overlay(value PLACING substr(value, first, width)
				FROM 1 + fuzz.below(size) FOR 0);
		ELSE
			value := substr(value, 1, first - 1);
		END CASE;
	END LOOP;
	RETURN value;
END
$$;

-- The functions in C to which accepted values go: f(v) and f(v, v), other
-- arguments having defaults; also aggregates.
CREATE TABLE fuzz.call AS
SELECT p.proargtypes[0]::regtype AS type, p.oid::regprocedure AS function,
	format(CASE WHEN n = 1 THEN 'SELECT count(*) FROM %s.%s(%%1$L::%s)'
		ELSE 'SELECT count(*) FROM %s.%s(%%1$L::%s, %%1$L::%3$s)' END,
		p.pronamespace::regnamespace, quote_ident(p.proname),
		p.proargtypes[0]::regtype) AS statement
FROM pg_proc AS p, LATERAL (SELECT p.pronargs - p.pronargdefaults AS n) AS required
WHERE p.pronamespace = 'mlmeta'::regnamespace AND p.prokind = 'f'
	AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
	AND (n = 1 OR n = 2 AND p.proargtypes[1] = p.proargtypes[0])
UNION ALL
SELECT p.proargtypes[0]::regtype, p.oid::regprocedure,
	format('SELECT %s.%s(v) FROM (VALUES (%%1$L::%s), (%%1$L)) AS v (v)',
		p.pronamespace::regnamespace, quote_ident(p.proname),
		p.proargtypes[0]::regtype)
FROM pg_proc AS p
WHERE p.pronamespace = 'mlmeta'::regnamespace AND p.prokind = 'a'
	AND p.pronargs = 1;

-- What must hold of an accepted value, given as its text
CREATE FUNCTION fuzz.try_value(type regtype, value text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	statement text;
	again text;
BEGIN
	EXECUTE format('SELECT %L::%s::text', value, type) INTO again;
	IF again IS DISTINCT FROM value THEN
		PERFORM fuzz.note(type, 'text output', 'differs', value, again);
	END IF;
	FOR statement IN SELECT c.statement FROM fuzz.call AS c
		WHERE c.type = try_value.type
	LOOP
		BEGIN
			EXECUTE format(statement, value);
		EXCEPTION WHEN OTHERS THEN
			PERFORM fuzz.note(type, 'functions', SQLSTATE,
				format(statement, value), SQLERRM);
		END;
	END LOOP;
END
$$;

-- Soft errors, from 16 on: input that is asked whether a text is valid raises
-- nothing that is about the text, and agrees with input that raises.
CREATE FUNCTION fuzz.try_soft(type regtype, value text, accepted boolean)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	valid boolean;
BEGIN
	EXECUTE format('SELECT pg_input_is_valid(%L, %L)', value, type) INTO valid;
	IF valid <> accepted THEN
		PERFORM fuzz.note(type, 'soft errors', 'differs', value,
			'valid: ' || valid);
	END IF;
EXCEPTION WHEN OTHERS THEN
	PERFORM fuzz.note(type, 'soft errors', SQLSTATE, value, SQLERRM);
END
$$;

CREATE FUNCTION fuzz.try_text(type regtype, value text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	canonical text;
	soft constant boolean := to_regproc('pg_input_is_valid') IS NOT NULL;
BEGIN
	BEGIN
		EXECUTE format('SELECT %L::%s::text', value, type) INTO canonical;
	EXCEPTION WHEN OTHERS THEN
		PERFORM fuzz.note(type, 'text input', SQLSTATE, value, SQLERRM);
		IF soft THEN
			PERFORM fuzz.try_soft(type, value, false);
		END IF;
		RETURN;
	END;
	PERFORM fuzz.note(type, 'text input', 'accepted', value, '');
	IF soft THEN
		PERFORM fuzz.try_soft(type, value, true);
	END IF;
	PERFORM fuzz.try_value(type, canonical);
END
$$;

-- The server reads binary values from clients and from files: here a file with
-- one row of binary COPY.
CREATE FUNCTION fuzz.try_bytes(type regtype, value bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/fuzz.copy';
	large oid;
	canonical text;
	sent bytea;
BEGIN
	large := lo_from_bytea(0, '\x5047434f50590aff0d0a000000000000000000'::bytea
		|| int2send(1::int2) || int4send(length(value)) || value
		|| int2send((-1)::int2));
	PERFORM lo_export(large, file);
	PERFORM lo_unlink(large);
	EXECUTE format('CREATE TEMPORARY TABLE received (v %s)', type);
	BEGIN
		EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
		SELECT v::text INTO canonical FROM received;
	EXCEPTION WHEN OTHERS THEN
		PERFORM fuzz.note(type, 'binary input', SQLSTATE, value::text, SQLERRM);
		DROP TABLE received;
		RETURN;
	END;
	PERFORM fuzz.note(type, 'binary input', 'accepted', value::text, '');
	EXECUTE (SELECT format('SELECT %s(v) FROM received', typsend)
		FROM pg_type WHERE oid = type) INTO sent;
	DROP TABLE received;
	IF (SELECT s.sent FROM (SELECT fuzz.sent(type, canonical) AS sent) AS s)
		IS DISTINCT FROM sent
	THEN
		PERFORM fuzz.note(type, 'binary output', 'differs', value::text,
			sent::text);
	END IF;
	PERFORM fuzz.try_value(type, canonical);
END
$$;

-- The binary form of a value given as text
CREATE FUNCTION fuzz.sent(type regtype, value text) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	result bytea;
BEGIN
	EXECUTE (SELECT format('SELECT %s(%L::%s)', typsend, value, type)
		FROM pg_type WHERE oid = type) INTO result;
	RETURN result;
END
$$;

-- As they are, the seeds must be accepted
SELECT fuzz.try_text(type, value), fuzz.try_bytes(type, fuzz.sent(type, value))
FROM fuzz.seed;

SELECT setseed(:seed);
-- One statement for each seed, so that none holds many subtransactions
SELECT format('SELECT count(fuzz.try_text(%L, fuzz.mutate(%L::text))),
		count(fuzz.try_bytes(%1$L, fuzz.mutate(fuzz.sent(%1$L, %2$L))))
	FROM generate_series(1, %s)', type, value, :rounds)
FROM fuzz.seed
ORDER BY type::text, value COLLATE "C"
\gexec
