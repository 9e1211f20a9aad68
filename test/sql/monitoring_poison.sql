-- Things that happen to a source, drawn with a fixed seed, one a day: no check
-- fails, and what is not touched is judged each day. Forty days here; :days sets
-- how many, and 500 have been run.
\if :{?days}
\else
\set days 40
\endif
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
\set VERBOSITY terse
\set SHOW_CONTEXT never

CREATE FUNCTION draw(i bigint, coin bigint, sides integer) RETURNS integer LANGUAGE sql
RETURN ((hashint8extended(i, coin) & 1073741823) % sides)::integer;
CREATE TABLE odd (at timestamptz, safe float8, x float8, n int, c text, score float8, label boolean, part text);
CREATE INDEX ON odd (at);
CREATE FUNCTION day(d integer) RETURNS timestamptz LANGUAGE sql
RETURN timestamptz '2026-01-01' + d * interval '1 day';
-- Columns by name, as some of them may be gone.
CREATE FUNCTION fill(d integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE (SELECT format('INSERT INTO odd (%s) SELECT %s FROM generate_series(0, 59) AS i',
			string_agg(quote_ident(attname), ', ' ORDER BY attnum),
			string_agg(CASE attname
				WHEN 'at' THEN format('day(%s) + i * interval ''24 minutes''', d)
				WHEN 'c' THEN format('(''c'' || draw(i, 10 * %s + 3, 4))::text', d)
				WHEN 'part' THEN format('(''p'' || draw(i, 10 * %s + 4, 2))::text', d)
				WHEN 'label' THEN format('(draw(i, 10 * %s + 5, 2) = 1)::text::%s', d, format_type(atttypid, atttypmod))
				ELSE format('(draw(i, 10 * %s + %s, 1000) / %s)::%s', d, attnum % 10, CASE attname WHEN 'n' THEN '10' ELSE '1000.0' END,
					CASE WHEN atttypid = 'boolean'::regtype THEN 'int::boolean' ELSE format_type(atttypid, atttypmod) END)
				END, ', ' ORDER BY attnum))
		FROM pg_attribute WHERE attrelid = 'odd'::regclass AND attnum > 0 AND NOT attisdropped);
END
$$;
SELECT count(fill(d)) FROM generate_series(0, 19) AS d;
SELECT create_monitor('odd', 'odd', 'at', '1 day', label => 'label', score => 'score', segments => '{"part": "part"}', look_back => '2 days') > 0 AS made;
SELECT set_baseline('odd', day(0), day(20)) > 0 AS baseline;

CREATE TABLE outcomes (d integer, kind integer, did text, error text);
CREATE FUNCTION mutate(d integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	kind integer := draw(d, 1, 18);
	victim text := (ARRAY['x', 'n', 'c', 'score', 'label', 'part'])[1 + draw(d, 2, 6)];
	rows text := format('at >= day(%s) AND at < day(%s) AND extract(minute FROM at)::int %% 3 = %s', d, d + 1, draw(d, 3, 3));
	action text;
BEGIN
	action := CASE kind
		WHEN 0 THEN format('UPDATE odd SET %I = NULL WHERE %s', victim, rows)
		WHEN 1 THEN format('UPDATE odd SET score = ''NaN'' WHERE %s', rows)
		WHEN 2 THEN format('UPDATE odd SET x = ''Infinity'', score = 1e160 WHERE %s', rows)
		WHEN 3 THEN format('UPDATE odd SET x = -1.7e308 WHERE %s', rows)
		WHEN 4 THEN format('DELETE FROM odd WHERE at >= day(%s)', d)
		WHEN 5 THEN format('INSERT INTO odd SELECT * FROM odd WHERE %s', rows)
		WHEN 6 THEN format('ALTER TABLE odd RENAME %I TO %I', victim, victim || '_then')
		WHEN 7 THEN format('ALTER TABLE odd DROP %I', victim)
		WHEN 8 THEN format('ALTER TABLE odd ADD extra%s float8 DEFAULT 1', d)
		WHEN 9 THEN format('ALTER TABLE odd ALTER %I TYPE text', victim)
		WHEN 10 THEN format('UPDATE odd SET c = repeat(''é'', 2000) || extract(minute FROM at) WHERE %s', rows)
		WHEN 11 THEN format('UPDATE odd SET at = at + interval ''400 years'' WHERE %s', rows)
		WHEN 12 THEN format('UPDATE odd SET at = ''-infinity'' WHERE %s', rows)
		WHEN 13 THEN format('DELETE FROM odd WHERE at < day(%s)', d - 3)
		WHEN 14 THEN format('UPDATE odd SET part = ''p'' || extract(epoch FROM at) WHERE %s', rows)
		WHEN 15 THEN format('INSERT INTO odd SELECT o.* FROM odd AS o WHERE at >= day(%s) AND at < day(%s)', d - 2, d - 1)
		WHEN 16 THEN format('UPDATE odd SET score = score - 2 WHERE %s', rows)
		ELSE format('UPDATE odd SET n = 2147483647 WHERE %s', rows) END;
	BEGIN
		EXECUTE action;
	EXCEPTION WHEN OTHERS THEN
		-- a column that is gone already, a type that does not take it
		action := 'nothing: ' || SQLSTATE;
	END;
	INSERT INTO outcomes VALUES (d, kind, action);
END
$$;
-- What the table lacks comes back after a while, so that there is always something to spoil.
CREATE FUNCTION mend(d integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM (VALUES ('x', 'float8'), ('n', 'int'), ('c', 'text'), ('score', 'float8'), ('label', 'boolean'), ('part', 'text')) AS v (name, type) LOOP
		IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'odd'::regclass AND attname = c.name || '_then' AND NOT attisdropped) THEN
			EXECUTE format('ALTER TABLE odd RENAME %I TO %I', c.name || '_then', c.name);
		ELSIF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'odd'::regclass AND attname = c.name AND NOT attisdropped) THEN
			EXECUTE format('ALTER TABLE odd ADD %I %s', c.name, c.type);
		ELSIF (SELECT atttypid FROM pg_attribute WHERE attrelid = 'odd'::regclass AND attname = c.name) <> c.type::regtype THEN
			EXECUTE format('ALTER TABLE odd DROP %I, ADD %1$I %s', c.name, c.type);
		END IF;
	END LOOP;
END
$$;

CREATE FUNCTION poison(days integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	problem text;
BEGIN
	FOR d IN 20 .. 19 + days LOOP
		PERFORM fill(d);
		PERFORM mutate(d);
		problem := NULL;
		BEGIN
			PERFORM FROM check_monitor('odd', day(d + 1));
		EXCEPTION WHEN OTHERS THEN
			problem := SQLSTATE || ' ' || SQLERRM;
		END;
		UPDATE outcomes AS o SET error = problem WHERE o.d = (SELECT max(p.d) FROM outcomes AS p);
		IF d % 10 = 9 THEN
			PERFORM mend(d);
		END IF;
	END LOOP;
END
$$;
SELECT poison(:days);
SELECT count(*) AS mutations, count(*) FILTER (WHERE did NOT LIKE 'nothing%') AS done, count(error) AS checks_that_failed FROM outcomes;
SELECT d, did, error FROM outcomes WHERE error IS NOT NULL ORDER BY d LIMIT 5;
-- Each day was checked, and the column that nobody touches was judged wherever there were rows to read.
SELECT count(DISTINCT window_start) AS windows FROM windows WHERE monitor = 'odd' AND segment = '';
SELECT count(*) AS days_without_a_verdict
FROM windows AS w
WHERE w.monitor = 'odd' AND w.segment = '' AND w.row_count > 0 AND w.window_start >= day(20) AND NOT EXISTS (
	SELECT FROM drift_history AS h WHERE h.monitor = 'odd' AND h.segment = '' AND h.window_start = w.window_start
		AND h.feature = 'safe' AND h.measure = 'ks' AND h.verdict IN ('no drift', 'drift', 'undecided'));
SELECT count(*) < 5 AS seldom_drift FROM drift_history WHERE monitor = 'odd' AND feature = 'safe' AND measure = 'ks' AND segment = '' AND verdict = 'drift';
SELECT bool_and(reason IS NOT NULL) AS said_why, count(DISTINCT status) > 10 AS in_many_ways FROM drift_history WHERE monitor = 'odd';
SELECT count(*) > 0 AS schema_alerts FROM alerts WHERE monitor = (SELECT m.id FROM monitors AS m WHERE m.name = 'odd') AND measure = 'schema';
SELECT length(report('odd')) > 10000 AS page, (SELECT count(*) FROM feature_health WHERE monitor = 'odd') > 5 AS health;
SELECT bool_and(jsonb_typeof(explain_alert(alert)) = 'object') AS explained FROM (SELECT alert FROM alert_open LIMIT 20) AS a;
SELECT drop_monitor('odd');
DROP TABLE odd, outcomes;
DROP FUNCTION draw, day, fill, mutate, mend, poison;
