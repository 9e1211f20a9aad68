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
	-- One at a time: what is handed on must not go to a run that is being purged.
	PERFORM pg_advisory_xact_lock(hashtextextended('mlmeta.purge', 0));
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
	PERFORM mlmeta_internal.purge_copies(doomed);
	FOREACH owned IN ARRAY ARRAY['mlmeta.metric_series', 'mlmeta.run_params',
		'mlmeta.run_tags', 'mlmeta.run_artifacts', 'mlmeta.artifact_places',
		'mlmeta.artifact_details',
		'mlmeta.run_samples',
		'mlmeta.run_metric_summaries', 'mlmeta.run_results', 'mlmeta.run_files',
		'mlmeta.run_logged_models',
		'mlmeta.tracking_changes', 'mlmeta.run_marks',
		'mlmeta_internal.run_batches', 'mlmeta_internal.lineage_runs',
		'mlmeta_internal.lineage_io']
	LOOP
		EXECUTE format('DELETE FROM %s AS o
			WHERE o.run OPERATOR(mlmeta.=) ANY ($1)', owned)
		USING doomed;
	END LOOP;
	DELETE FROM mlmeta_internal.lineage_facets AS f
	WHERE f.id = ANY (doomed::uuid[]);
	DELETE FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) ANY (doomed);
	GET DIAGNOSTICS gone = ROW_COUNT;
	PERFORM mlmeta_internal.restore_guards();
	RETURN gone;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.purge_run_rows(mlmeta.run[]) IS
	'removes all rows of runs that are locked';

CREATE FUNCTION mlmeta_internal.purge_copies(doomed mlmeta.run[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	copy record;
	heir mlmeta.run;
BEGIN
	-- Patches may hold what nobody wanted to keep: what no other run refers to
	-- goes. A run that is being started holds the copy it relies on, so that it
	-- is seen here once the lock is there.
	FOR copy IN
		SELECT c.ctid AS at, c.patch
		FROM mlmeta.patch_copies AS c
		WHERE c.run OPERATOR(mlmeta.=) ANY (doomed)
		FOR UPDATE
	LOOP
		heir := (SELECT r.run FROM mlmeta.runs AS r
			WHERE r.patch = copy.patch
				AND NOT r.run OPERATOR(mlmeta.=) ANY (doomed) LIMIT 1);
		IF heir IS NOT NULL THEN
			INSERT INTO mlmeta.patch_copies (patch, run, content, created_at)
			SELECT c.patch, heir, c.content, c.created_at
			FROM mlmeta.patch_copies AS c
			WHERE c.ctid = copy.at
			ON CONFLICT DO NOTHING;
		END IF;
		DELETE FROM mlmeta.patch_copies AS c WHERE c.ctid = copy.at;
	END LOOP;
	FOR copy IN
		SELECT c.ctid AS at, c.environment
		FROM mlmeta.environment_copies AS c
		WHERE c.run OPERATOR(mlmeta.=) ANY (doomed)
		FOR UPDATE
	LOOP
		heir := (SELECT r.run FROM mlmeta.runs AS r
			WHERE r.environment = copy.environment
				AND NOT r.run OPERATOR(mlmeta.=) ANY (doomed) LIMIT 1);
		IF heir IS NOT NULL THEN
			INSERT INTO mlmeta.environment_copies (environment, run, content,
				created_at)
			SELECT c.environment, heir, c.content, c.created_at
			FROM mlmeta.environment_copies AS c
			WHERE c.ctid = copy.at
			ON CONFLICT DO NOTHING;
		END IF;
		DELETE FROM mlmeta.environment_copies AS c WHERE c.ctid = copy.at;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.purge_copies(mlmeta.run[]) IS
	'removes the patches and environments that runs brought along; those that others refer to are handed on';

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
	gone bigint := 0;
	table_name text;
	constraint_name text;
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
	doomed := ARRAY(SELECT d.run FROM unnest(doomed) AS d (run)
		WHERE (d.run OPERATOR(mlmeta.=) ANY (needed)) IS NOT TRUE);
	BEGIN
		RETURN mlmeta_internal.purge_run_rows(doomed);
	EXCEPTION WHEN foreign_key_violation THEN
		-- Tables of users refer to some: take the others one by one.
	END;
	FOREACH one IN ARRAY doomed LOOP
		BEGIN
			gone := gone + mlmeta_internal.purge_run_rows(ARRAY[one]);
		EXCEPTION WHEN foreign_key_violation THEN
			GET STACKED DIAGNOSTICS table_name = TABLE_NAME,
				constraint_name = CONSTRAINT_NAME;
			RAISE NOTICE 'run "%" is kept: table "%" refers to it (constraint "%")',
				one, table_name, constraint_name;
		END;
	END LOOP;
	RETURN gone;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.purge_runs(interval) IS
	'removes for good the runs of the caller''s projects that were deleted longer ago than that, and returns how many; runs that a registered model needs, or a table of a user refers to, stay, with a notice that says so';

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
	table_name text;
	constraint_name text;
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
		RAISE EXCEPTION 'experiment "%" cannot be purged: a registered model needs % of its runs',
				experiment, cardinality(needed)
			USING ERRCODE = 'foreign_key_violation',
				DETAIL = format('They are %s.',
					array_to_string(needed[:3], ', ')
					|| CASE WHEN cardinality(needed) > 3 THEN ' and others'
						ELSE '' END),
				HINT = 'Move them to another experiment with move_runs(), or hide this one with delete_experiment().';
	END IF;
	gone := mlmeta_internal.purge_run_rows(coalesce(doomed, '{}'));
	PERFORM mlmeta_internal.lift_guards();
	DELETE FROM mlmeta.tracking_changes AS c WHERE c.experiment_id = number;
	DELETE FROM mlmeta.logged_model_files AS f
	USING mlmeta.logged_models AS l
	WHERE l.experiment_id = number AND f.logged_model = l.id;
	DELETE FROM mlmeta.logged_models AS l WHERE l.experiment_id = number;
	PERFORM mlmeta_internal.restore_guards();
	DELETE FROM mlmeta.budgets AS b WHERE b.experiment_id = number;
	DELETE FROM mlmeta_internal.mlflow_experiment_copies AS c
	WHERE c.experiment_id = number;
	DELETE FROM mlmeta.experiments AS e WHERE e.experiment_id = number;
	RETURN gone;
EXCEPTION WHEN foreign_key_violation THEN
	GET STACKED DIAGNOSTICS table_name = TABLE_NAME,
		constraint_name = CONSTRAINT_NAME;
	RAISE EXCEPTION 'experiment "%" cannot be purged: table "%" refers to its runs',
			experiment, table_name
		USING ERRCODE = 'foreign_key_violation',
			DETAIL = format('The constraint is "%s".', constraint_name);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.purge_experiment(text) IS
	'removes an experiment and all its runs for good, for an admin of its project, and returns how many runs those were';

-- Compaction ------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.compact_metric(all_series bigint[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	largest_chunk CONSTANT int := 8192;
	taken record;
	packed bigint := 0;
BEGIN
	-- One statement takes the points away and hands them on: none is lost, none
	-- doubled, whoever logs or reads meanwhile. A point that was sent twice goes
	-- to where it came first: what is late, or about a logged model, stays apart.
	FOR taken IN
		WITH places AS (
			SELECT s.series, min(s.series) OVER same AS goes_to,
				s.late
			FROM mlmeta.metric_series AS s
			WHERE s.series = ANY (all_series)
			WINDOW same AS (PARTITION BY s.late, s.logged_model, s.dataset)
		), loose AS (
			DELETE FROM mlmeta.run_metrics AS m
			WHERE m.series = ANY (all_series)
			RETURNING m.series, m.step, m.at, m.value
		), small AS (
			DELETE FROM mlmeta.metric_chunks AS c
			WHERE c.series = ANY (all_series)
			RETURNING c.series, c.points
		), once AS (
			SELECT o.step, o.at, o.value,
				min(ARRAY[p.late::int, p.goes_to]) AS place
			FROM (
				SELECT l.series, l.step, l.at, l.value
				FROM loose AS l
				UNION ALL
				SELECT s.series, u.step, u.at, u.value
				FROM small AS s
					CROSS JOIN LATERAL mlmeta.unpack_series(s.points) AS u
			) AS o
				JOIN places AS p ON p.series = o.series
			GROUP BY o.step, o.at, o.value
		)
		SELECT o.place[2] AS series, count(*) AS size,
			array_agg(o.step ORDER BY o.step, o.at,
				nullif(o.value, 'NaN') NULLS FIRST) AS steps,
			array_agg(o.at ORDER BY o.step, o.at,
				nullif(o.value, 'NaN') NULLS FIRST) AS times,
			array_agg(o.value ORDER BY o.step, o.at,
				nullif(o.value, 'NaN') NULLS FIRST) AS points
		FROM once AS o
		GROUP BY o.place[2]
	LOOP
		FOR low IN 0 .. taken.size - 1 BY largest_chunk LOOP
			PERFORM mlmeta_internal.store_chunk(taken.series,
				taken.steps[low + 1 : low + largest_chunk],
				taken.times[low + 1 : low + largest_chunk],
				taken.points[low + 1 : low + largest_chunk]);
		END LOOP;
		packed := packed + taken.size;
	END LOOP;
	RETURN packed;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.compact_metric(bigint[]) IS
	'packs the points of one metric, each once, and returns how many';

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
	packed bigint := 0;
BEGIN
	PERFORM mlmeta_internal.lock_run(run);
	PERFORM mlmeta_internal.lift_guards();

	-- A metric is left whose points lie in chunks alone that are in order, apart
	-- from each other and not small.
	FOR stream IN
		SELECT min(s.series) AS first, array_agg(s.series) AS all_series
		FROM mlmeta.metric_series AS s
		WHERE s.run OPERATOR(mlmeta.=) compact_series.run
			AND (compact_series.key IS NULL OR s.key = compact_series.key)
			AND (compact_series.context IS NULL
				OR s.context = compact_series.context)
		GROUP BY s.key, s.context
		HAVING EXISTS (SELECT FROM mlmeta.run_metrics AS m
				WHERE m.series = ANY (array_agg(s.series)))
			OR EXISTS (
				SELECT
				FROM (
					SELECT c.in_order, c.n, c.series,
						(c.first_step, c.first_at) <= (lag(c.last_step)
							OVER previous, lag(c.last_at) OVER previous)
							AS overlaps,
						c.n < largest_chunk AND lag(c.n) OVER same
							< largest_chunk AS both_small
					FROM mlmeta.metric_chunks AS c
					WHERE c.series = ANY (array_agg(s.series))
					WINDOW previous AS (ORDER BY c.last_step, c.last_at),
						same AS (PARTITION BY c.series
							ORDER BY c.last_step, c.last_at)
				) AS o
				WHERE NOT o.in_order OR o.overlaps OR o.both_small
			)
		ORDER BY 1
	LOOP
		packed := packed + mlmeta_internal.compact_metric(stream.all_series);
	END LOOP;
	PERFORM mlmeta_internal.restore_guards();

	-- So that the number of rows stored is that of the results.
	IF packed > 0 THEN
		PERFORM mlmeta_internal.write_results(run);
	END IF;
	RETURN packed;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.compact_series(mlmeta.run, text, text) IS
	'packs the points of a run, or of one of its metrics, into chunks and returns how many; one that was stored twice is stored once; readers see the same points bit for bit';

CREATE PROCEDURE mlmeta.compact_metrics(ended_before interval DEFAULT '1 hour')
LANGUAGE plpgsql
AS $$
DECLARE
	ended mlmeta.run;
BEGIN
	-- No SET clause: it would forbid COMMIT. Every name is qualified.
	CALL mlmeta.settle_results();
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
	'settles results, packs the points of all runs that ended longer ago than that, and commits after each run';
