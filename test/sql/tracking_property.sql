-- Random histories: points that come late, twice, tied, as NaN, in any order; runs
-- that end, go on, are taken for dead, deleted, brought back, packed and settled.
-- Whenever one looks all views say the same, which is what was sent.
SET search_path = public, mlmeta;
SET client_min_messages = warning;
SELECT setseed(0.5) \g /dev/null

CREATE TEMPORARY TABLE history AS
SELECT n, start_run('property ' || n % 2, 'p' || n) AS run, false AS deleted FROM generate_series(1, 6) AS n;
CREATE TEMPORARY TABLE sent (run run, key text, context text, step bigint, at timestamptz, value float8);

-- What should be there, and what views say, as rows of the same form.
CREATE FUNCTION pg_temp.disagreements() RETURNS TABLE (view text, n bigint) LANGUAGE sql AS $$
	WITH alive AS (
		SELECT h.run FROM history AS h JOIN runs AS r USING (run) JOIN experiments AS e USING (experiment_id)
		WHERE NOT h.deleted AND e.deleted_at IS NULL
	), points AS (
		SELECT DISTINCT s.run, s.key, s.context, s.step, s.at, s.value + 0 AS value FROM sent AS s JOIN alive USING (run)
	), latest AS (
		SELECT DISTINCT ON (run, key, context) p.*, count(*) OVER same AS n, count(*) FILTER (WHERE value = 'NaN') OVER same AS nan_count,
			min(value) FILTER (WHERE value <> 'NaN') OVER same AS minimum, max(value) FILTER (WHERE value <> 'NaN') OVER same AS maximum
		FROM points AS p WINDOW same AS (PARTITION BY run, key, context)
		ORDER BY run, key, context, step DESC, at DESC, nullif(value, 'NaN') DESC NULLS LAST
	), shown AS (
		SELECT run, jsonb_object_agg(CASE context WHEN '' THEN key ELSE context || '/' || key END, to_jsonb(value)) AS metrics
		FROM latest GROUP BY run
	), mine AS (SELECT run FROM history)
	SELECT 'metric_points', count(*) FROM (
		(SELECT * FROM points EXCEPT ALL SELECT run, key, context, step, at, value FROM metric_points)
		UNION ALL (SELECT run, key, context, step, at, value FROM metric_points JOIN mine USING (run) EXCEPT ALL SELECT * FROM points)) AS d
	UNION ALL
	SELECT 'metric_latest', count(*) FROM latest AS l FULL JOIN (SELECT * FROM metric_latest JOIN mine USING (run)) AS v USING (run, key, context)
	WHERE (l.step, l.at, l.value) IS DISTINCT FROM (v.step, v.at, v.value)
	UNION ALL
	SELECT 'metric_summaries', count(*) FROM latest AS l FULL JOIN (SELECT * FROM metric_summaries JOIN mine USING (run)) AS v USING (run, key, context)
	WHERE (l.n, l.nan_count, l.minimum, l.maximum, l.step, l.at, l.value) IS DISTINCT FROM
		(v.n, v.nan_count, v.minimum, v.maximum, v.last_step, v.last_at, v.last_value)
	UNION ALL
	SELECT 'leaderboard', count(*) FROM (SELECT * FROM latest WHERE maximum IS NOT NULL) AS l
		FULL JOIN (SELECT * FROM leaderboard JOIN mine USING (run)) AS v USING (run, key, context)
	WHERE (CASE WHEN higher_is_better(key) THEN l.maximum ELSE l.minimum END, l.value) IS DISTINCT FROM (v.best, v.last)
	UNION ALL
	SELECT 'run_overview', count(*) FROM alive AS a FULL JOIN (SELECT * FROM run_overview JOIN mine USING (run)) AS v USING (run)
		LEFT JOIN shown AS s USING (run)
	WHERE coalesce(s.metrics, '{}') IS DISTINCT FROM v.metrics
	UNION ALL
	SELECT 'metric_history', count(*) FROM latest AS l
	WHERE l.n <> (SELECT count(*) FROM metric_history(l.run, l.key, context => l.context))
	UNION ALL
	SELECT 'late_points', count(*) FROM (SELECT run, key, context, step, at, value FROM late_points JOIN mine USING (run) EXCEPT SELECT * FROM points) AS d
$$;

CREATE FUNCTION pg_temp.point(r run) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	p sent;
BEGIN
	-- A third of the time one that was sent before.
	IF random() < 0.33 THEN
		SELECT * INTO p FROM sent WHERE run = r ORDER BY random() LIMIT 1;
	END IF;
	IF p.run IS NULL THEN
		p := (r, (ARRAY['loss', 'auc', 'a/b'])[ceil(random() * 3)], (ARRAY['', 'val'])[ceil(random() * 2)], floor(random() * 4),
			'2024-01-01'::timestamptz + floor(random() * 3) * interval '1 s',
			(ARRAY['NaN', 0, '-0', 1, -1, 'Infinity', '-Infinity', 0.1]::float8[])[ceil(random() * 8)]);
	END IF;
	INSERT INTO sent SELECT p.*;
	CASE floor(random() * 4)
		WHEN 0 THEN PERFORM log_metrics(r, jsonb_build_object(p.key, to_jsonb(p.value)), p.step, p.at, p.context);
		WHEN 1 THEN PERFORM log_metric(r, p.key, p.value, p.step, p.at, p.context);
		WHEN 2 THEN PERFORM log_batch(r, jsonb_build_array(jsonb_build_object('key', p.key, 'value', to_jsonb(p.value), 'step', p.step,
			'at', p.at, 'context', p.context)));
		ELSE -- Enough to be packed, each point many times.
			PERFORM log_series(r, p.key, array_fill(p.step, ARRAY[17]), array_fill(p.value, ARRAY[17]), array_fill(p.at, ARRAY[17]), p.context);
	END CASE;
END $$;

CREATE FUNCTION pg_temp.step(luck float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	h history;
BEGIN
	SELECT * INTO h FROM history ORDER BY random() LIMIT 1;
	IF h.deleted THEN
		IF luck < 0.5 THEN
			PERFORM restore_run(h.run);
			UPDATE history SET deleted = false WHERE run = h.run;
			RETURN 'restore';
		END IF;
		RETURN 'nothing';
	END IF;
	CASE
		WHEN luck < 0.6 THEN PERFORM pg_temp.point(h.run); RETURN 'point';
		WHEN luck < 0.68 THEN PERFORM finish_run(h.run); RETURN 'finish';
		WHEN luck < 0.72 THEN PERFORM resume_run(h.run); RETURN 'resume';
		WHEN luck < 0.77 THEN PERFORM compact_series(h.run); RETURN 'pack';
		WHEN luck < 0.80 THEN PERFORM finish_run(h.run, 'failed'); RETURN 'finish otherwise';
		WHEN luck < 0.84 THEN UPDATE runs SET status = 'crashed', reaped = true, finished_at = started_at WHERE run = h.run AND status = 'running';
			IF FOUND THEN PERFORM refresh_results(h.run); END IF; RETURN 'reap';
		WHEN luck < 0.88 THEN PERFORM delete_run(h.run);
			UPDATE history SET deleted = true WHERE run = h.run; RETURN 'delete';
		WHEN luck < 0.92 THEN PERFORM settle_run(u.run) FROM unsettled_runs() AS u (run); RETURN 'settle';
		ELSE PERFORM heartbeat(h.run); RETURN 'heartbeat';
	END CASE;
END $$;

-- Each step is a transaction, so that marks are those of others.
CREATE TEMPORARY TABLE wrong (n int, step text, view text, times bigint);
CREATE TEMPORARY TABLE steps (n int, step text);
CREATE PROCEDURE pg_temp.walk() LANGUAGE plpgsql AS $$
DECLARE
	done text;
BEGIN
	FOR i IN 1 .. 500 LOOP
		done := pg_temp.step(random());
		INSERT INTO steps VALUES (i, done);
		COMMIT;
		CONTINUE WHEN i % 4 > 0;
		INSERT INTO wrong SELECT i, done, d.view, d.n FROM pg_temp.disagreements() AS d WHERE d.n > 0;
		COMMIT;
		EXIT WHEN EXISTS (SELECT FROM wrong);
	END LOOP;
END $$;
CALL pg_temp.walk();
SELECT * FROM wrong;
SELECT count(*) AS steps, count(DISTINCT step) AS kinds FROM steps;
-- In the end everything ends, is settled and packed.
UPDATE history SET deleted = false;
SELECT count(restore_run(run)) FROM history;
SELECT count(finish_run(run)) FROM history;
CALL settle_results();
CALL settle_results();
CALL compact_metrics('0');
SELECT * FROM pg_temp.disagreements() WHERE n > 0;
SELECT count(*) AS marks FROM run_marks JOIN history USING (run);
SELECT count(*) AS loose FROM run_metrics JOIN metric_series USING (series) JOIN history USING (run);
