-- Changing one's mind, with a trace: names, parents, experiments, values, and
-- what is hidden. tracking_changes has what was before.
--
-- Nothing here waits for runs that others have open, but for those who change
-- the very same row.

-- Runs ------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.check_parent(run mlmeta.run, parent mlmeta.run)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	above mlmeta.run := parent;
	seen mlmeta.run[] := '{}';
	deleted timestamptz;
BEGIN
	SELECT r.deleted_at INTO deleted
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) check_parent.parent;
	IF NOT FOUND OR NOT mlmeta_internal.permits_run('reader', parent) THEN
		PERFORM mlmeta_internal.no_such_run(parent);
	ELSIF deleted IS NOT NULL THEN
		RAISE EXCEPTION 'run "%" is deleted', parent
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_run().';
	END IF;
	-- The way up ends on cycles that two sessions may have made side by side.
	WHILE above IS NOT NULL AND NOT above OPERATOR(mlmeta.=) ANY (seen) LOOP
		IF above OPERATOR(mlmeta.=) run THEN
			RAISE EXCEPTION 'run "%" cannot be a part of run "%"', run, parent
				USING ERRCODE = 'check_violation',
					DETAIL = CASE WHEN parent OPERATOR(mlmeta.=) run
						THEN 'They are the same.'
						ELSE 'That run is a part of this one, directly or not.'
						END;
		END IF;
		seen := seen || above;
		above := (SELECT r.parent FROM mlmeta.runs AS r
			WHERE r.run OPERATOR(mlmeta.=) above);
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_parent(mlmeta.run, mlmeta.run) IS
	'raises an error unless a run can be a part of another one, which is there, not deleted and no part of it';

CREATE FUNCTION mlmeta_internal.set_parent(run mlmeta.run, parent mlmeta.run)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs := mlmeta_internal.lock_run(run);
BEGIN
	IF parent IS NOT NULL THEN
		PERFORM mlmeta_internal.check_parent(run, parent);
	END IF;
	IF old.parent OPERATOR(mlmeta.=) parent
			OR old.parent IS NULL AND parent IS NULL THEN
		RETURN;
	END IF;
	UPDATE mlmeta.runs AS r
	SET parent = set_parent.parent, changed_at = clock_timestamp()
	WHERE r.run OPERATOR(mlmeta.=) set_parent.run;
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, run, 'parent_set',
		jsonb_build_object('parent', old.parent::text,
			'new_parent', parent::text));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_parent(mlmeta.run, mlmeta.run) IS
	'makes a run a part of another one, or, with NULL, of none; a run that is a part of it cannot be above it';

CREATE FUNCTION mlmeta_internal.rename_run(run mlmeta.run, name text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs;
BEGIN
	IF name IS NOT NULL THEN
		PERFORM mlmeta_internal.check_name('run name', name);
	END IF;
	old := mlmeta_internal.lock_run(run);
	IF old.name IS NOT DISTINCT FROM rename_run.name THEN
		RETURN;
	END IF;
	UPDATE mlmeta.runs AS r
	SET name = rename_run.name, changed_at = clock_timestamp()
	WHERE r.run OPERATOR(mlmeta.=) rename_run.run;
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, run, 'renamed',
		jsonb_build_object('name', old.name, 'new_name', name));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rename_run(mlmeta.run, text) IS
	'gives a run another name, or, with NULL, none';

CREATE FUNCTION mlmeta_internal.move_runs(runs mlmeta.run[], experiment text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number bigint;
	one mlmeta.run;
	old mlmeta.runs;
	moved bigint := 0;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	number := coalesce(mlmeta_internal.open_experiment(experiment),
		mlmeta_internal.find_experiment(experiment));
	-- In one order for all, so that two of these cannot wait for each other.
	FOR one IN
		SELECT DISTINCT u.run FROM unnest(runs) AS u (run) ORDER BY u.run
	LOOP
		old := mlmeta_internal.lock_run(one);
		IF old.deleted_at IS NOT NULL THEN
			RAISE EXCEPTION 'run "%" is deleted', one
				USING ERRCODE = 'object_not_in_prerequisite_state',
					HINT = 'Bring it back with restore_run().';
		END IF;
		CONTINUE WHEN old.experiment_id = number;
		UPDATE mlmeta.runs AS r
		SET experiment_id = number, changed_at = clock_timestamp()
		WHERE r.run OPERATOR(mlmeta.=) one;
		UPDATE mlmeta.run_metric_summaries AS s
		SET experiment_id = number
		WHERE s.run OPERATOR(mlmeta.=) one;
		UPDATE mlmeta.logged_models AS m
		SET experiment_id = number
		WHERE m.run OPERATOR(mlmeta.=) one;
		PERFORM mlmeta_internal.record_tracking(number, one, 'moved',
			jsonb_build_object('experiment', e.experiment,
				'new_experiment', move_runs.experiment))
		FROM mlmeta.experiments AS e
		WHERE e.experiment_id = old.experiment_id;
		moved := moved + 1;
	END LOOP;
	RETURN moved;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.move_runs(mlmeta.run[], text) IS
	'moves runs to another experiment, with all that belongs to them, and returns how many were not there before';

CREATE FUNCTION mlmeta_internal.parts_of(run mlmeta.run) RETURNS SETOF mlmeta.run
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	WITH RECURSIVE parts (run) AS (
		SELECT parts_of.run
		UNION
		SELECT r.run
		FROM parts AS p
			JOIN mlmeta.runs AS r ON r.parent OPERATOR(mlmeta.=) p.run
	)
	SELECT p.run FROM parts AS p ORDER BY p.run;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.parts_of(mlmeta.run) IS
	'a run and all runs that are parts of it, directly or not';

CREATE FUNCTION mlmeta_internal.delete_run(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	one mlmeta.run;
	old mlmeta.runs;
BEGIN
	PERFORM mlmeta_internal.lock_run(run);
	FOR one IN SELECT p.run FROM mlmeta_internal.parts_of(run) AS p (run) LOOP
		old := mlmeta_internal.lock_run(one);
		CONTINUE WHEN old.deleted_at IS NOT NULL;
		UPDATE mlmeta.runs AS r
		SET deleted_at = clock_timestamp(), changed_at = clock_timestamp(),
			deleted_with = CASE WHEN NOT one OPERATOR(mlmeta.=) delete_run.run
				THEN delete_run.run END
		WHERE r.run OPERATOR(mlmeta.=) one;
		PERFORM mlmeta_internal.record_tracking(old.experiment_id, one, 'deleted',
			jsonb_build_object('with', nullif(run::text, one::text)));
		PERFORM mlmeta_internal.write_results(one);
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.delete_run(mlmeta.run) IS
	'hides a run and those that are parts of it from all views; restore_run() brings them back, purge_runs() removes them for good';

CREATE FUNCTION mlmeta_internal.restore_run(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	one record;
BEGIN
	PERFORM mlmeta_internal.lock_run(run);
	-- Those that were deleted alone stay so.
	FOR one IN
		SELECT r.run, r.experiment_id
		FROM mlmeta.runs AS r
		WHERE r.deleted_at IS NOT NULL
			AND (r.run OPERATOR(mlmeta.=) restore_run.run
				OR r.deleted_with OPERATOR(mlmeta.=) restore_run.run)
		ORDER BY r.run
		FOR NO KEY UPDATE
	LOOP
		UPDATE mlmeta.runs AS r
		SET deleted_at = NULL, deleted_with = NULL,
			changed_at = clock_timestamp()
		WHERE r.run OPERATOR(mlmeta.=) one.run;
		PERFORM mlmeta_internal.record_tracking(one.experiment_id, one.run, 'restored',
			'{}');
		-- Who logged while it was being deleted may not have come yet.
		PERFORM mlmeta_internal.mark_run(one.run, true);
		PERFORM mlmeta_internal.write_results(one.run);
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.restore_run(mlmeta.run) IS
	'brings a deleted run back, and those that were deleted with it';

-- Experiments -----------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.lock_experiment(experiment text)
RETURNS mlmeta.experiments
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.experiments;
	number bigint := mlmeta_internal.find_experiment(experiment);
BEGIN
	PERFORM mlmeta_internal.check_writable();
	number := mlmeta_internal.find_experiment(experiment, 'writer');
	SELECT e.* INTO STRICT result
	FROM mlmeta.experiments AS e
	WHERE e.experiment_id = number
	FOR NO KEY UPDATE;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lock_experiment(text) IS
	'the row of an experiment, deleted or not, locked against other changes; runs are started and logged all the same';

CREATE FUNCTION mlmeta_internal.rename_experiment(experiment text, new_name text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.experiments := mlmeta_internal.lock_experiment(experiment);
BEGIN
	PERFORM mlmeta_internal.check_name('experiment', new_name);
	IF old.experiment = new_name THEN
		RETURN;
	END IF;
	BEGIN
		UPDATE mlmeta.experiments AS e
		SET experiment = new_name, changed_at = clock_timestamp()
		WHERE e.experiment_id = old.experiment_id;
	EXCEPTION WHEN unique_violation THEN
		PERFORM mlmeta_internal.experiment_exists(new_name);
	END;
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, NULL, 'renamed',
		jsonb_build_object('name', old.experiment, 'new_name', new_name));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rename_experiment(text, text) IS
	'gives an experiment another name; runs under way go on in it';

CREATE FUNCTION mlmeta_internal.set_experiment_tags(experiment text, tags jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.experiments := mlmeta_internal.lock_experiment(experiment);
	wrong text;
BEGIN
	IF tags IS NULL THEN
		RETURN;
	ELSIF jsonb_typeof(tags) <> 'object' THEN
		RAISE EXCEPTION 'tags of experiment "%" must be a JSON object',
				experiment
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('They are a JSON %s.', jsonb_typeof(tags));
	END IF;
	SELECT t.key INTO wrong
	FROM jsonb_object_keys(tags) AS t (key)
	WHERE NOT mlmeta_internal.is_name(t.key)
	LIMIT 1;
	IF FOUND THEN
		PERFORM mlmeta_internal.check_name('tag', wrong);
	END IF;
	UPDATE mlmeta.experiments AS e
	SET tags = jsonb_strip_nulls(e.tags || set_experiment_tags.tags),
		changed_at = clock_timestamp()
	WHERE e.experiment_id = old.experiment_id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_experiment_tags(text, jsonb) IS
	'sets tags of an experiment from a JSON object; null removes a tag';

CREATE FUNCTION mlmeta_internal.delete_experiment(experiment text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.experiments := mlmeta_internal.lock_experiment(experiment);
BEGIN
	IF old.deleted_at IS NOT NULL THEN
		RETURN;
	END IF;
	-- Views ask the experiment: its runs are not touched, so that those that
	-- were deleted alone stay deleted when it comes back.
	UPDATE mlmeta.experiments AS e
	SET deleted_at = clock_timestamp(), changed_at = clock_timestamp()
	WHERE e.experiment_id = old.experiment_id;
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, NULL, 'deleted', '{}');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.delete_experiment(text) IS
	'hides an experiment and all its runs from all views; restore_experiment() brings them back, purge_experiment() removes them for good; its name stays taken';

CREATE FUNCTION mlmeta_internal.restore_experiment(experiment text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.experiments := mlmeta_internal.lock_experiment(experiment);
BEGIN
	IF old.deleted_at IS NULL THEN
		RETURN;
	END IF;
	UPDATE mlmeta.experiments AS e
	SET deleted_at = NULL, changed_at = clock_timestamp()
	WHERE e.experiment_id = old.experiment_id;
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, NULL, 'restored', '{}');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.restore_experiment(text) IS
	'brings a deleted experiment back with its runs, but those that were deleted alone';

-- Metrics -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rename_metric(
	experiment text,
	key text,
	new_key text
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.experiments := mlmeta_internal.lock_experiment(experiment);
	taken mlmeta.run;
	renamed bigint;
BEGIN
	PERFORM mlmeta_internal.check_name('metric', new_key);
	PERFORM mlmeta_internal.experiment_metric(old.experiment_id, key, '')
	WHERE NOT EXISTS (SELECT
		FROM mlmeta.runs AS r
			JOIN mlmeta.metric_series AS s ON s.run OPERATOR(mlmeta.=) r.run
		WHERE r.experiment_id = old.experiment_id
			AND s.key = rename_metric.key);
	IF key = new_key THEN
		RETURN 0;
	END IF;
	SELECT r.run INTO taken
	FROM mlmeta.runs AS r
		JOIN mlmeta.metric_series AS s ON s.run OPERATOR(mlmeta.=) r.run
		JOIN mlmeta.metric_series AS t ON t.run OPERATOR(mlmeta.=) r.run
	WHERE r.experiment_id = old.experiment_id AND s.key = rename_metric.key
		AND mlmeta_internal.metric_label(t.key, t.context)
			= mlmeta_internal.metric_label(new_key, s.context)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'run "%" has a metric "%" already', taken, new_key
			USING ERRCODE = 'unique_violation';
	END IF;

	PERFORM mlmeta_internal.lift_guards();
	UPDATE mlmeta.metric_series AS s
	SET key = new_key
	FROM mlmeta.runs AS r
	WHERE r.experiment_id = old.experiment_id AND s.key = rename_metric.key
		AND s.run OPERATOR(mlmeta.=) r.run;
	UPDATE mlmeta.run_metric_summaries AS s
	SET key = new_key, higher_is_better = mlmeta.higher_is_better(new_key)
	WHERE s.experiment_id = old.experiment_id AND s.key = rename_metric.key;
	GET DIAGNOSTICS renamed = ROW_COUNT;
	UPDATE mlmeta.run_results AS w
	SET metrics = (
			SELECT jsonb_object_agg(mlmeta_internal.metric_label(s.key, s.context),
				to_jsonb(s.last_value))
			FROM mlmeta.run_metric_summaries AS s
			WHERE s.run OPERATOR(mlmeta.=) w.run
		), written_at = clock_timestamp()
	FROM mlmeta.run_metric_summaries AS f
	WHERE f.experiment_id = old.experiment_id AND f.key = new_key
		AND f.run OPERATOR(mlmeta.=) w.run;
	PERFORM mlmeta_internal.restore_guards();
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, NULL, 'metric_renamed',
		jsonb_build_object('key', key, 'new_key', new_key));
	RETURN renamed;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rename_metric(text, text, text) IS
	'gives a metric another key in all runs of an experiment, in every context, and returns in how many results';

CREATE FUNCTION mlmeta_internal.take_points(
	numbers bigint[],
	step bigint,
	at timestamptz
) RETURNS TABLE (series bigint, taken_at timestamptz, value float8)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	chunk record;
	rest record;
BEGIN
	RETURN QUERY
	DELETE FROM mlmeta.run_metrics AS m
	WHERE m.series = ANY (numbers) AND m.step = take_points.step
		AND m.at = coalesce(take_points.at, m.at)
	RETURNING m.series, m.at, m.value;
	FOR chunk IN
		DELETE FROM mlmeta.metric_chunks AS c
		WHERE c.series = ANY (numbers)
			AND take_points.step BETWEEN c.first_step AND c.last_step
			AND EXISTS (SELECT FROM mlmeta.unpack_series(c.points) AS p
				WHERE p.step = take_points.step
					AND p.at = coalesce(take_points.at, p.at))
		RETURNING c.series, c.points
	LOOP
		RETURN QUERY SELECT chunk.series, p.at, p.value
		FROM mlmeta.unpack_series(chunk.points) AS p
		WHERE p.step = take_points.step
			AND p.at = coalesce(take_points.at, p.at);
		SELECT array_agg(p.step ORDER BY p.n) AS steps,
			array_agg(p.at ORDER BY p.n) AS times,
			array_agg(p.value ORDER BY p.n) AS points
		INTO rest
		FROM mlmeta.unpack_series(chunk.points) WITH ORDINALITY
			AS p (step, at, value, n)
		WHERE p.step <> take_points.step
			OR p.at <> coalesce(take_points.at, p.at);
		IF rest.steps IS NOT NULL THEN
			PERFORM mlmeta_internal.store_chunk(chunk.series, rest.steps, rest.times,
				rest.points);
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.take_points(bigint[], bigint, timestamptz) IS
	'takes the points of a step away from some series, rows and chunks, and returns them';

CREATE FUNCTION mlmeta_internal.correct_metric(
	run mlmeta.run,
	key text,
	step bigint,
	value float8,
	context text DEFAULT '',
	at timestamptz DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs := mlmeta_internal.lock_run(run);
	named record := mlmeta_internal.run_metric(run, key, context);
	taken record;
BEGIN
	PERFORM mlmeta_internal.accept_facts(run);
	IF value IS NULL THEN
		RAISE EXCEPTION 'metric "%" of run "%" has no valid value', key, run
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM mlmeta_internal.lift_guards();
	SELECT min(t.series) AS series, min(t.taken_at) AS at,
		count(DISTINCT t.taken_at) AS n,
		jsonb_agg(DISTINCT to_jsonb(t.value)) AS values
	INTO taken
	FROM mlmeta_internal.take_points(ARRAY(SELECT s.series
		FROM mlmeta.metric_series AS s
		WHERE s.run OPERATOR(mlmeta.=) correct_metric.run
			AND s.key = named.key AND s.context = named.context),
		step, at) AS t;
	IF taken.n = 0 THEN
		RAISE EXCEPTION 'metric "%" of run "%" has no point at step %', key, run,
				coalesce(step::text, 'NULL')
			USING ERRCODE = 'undefined_object';
	ELSIF taken.n > 1 THEN
		RAISE EXCEPTION 'metric "%" of run "%" has % points at step %', key, run,
				taken.n, step
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Say which one by its time.';
	END IF;
	INSERT INTO mlmeta.run_metrics (series, step, at, value)
	VALUES (taken.series, correct_metric.step, taken.at,
		correct_metric.value + 0);
	PERFORM mlmeta_internal.restore_guards();
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, run, 'value_corrected',
		jsonb_build_object('key', named.key, 'context', named.context,
			'step', step, 'at', mlmeta_internal.utc_text(taken.at),
			'values', taken.values, 'new_value', to_jsonb(value)));
	PERFORM mlmeta_internal.mark_run(run, false);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.correct_metric(mlmeta.run, text, bigint, float8,
	text, timestamptz) IS
	'replaces the value of a metric at a step; what it was stays on record';
