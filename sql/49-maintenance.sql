-- Removing runs for good, and packing the points of finished ones.

CREATE FUNCTION mlmeta.purge_run_rows(doomed mlmeta.run[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	gone bigint;
	owned text;
BEGIN
	-- The guards let deletions pass for the rest of this call.
	PERFORM set_config('mlmeta.purging', 'on', true);
	DELETE FROM mlmeta.run_metrics AS m
	USING mlmeta.metric_series AS s
	WHERE m.series = s.series AND s.run OPERATOR(mlmeta.=) ANY (doomed);
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

	-- Patches may hold what nobody wanted to keep.
	DELETE FROM mlmeta.source_patches AS p
	WHERE NOT EXISTS (SELECT FROM mlmeta.runs AS r WHERE r.patch = p.patch);
	DELETE FROM mlmeta.environments AS e
	WHERE NOT EXISTS (SELECT FROM mlmeta.runs AS r
		WHERE r.environment = e.environment);
	PERFORM set_config('mlmeta.purging', 'off', true);
	RETURN gone;
END
$$;

COMMENT ON FUNCTION mlmeta.purge_run_rows(mlmeta.run[]) IS
	'removes all rows of runs; fails when a registered model needs one of them';

CREATE FUNCTION mlmeta.purge_runs(older_than interval DEFAULT '30 days')
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	doomed mlmeta.run[];
	one mlmeta.run;
	gone bigint := 0;
BEGIN
	PERFORM mlmeta.check_writable();
	SELECT array_agg(r.run) INTO doomed
	FROM (
		SELECT c.run
		FROM mlmeta.runs AS c
		WHERE c.deleted_at < clock_timestamp() - older_than
		ORDER BY c.run
		FOR UPDATE SKIP LOCKED
	) AS r;
	BEGIN
		RETURN mlmeta.purge_run_rows(coalesce(doomed, '{}'));
	EXCEPTION WHEN foreign_key_violation THEN
		-- Some are still needed: take the others one by one.
	END;
	FOREACH one IN ARRAY doomed LOOP
		BEGIN
			gone := gone + mlmeta.purge_run_rows(ARRAY[one]);
		EXCEPTION WHEN foreign_key_violation THEN
			RAISE NOTICE 'run "%" is kept: a registered model needs it', one;
		END;
	END LOOP;
	RETURN gone;
END
$$;

COMMENT ON FUNCTION mlmeta.purge_runs(interval) IS
	'removes for good the runs that were deleted longer ago than that, and returns how many; runs that a registered model needs stay';

CREATE FUNCTION mlmeta.purge_experiment(experiment text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number bigint := mlmeta.find_experiment(experiment);
	doomed mlmeta.run[];
	gone bigint;
BEGIN
	PERFORM mlmeta.check_writable();
	SELECT array_agg(r.run) INTO doomed
	FROM mlmeta.runs AS r
	WHERE r.experiment_id = number;
	gone := mlmeta.purge_run_rows(coalesce(doomed, '{}'));
	DELETE FROM mlmeta.budgets AS b WHERE b.experiment_id = number;
	DELETE FROM mlmeta.experiments AS e WHERE e.experiment_id = number;
	RETURN gone;
END
$$;

COMMENT ON FUNCTION mlmeta.purge_experiment(text) IS
	'removes an experiment and all its runs for good, and returns how many runs those were';
