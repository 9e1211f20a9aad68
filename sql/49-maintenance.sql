-- Removing runs for good, and packing the points of finished ones.

-- A run is locked first, against whoever adds something to it, and looked at
-- again in a statement of its own, which sees what was added meanwhile.
CREATE FUNCTION mlmeta_internal.lock_doomed_runs(doomed mlmeta.run[])
RETURNS mlmeta.run[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	needed mlmeta.run[];
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'runs cannot be purged on an old snapshot'
			USING ERRCODE = 'active_sql_transaction',
				DETAIL = 'What was added to them since would be left behind.',
				HINT = 'Use the isolation level READ COMMITTED.';
	END IF;
	PERFORM FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) ANY (doomed)
	ORDER BY r.run
	FOR UPDATE;
	SELECT array_agg(d.run) INTO needed
	FROM unnest(doomed) AS d (run)
	WHERE EXISTS (SELECT FROM mlmeta.model_versions AS v
			WHERE v.run OPERATOR(mlmeta.=) d.run)
		OR EXISTS (SELECT FROM mlmeta.retrain_requests AS q
			WHERE q.run OPERATOR(mlmeta.=) d.run);
	RETURN needed;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lock_doomed_runs(mlmeta.run[]) IS
	'locks runs that are to be purged, and returns those that a registered model needs';

CREATE FUNCTION mlmeta_internal.purge_run_rows(doomed mlmeta.run[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	gone bigint;
	owned text;
	numbers bigint[];
BEGIN
	PERFORM mlmeta_internal.lift_guards();
	SELECT array_agg(s.series) INTO numbers
	FROM mlmeta.metric_series AS s
	WHERE s.run OPERATOR(mlmeta.=) ANY (doomed);
	DELETE FROM mlmeta.run_metrics AS m
	USING unnest(numbers) AS d (series)
	WHERE m.series = d.series;
	DELETE FROM mlmeta.metric_chunks AS c
	USING unnest(numbers) AS d (series)
	WHERE c.series = d.series;
	FOREACH owned IN ARRAY ARRAY['metric_series', 'run_params', 'run_tags',
		'run_artifacts', 'run_samples', 'run_metric_summaries', 'run_results']
	LOOP
		EXECUTE format('DELETE FROM mlmeta.%I AS o
			WHERE o.run OPERATOR(mlmeta.=) ANY ($1)', owned)
		USING doomed;
	END LOOP;
	DELETE FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) ANY (doomed);
	GET DIAGNOSTICS gone = ROW_COUNT;
	PERFORM mlmeta_internal.purge_contents();
	PERFORM mlmeta_internal.restore_guards();
	RETURN gone;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.purge_run_rows(mlmeta.run[]) IS
	'removes all rows of runs that are locked';

-- Patches may hold what nobody wanted to keep. One that a run is being started
-- with is locked by it, and left for the next time.
CREATE FUNCTION mlmeta_internal.purge_contents() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	locked bytea[];
BEGIN
	SELECT array_agg(l.patch) INTO locked
	FROM (
		SELECT p.patch
		FROM mlmeta.source_patches AS p
		WHERE NOT EXISTS (SELECT FROM mlmeta.runs AS r WHERE r.patch = p.patch)
		FOR UPDATE SKIP LOCKED
	) AS l;
	DELETE FROM mlmeta.source_patches AS p
	WHERE p.patch = ANY (locked)
		AND NOT EXISTS (SELECT FROM mlmeta.runs AS r WHERE r.patch = p.patch);
	SELECT array_agg(l.environment) INTO locked
	FROM (
		SELECT e.environment
		FROM mlmeta.environments AS e
		WHERE NOT EXISTS (SELECT FROM mlmeta.runs AS r
			WHERE r.environment = e.environment)
		FOR UPDATE SKIP LOCKED
	) AS l;
	DELETE FROM mlmeta.environments AS e
	WHERE e.environment = ANY (locked)
		AND NOT EXISTS (SELECT FROM mlmeta.runs AS r
			WHERE r.environment = e.environment);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.purge_contents() IS
	'removes the patches and environments that no run has';

CREATE FUNCTION mlmeta_internal.purge_runs(
	older_than interval DEFAULT '30 days'
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	doomed mlmeta.run[];
	needed mlmeta.run[];
	one mlmeta.run;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	SELECT array_agg(r.run) INTO doomed
	FROM (
		SELECT c.run
		FROM mlmeta.runs AS c
		WHERE c.deleted_at < clock_timestamp() - older_than
			AND mlmeta_internal.permits_experiment('writer', c.experiment_id)
		ORDER BY c.run
		FOR UPDATE OF c SKIP LOCKED
	) AS r;
	needed := mlmeta_internal.lock_doomed_runs(coalesce(doomed, '{}'));
	FOREACH one IN ARRAY coalesce(needed, '{}') LOOP
		RAISE NOTICE 'run "%" is kept: a registered model needs it', one;
	END LOOP;
	RETURN mlmeta_internal.purge_run_rows(ARRAY(
		SELECT d.run
		FROM unnest(doomed) AS d (run)
		WHERE (d.run OPERATOR(mlmeta.=) ANY (needed)) IS NOT TRUE));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.purge_runs(interval) IS
	'removes for good the runs of the caller''s projects that were deleted longer ago than that, and returns how many; runs that a registered model needs stay';

CREATE FUNCTION mlmeta_internal.purge_experiment(experiment text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number bigint := mlmeta_internal.find_experiment(experiment, 'admin');
	doomed mlmeta.run[];
	needed mlmeta.run[];
	gone bigint;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM FROM mlmeta.experiments AS e
	WHERE e.experiment_id = number
	FOR UPDATE;
	SELECT array_agg(r.run) INTO doomed
	FROM mlmeta.runs AS r
	WHERE r.experiment_id = number;
	needed := mlmeta_internal.lock_doomed_runs(coalesce(doomed, '{}'));
	IF needed IS NOT NULL THEN
		RAISE EXCEPTION 'experiment "%" is needed: run "%" made a registered model',
				experiment, needed[1]
			USING ERRCODE = 'foreign_key_violation';
	END IF;
	gone := mlmeta_internal.purge_run_rows(coalesce(doomed, '{}'));
	DELETE FROM mlmeta.budgets AS b WHERE b.experiment_id = number;
	DELETE FROM mlmeta.experiments AS e WHERE e.experiment_id = number;
	RETURN gone;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.purge_experiment(text) IS
	'removes an experiment and all its runs for good, for an admin of its project, and returns how many runs those were';

-- Compaction ------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.compact_series(
	run mlmeta.run,
	key text DEFAULT NULL,
	context text DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	largest_chunk CONSTANT int := 8192;
	stream record;
	taken record;
	packed bigint := 0;
BEGIN
	PERFORM mlmeta_internal.lock_run(run);
	PERFORM mlmeta_internal.lift_guards();

	-- A metric whose points lie in chunks alone, none of them small, is left.
	FOR stream IN
		SELECT min(s.series) AS series, array_agg(s.series) AS all_series
		FROM mlmeta.metric_series AS s
		WHERE s.run OPERATOR(mlmeta.=) compact_series.run
			AND (compact_series.key IS NULL OR s.key = compact_series.key)
			AND (compact_series.context IS NULL
				OR s.context = compact_series.context)
		GROUP BY s.key, s.context
		HAVING EXISTS (SELECT FROM mlmeta.run_metrics AS m
				WHERE m.series = ANY (array_agg(s.series)))
			OR (SELECT count(*) > 1 FROM mlmeta.metric_chunks AS c
				WHERE c.series = ANY (array_agg(s.series))
					AND c.n < largest_chunk)
		ORDER BY 1
	LOOP
		-- One statement takes the points away and hands them on: none is lost,
		-- none doubled, whoever logs or reads meanwhile.
		WITH loose AS (
			DELETE FROM mlmeta.run_metrics AS m
			WHERE m.series = ANY (stream.all_series)
			RETURNING m.step, m.at, m.value
		), small AS (
			DELETE FROM mlmeta.metric_chunks AS c
			WHERE c.series = ANY (stream.all_series)
			RETURNING c.points
		)
		SELECT count(*) AS size, array_agg(o.step) AS steps,
			array_agg(o.at) AS times, array_agg(o.value) AS points
		INTO taken
		FROM (
			SELECT l.step, l.at, l.value, 0 AS n
			FROM loose AS l
			UNION ALL
			SELECT u.step, u.at, u.value, u.n
			FROM small AS s
				CROSS JOIN LATERAL mlmeta.unpack_series(s.points)
					WITH ORDINALITY AS u (step, at, value, n)
			ORDER BY step, at, n
		) AS o;
		FOR low IN 0 .. taken.size - 1 BY largest_chunk LOOP
			PERFORM mlmeta_internal.store_chunk(stream.series,
				taken.steps[low + 1 : low + largest_chunk],
				taken.times[low + 1 : low + largest_chunk],
				taken.points[low + 1 : low + largest_chunk]);
		END LOOP;
		packed := packed + taken.size;
	END LOOP;
	PERFORM mlmeta_internal.restore_guards();

	-- With it come points that another session logged while this run ended.
	IF packed > 0 THEN
		PERFORM mlmeta_internal.refresh_results(run);
	END IF;
	RETURN packed;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.compact_series(mlmeta.run, text, text) IS
	'packs the points of a run, or of one of its metrics, into chunks and returns how many; readers see the same points bit for bit';

CREATE PROCEDURE mlmeta.compact_metrics(ended_before interval DEFAULT '1 hour')
LANGUAGE plpgsql
AS $$
DECLARE
	ended mlmeta.run;
BEGIN
	-- No SET clause: it would forbid COMMIT. Every name is qualified.
	FOR ended IN
		SELECT r.run
		FROM mlmeta.runs AS r
		WHERE r.finished_at OPERATOR(pg_catalog.<)
				(pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
					ended_before)
			AND EXISTS (
				SELECT
				FROM mlmeta.metric_series AS s
					JOIN mlmeta.run_metrics AS m
						ON m.series OPERATOR(pg_catalog.=) s.series
				WHERE s.run OPERATOR(mlmeta.=) r.run
			)
		ORDER BY r.run
	LOOP
		PERFORM mlmeta.compact_series(ended);
		COMMIT;
	END LOOP;
END
$$;

COMMENT ON PROCEDURE mlmeta.compact_metrics(interval) IS
	'packs the points of all runs that ended longer ago than that, and commits after each run';
