-- Results of ended runs: what finish_run() writes so that tables of runs and
-- ranks need no look at histories. Everything here follows from other tables.
--
-- Of a run that has a mark (run_marks) they may lag behind: readers take it live
-- instead. settle_results() brings them up to date and takes the marks away.

CREATE TABLE mlmeta.run_metric_summaries (
	run mlmeta.run NOT NULL,
	experiment_id bigint NOT NULL,
	key text NOT NULL,
	context text NOT NULL,
	n bigint NOT NULL,
	nan_count bigint NOT NULL,
	minimum float8,
	maximum float8,
	last_step bigint NOT NULL,
	last_at timestamptz NOT NULL,
	last_value float8 NOT NULL,
	higher_is_better boolean NOT NULL,
	score float8 GENERATED ALWAYS AS
		(CASE WHEN higher_is_better THEN maximum ELSE - minimum END) STORED,
	PRIMARY KEY (run, key, context)
);

-- Ranks by the best value, or by the last. NaN is no candidate. The score
-- falls in the index as it does in ranks, so that a rank needs no sorting, and
-- what a rank shows is inside.
CREATE INDEX run_metric_summaries_score ON mlmeta.run_metric_summaries
	(experiment_id, key, context, score DESC, run)
	INCLUDE (last_value, higher_is_better) WHERE score IS NOT NULL;
CREATE INDEX run_metric_summaries_last ON mlmeta.run_metric_summaries
	(experiment_id, key, context, last_value, run) WHERE last_value <> 'NaN';

COMMENT ON TABLE mlmeta.run_metric_summaries IS
	'each metric of each ended run that is not deleted in one row';
COMMENT ON COLUMN mlmeta.run_metric_summaries.n IS
	'points, NaN among them';
COMMENT ON COLUMN mlmeta.run_metric_summaries.minimum IS
	'least value that is not NaN; NULL when all are';
COMMENT ON COLUMN mlmeta.run_metric_summaries.maximum IS
	'greatest value that is not NaN; NULL when all are';
COMMENT ON COLUMN mlmeta.run_metric_summaries.higher_is_better IS
	'direction of the metric; set_metric() keeps it up to date';
COMMENT ON COLUMN mlmeta.run_metric_summaries.score IS
	'the best value, negated where lower is better: the greater the better';

CREATE TABLE mlmeta.run_results (
	run mlmeta.run PRIMARY KEY,
	params jsonb NOT NULL,
	metrics jsonb NOT NULL,
	signature bytea NOT NULL,
	stored_rows bigint NOT NULL,
	written_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);

CREATE INDEX run_results_signature ON mlmeta.run_results (signature);

COMMENT ON TABLE mlmeta.run_results IS
	'parameters and latest metrics of each ended run that is not deleted in one row';
COMMENT ON COLUMN mlmeta.run_results.signature IS
	'digest of code, parameters and data, see run_signature()';
COMMENT ON COLUMN mlmeta.run_results.stored_rows IS
	'how many rows of the run the results were made of, see stored_rows()';

CREATE FUNCTION mlmeta_internal.params_of(run mlmeta.run) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(pg_catalog.jsonb_object_agg(p.key, p.value), '{}')
	FROM mlmeta.run_params AS p
	WHERE p.run OPERATOR(mlmeta.=) params_of.run
);

COMMENT ON FUNCTION mlmeta_internal.params_of(mlmeta.run) IS
	'the parameters of a run as a JSON object';

CREATE FUNCTION mlmeta_internal.run_signature(run mlmeta.run) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
RETURN (
	SELECT pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array(
		r.repository, r.git_commit, r.entry_point, r.patch, (
			-- 0.1 and 0.10 are one value.
			SELECT pg_catalog.jsonb_object_agg(p.key, CASE
				WHEN pg_catalog.jsonb_typeof(p.value) = 'number'
					THEN pg_catalog.to_jsonb(
						pg_catalog.trim_scale(p.value::numeric))
				ELSE p.value END)
			FROM mlmeta.run_params AS p
			WHERE p.run OPERATOR(mlmeta.=) r.run
		), (
			SELECT pg_catalog.jsonb_agg(DISTINCT a.artifact::text)
			FROM mlmeta.run_artifacts AS a
			WHERE a.run OPERATOR(mlmeta.=) r.run AND a.direction = 'used'
		))::text, 'UTF8'))
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) run_signature.run
);

COMMENT ON FUNCTION mlmeta_internal.run_signature(mlmeta.run) IS
	'digest of what a run does: repository, commit, entry point, patch, parameters and artifacts used, whatever their role; equal for repeated runs';

-- The run is inside of every part: a join with views over all series would sum
-- up the histories of all runs for the few that are running. What lies in chunks
-- that are in order and apart from each other is added up; otherwise points may
-- be there twice, and are counted once.
CREATE FUNCTION mlmeta_internal.live_summaries(run mlmeta.run)
RETURNS TABLE (key text, context text, n bigint, nan_count bigint,
	minimum float8, maximum float8, last_step bigint, last_at timestamptz,
	last_value float8)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
-- A plan in line with those of views would look dear, and be compiled each time.
SET jit = off
AS $$
BEGIN
	RETURN QUERY
	SELECT s.key, s.context, a.n, a.nan_count, a.minimum, a.maximum, l.step,
		l.at, l.value
	FROM (
			SELECT c.key, c.context, pg_catalog.array_agg(c.series) AS numbers
			FROM mlmeta.metric_series AS c
			WHERE c.run OPERATOR(mlmeta.=) live_summaries.run
			GROUP BY c.key, c.context
		) AS s
		CROSS JOIN LATERAL (
			SELECT NOT EXISTS (
					SELECT
					FROM mlmeta.run_metrics AS m
					WHERE m.series = ANY (s.numbers)
				) AND coalesce(pg_catalog.bool_and(o.in_order AND o.apart),
					true) AS once
			FROM (
				SELECT k.in_order, coalesce((k.first_step, k.first_at)
					> (pg_catalog.lag(k.last_step) OVER previous,
						pg_catalog.lag(k.last_at) OVER previous), true) AS apart
				FROM mlmeta.metric_chunks AS k
				WHERE k.series = ANY (s.numbers)
				WINDOW previous AS (ORDER BY k.last_step, k.last_at)
			) AS o
		) AS p
		CROSS JOIN LATERAL (
			SELECT pg_catalog.sum(k.n)::bigint AS n,
				pg_catalog.sum(k.nan_count)::bigint AS nan_count,
				pg_catalog.min(k.minimum) AS minimum,
				pg_catalog.max(k.maximum) AS maximum
			FROM mlmeta.metric_chunks AS k
			WHERE p.once AND k.series = ANY (s.numbers)
			HAVING p.once
			UNION ALL
			SELECT pg_catalog.count(*),
				pg_catalog.count(*) FILTER (WHERE u.value = 'NaN'),
				pg_catalog.min(u.value) FILTER (WHERE u.value <> 'NaN'),
				pg_catalog.max(u.value) FILTER (WHERE u.value <> 'NaN')
			FROM (
				SELECT m.step, m.at, m.value
				FROM mlmeta.run_metrics AS m
				WHERE NOT p.once AND m.series = ANY (s.numbers)
				UNION
				SELECT v.step, v.at, v.value
				FROM mlmeta.metric_chunks AS k
					CROSS JOIN LATERAL mlmeta.unpack_series(k.points) AS v
				WHERE NOT p.once AND k.series = ANY (s.numbers)
			) AS u
			HAVING NOT p.once
		) AS a
		CROSS JOIN LATERAL (
			SELECT f.step, f.at, f.value
			FROM pg_catalog.unnest(s.numbers) AS c (series)
				CROSS JOIN LATERAL (
					(
						SELECT m.step, m.at, m.value
						FROM mlmeta.run_metrics AS m
						WHERE m.series = c.series
						ORDER BY m.step DESC, m.at DESC,
							nullif(m.value, 'NaN'::float8) DESC NULLS LAST
						LIMIT 1
					)
					UNION ALL
					(
						SELECT k.last_step, k.last_at, k.last_value
						FROM mlmeta.metric_chunks AS k
						WHERE k.series = c.series
						ORDER BY k.last_step DESC, k.last_at DESC,
							nullif(k.last_value, 'NaN'::float8) DESC NULLS LAST
						LIMIT 1
					)
				) AS f
			ORDER BY f.step DESC, f.at DESC,
				nullif(f.value, 'NaN'::float8) DESC NULLS LAST
			LIMIT 1
		) AS l;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.live_summaries(mlmeta.run) IS
	'each metric of one run summed up from its points, with the latest';

-- No body parsed at installation: pg_upgrade would restore the view that it reads
-- with it, before the operators that the view needs.
CREATE FUNCTION mlmeta_internal.live_metrics(run mlmeta.run) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT coalesce(jsonb_object_agg(
			mlmeta_internal.metric_label(l.key, l.context), to_jsonb(l.value)
			ORDER BY l.step, l.at, l.value), '{}')
		FROM mlmeta.metric_latest AS l
		WHERE l.run OPERATOR(mlmeta.=) live_metrics.run
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.live_metrics(mlmeta.run) IS
	'the latest value of each metric of a run as a JSON object';

CREATE FUNCTION mlmeta_internal.stored_rows(run mlmeta.run) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
RETURN coalesce((
	SELECT pg_catalog.sum((
			SELECT pg_catalog.count(*)
			FROM mlmeta.run_metrics AS m
			WHERE m.series = s.series
		) + (
			SELECT coalesce(pg_catalog.sum(c.n), 0)
			FROM mlmeta.metric_chunks AS c
			WHERE c.series = s.series
		))::bigint
	FROM mlmeta.metric_series AS s
	WHERE s.run OPERATOR(mlmeta.=) stored_rows.run
), 0) + (
	SELECT pg_catalog.count(*)
	FROM mlmeta.run_params AS p
	WHERE p.run OPERATOR(mlmeta.=) stored_rows.run
) + (
	SELECT pg_catalog.count(*)
	FROM mlmeta.run_artifacts AS a
	WHERE a.run OPERATOR(mlmeta.=) stored_rows.run
);

COMMENT ON FUNCTION mlmeta_internal.stored_rows(mlmeta.run) IS
	'how many points, parameters and edges of a run are stored, those that are there twice as two: whether anything has come since tells this number';

CREATE FUNCTION mlmeta_internal.write_results(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- A plan made while these tables are small is kept while they grow. What cannot
-- do without a scan looks dear then, and would be compiled each time.
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
	DELETE FROM mlmeta.run_metric_summaries AS s
	WHERE s.run OPERATOR(mlmeta.=) write_results.run;
	DELETE FROM mlmeta.run_results AS s
	WHERE s.run OPERATOR(mlmeta.=) write_results.run;

	-- Of a run that goes on or is deleted nothing stays written.
	INSERT INTO mlmeta.run_metric_summaries (run, experiment_id, key, context,
		n, nan_count, minimum, maximum, last_step, last_at, last_value,
		higher_is_better)
	SELECT r.run, r.experiment_id, s.key, s.context, s.n, s.nan_count,
		s.minimum, s.maximum, s.last_step, s.last_at, s.last_value,
		mlmeta.higher_is_better(s.key)
	FROM mlmeta.runs AS r
		CROSS JOIN LATERAL mlmeta_internal.live_summaries(write_results.run) AS s
	WHERE r.run OPERATOR(mlmeta.=) write_results.run
		AND r.finished_at IS NOT NULL AND r.deleted_at IS NULL;

	INSERT INTO mlmeta.run_results (run, params, metrics, signature,
		stored_rows)
	SELECT r.run, mlmeta_internal.params_of(r.run), (
			SELECT coalesce(jsonb_object_agg(
				mlmeta_internal.metric_label(s.key, s.context),
				to_jsonb(s.last_value)
				ORDER BY s.last_step, s.last_at, s.last_value), '{}')
			FROM mlmeta.run_metric_summaries AS s
			WHERE s.run OPERATOR(mlmeta.=) write_results.run
		), mlmeta_internal.run_signature(r.run), mlmeta_internal.stored_rows(r.run)
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) write_results.run
		AND r.finished_at IS NOT NULL AND r.deleted_at IS NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.write_results(mlmeta.run) IS
	'writes the results of an ended run anew, whose row the caller has locked; removes those of a run that goes on or is deleted';

CREATE FUNCTION mlmeta_internal.refresh_results(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.lock_run(run);
	PERFORM mlmeta_internal.write_results(run);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.refresh_results(mlmeta.run) IS
	'writes the results of an ended run anew; nobody needs to call it: what has come since is read live';

-- Settling --------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.next_transaction() RETURNS xid8
	LANGUAGE C VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'mlmeta_next_transaction';

COMMENT ON FUNCTION mlmeta_internal.next_transaction() IS
	'the number that the next transaction gets: all that have one have a lesser one';

-- A number beyond all that there are is that of another cluster, from which the
-- rows were restored: nobody there is waited for.
CREATE FUNCTION mlmeta_internal.is_settled(seen xid8) RETURNS boolean
LANGUAGE sql VOLATILE PARALLEL UNSAFE
RETURN seen <= pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
	OR seen > mlmeta_internal.next_transaction();

COMMENT ON FUNCTION mlmeta_internal.is_settled(xid8) IS
	'whether all transactions below a number have ended; NULL for NULL';

-- Everybody who may have seen a run running, of which this sees the end, has had
-- his number before: it lies below the next one.
CREATE FUNCTION mlmeta_internal.look_at_ends(most int) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE mlmeta.run_marks AS m
	SET seen = mlmeta_internal.next_transaction()
	FROM (
		SELECT l.ctid AS at
		FROM mlmeta.run_marks AS l
		WHERE l.seen IS NULL AND l.marked_by <> pg_current_xact_id()
		LIMIT most
		FOR UPDATE SKIP LOCKED
	) AS unseen
	WHERE m.ctid = unseen.at;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.look_at_ends(int) IS
	'notes for ends that nobody has looked at which transactions must be waited for';

CREATE FUNCTION mlmeta_internal.settle_run(run mlmeta.run) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	-- On an old snapshot what came since would be missed.
	IF current_setting('transaction_isolation') <> 'read committed'
			OR NOT mlmeta_internal.permits_run('writer', run) THEN
		RETURN false;
	END IF;
	PERFORM
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) settle_run.run
	FOR NO KEY UPDATE SKIP LOCKED;
	IF NOT FOUND AND EXISTS (SELECT FROM mlmeta.runs AS r
			WHERE r.run OPERATOR(mlmeta.=) settle_run.run) THEN
		RETURN false;
	END IF;

	-- What a mark stands for is seen with it, and by the next statement too.
	DELETE FROM mlmeta.run_marks AS m
	USING (
		SELECT l.ctid AS at
		FROM mlmeta.run_marks AS l
		WHERE l.run OPERATOR(mlmeta.=) settle_run.run
			AND mlmeta_internal.is_settled(l.seen)
		FOR UPDATE SKIP LOCKED
	) AS settled
	WHERE m.ctid = settled.at;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM mlmeta_internal.write_results(run);
	RETURN true;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.settle_run(mlmeta.run) IS
	'writes the results of a marked run anew and takes its marks away, as far as nobody can be writing any more; true when it did; waits for nobody';

-- As a rule nothing has come since a run ended. Then its mark goes without a
-- look at the points, so that there are few marks even where nobody calls
-- settle_results(). No row of another run is locked.
CREATE FUNCTION mlmeta_internal.settle_some(but mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most CONSTANT int := 3;
	largest CONSTANT bigint := 20000;
	mark record;
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RETURN;
	END IF;
	PERFORM mlmeta_internal.look_at_ends(most);
	FOR mark IN
		SELECT m.ctid AS at, m.run, s.stored_rows
		FROM mlmeta.run_marks AS m
			JOIN mlmeta.run_results AS s ON s.run OPERATOR(mlmeta.=) m.run
		WHERE m.seen <> '0' AND mlmeta_internal.is_settled(m.seen)
			AND m.run OPERATOR(mlmeta.<>) but AND s.stored_rows <= largest
		ORDER BY m.marked_at DESC
		LIMIT most
		FOR UPDATE OF m SKIP LOCKED
	LOOP
		DELETE FROM mlmeta.run_marks AS m
		WHERE m.ctid = mark.at
			AND mlmeta_internal.stored_rows(mark.run) = mark.stored_rows;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.settle_some(mlmeta.run) IS
	'takes the marks of a few runs away that ended a while ago and to which nothing has come since';

CREATE FUNCTION mlmeta_internal.unsettled_runs() RETURNS SETOF mlmeta.run
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.look_at_ends(NULL);
	RETURN QUERY
	SELECT DISTINCT m.run
	FROM mlmeta.run_marks AS m
	WHERE mlmeta_internal.permits_run('writer', m.run);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.unsettled_runs() IS
	'the runs whose results lag behind or may, for settle_run()';

CREATE PROCEDURE mlmeta.settle_results()
LANGUAGE plpgsql
AS $$
DECLARE
	marked mlmeta.run[];
	one mlmeta.run;
BEGIN
	-- No SET clause: it would forbid COMMIT. Every name is qualified.
	marked := ARRAY(SELECT mlmeta.unsettled_runs());
	COMMIT;
	PERFORM mlmeta.check_budgets();
	COMMIT;
	FOREACH one IN ARRAY marked LOOP
		PERFORM mlmeta.settle_run(one);
		COMMIT;
	END LOOP;
END
$$;

COMMENT ON PROCEDURE mlmeta.settle_results() IS
	'writes the results of all runs that have ended, or to which something was logged since, as far as nobody can be writing any more, and commits after each run; announces budgets that were passed';

CREATE VIEW mlmeta_internal.live_runs WITH (security_invoker = true) AS
SELECT r.run, r.experiment_id
FROM mlmeta.runs AS r
	JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
WHERE r.status = 'running' AND r.deleted_at IS NULL AND e.deleted_at IS NULL
UNION ALL
SELECT r.run, r.experiment_id
FROM (SELECT DISTINCT m.run FROM mlmeta.run_marks AS m) AS k
	JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) k.run
	JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
WHERE r.status <> 'running' AND r.deleted_at IS NULL AND e.deleted_at IS NULL;

COMMENT ON VIEW mlmeta_internal.live_runs IS
	'the runs that are read live: those that are running, and those with a mark';

-- A metric's direction holds in all projects.
CREATE FUNCTION mlmeta_internal.rescore(key text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	higher boolean := mlmeta.higher_is_better(key);
BEGIN
	UPDATE mlmeta.run_metric_summaries AS s
	SET higher_is_better = higher
	WHERE s.key = rescore.key AND s.higher_is_better <> higher;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rescore(text) IS
	'brings the scores of a metric into the direction that set_metric() gave it';
