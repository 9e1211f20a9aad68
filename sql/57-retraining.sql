-- Training a version again: all that it takes, and a queue of wishes to do so.

CREATE FUNCTION mlmeta_internal.data_state(dataset mlmeta.artifact) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN jsonb_build_object('unchanged', mlmeta.dataset_is_current(dataset));
EXCEPTION
	WHEN insufficient_privilege OR undefined_object OR undefined_function
			OR object_not_in_prerequisite_state THEN
		RETURN jsonb_build_object('unchanged', NULL, 'reason', SQLERRM);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.data_state(mlmeta.artifact) IS
	'whether the source of a dataset still holds the rows of its snapshot, or why the caller cannot tell';

CREATE FUNCTION mlmeta.training_record(
	model text,
	version int,
	check_data boolean DEFAULT true
) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
SET datestyle = 'ISO, MDY'
AS $$
DECLARE
	v record;
	result jsonb;
BEGIN
	SELECT o.* INTO v
	FROM mlmeta.version_overview AS o
	WHERE o.model = training_record.model
		AND o.version = training_record.version;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'model % has no version %',
				coalesce('"' || model || '"', 'NULL'),
				coalesce(version::text, 'NULL')
			USING ERRCODE = 'undefined_object';
	END IF;

	result := jsonb_build_object('model', v.model, 'version', v.version,
		'project', v.project, 'stage', v.stage, 'aliases', v.aliases,
		'artifact', v.artifact::text, 'run', v.run::text,
		'training_data', v.training_data::text, 'has_profile', v.has_profile,
		'place', jsonb_build_object('from', v.place_from, 'others',
			v.other_places),
		'description', v.description, 'tags', v.tags, 'created_at',
		v.created_at, 'created_by', v.created_by);

	SELECT result || jsonb_build_object(
		'experiment', e.experiment,
		'name', r.name,
		'status', r.status,
		'user', r.user_name,
		'started_at', r.started_at,
		'finished_at', r.finished_at,
		'code', jsonb_build_object('repository', r.repository, 'commit',
			r.git_commit, 'branch', r.branch, 'entry_point', r.entry_point,
			'patch', p.content, 'source', r.source),
		'command', r.command_line,
		'environment', c.content,
		'devices', r.devices,
		-- From what was logged, which is append-only, and also of a run that
		-- delete_run() hid since.
		'params', mlmeta_internal.params_of(r.run),
		'metrics', (
			SELECT coalesce(jsonb_object_agg(mlmeta_internal.metric_label(l.key,
				l.context), l.last_value), '{}')
			FROM mlmeta_internal.live_summaries(r.run) AS l
		))
	INTO result
	FROM mlmeta.runs AS r
		JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
		LEFT JOIN mlmeta.source_patches AS p ON p.patch = r.patch
		LEFT JOIN mlmeta.environments AS c ON c.environment = r.environment
	WHERE r.run OPERATOR(mlmeta.=) v.run
	UNION ALL
	SELECT result
	LIMIT 1;

	RETURN result || jsonb_build_object(
		'data', (
			SELECT coalesce(jsonb_agg(jsonb_build_object('artifact',
					d.artifact::text, 'role', d.role, 'fingerprint',
					s.fingerprint, 'row_count', s.row_count, 'source',
					s.source, 'query', s.query, 'columns', s.columns,
					'taken_at', s.taken_at, 'copy_table', s.copy_table)
				|| CASE WHEN s.snapshot IS NULL
						THEN '{"unchanged": null, "reason": "no snapshot was taken"}'
					WHEN check_data THEN mlmeta_internal.data_state(d.artifact)
					ELSE '{"unchanged": null}' END
				ORDER BY d.artifact), '[]')
			FROM (
				SELECT a.artifact, min(a.role) AS role
				FROM (
					SELECT u.artifact, u.role
					FROM mlmeta.run_artifacts AS u
					WHERE u.run OPERATOR(mlmeta.=) v.run
						AND u.direction = 'used'
						AND mlmeta.kind(u.artifact) = 'dataset'
					UNION ALL
					SELECT v.training_data, 'training'
					WHERE v.training_data IS NOT NULL
				) AS a
				GROUP BY a.artifact
			) AS d
				LEFT JOIN LATERAL (
					SELECT l.*
					FROM mlmeta.dataset_snapshots AS l
					WHERE l.artifact OPERATOR(mlmeta.=) d.artifact
					ORDER BY l.taken_at DESC
					LIMIT 1
				) AS s ON true
		),
		'lineage', (
			SELECT coalesce(jsonb_agg(jsonb_build_object('depth', t.depth,
				'node', t.node, 'via', t.via)), '[]')
			FROM mlmeta.upstream(v.run) AS t
			WHERE v.run IS NOT NULL
		),
		'transitions', (
			SELECT coalesce(jsonb_agg(jsonb_build_object('request', q.request,
				'from_stage', q.from_stage, 'stage', q.stage, 'status',
				q.status, 'requested_by', q.requested_by, 'requested_at',
				q.requested_at, 'comment', q.comment, 'decided_at',
				q.decided_at, 'decision', q.decision, 'bypassed', q.bypassed,
				'approvals', (
					SELECT coalesce(jsonb_agg(jsonb_build_object('user',
						a.user_name, 'approved', a.approved, 'comment',
						a.comment, 'at', a.at) ORDER BY a.at), '[]')
					FROM mlmeta.approvals AS a
					WHERE a.request = q.request
				), 'gates', (
					SELECT coalesce(jsonb_agg(jsonb_build_object('gate', g.name,
						'passed', g.passed, 'detail', g.detail, 'problem',
						g.problem, 'query', g.query) ORDER BY g.name), '[]')
					FROM mlmeta.gate_results AS g
					WHERE g.request = q.request
				)) ORDER BY q.request), '[]')
			FROM mlmeta.transition_requests AS q
				JOIN mlmeta.models AS m ON m.model_id = q.model_id
			WHERE m.model = training_record.model
				AND q.version = training_record.version
		));
END
$$;

COMMENT ON FUNCTION mlmeta.training_record(text, int, boolean) IS
	'all that is needed to train a version again, one JSON object: code with patch, command, params, environment, data versions and whether the data is still the same, metrics, lineage, approvals; check_data false: does not read the data';

-- The queue -------------------------------------------------------------------

CREATE TABLE mlmeta.retrain_requests (
	request bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	model_id bigint NOT NULL,
	version int NOT NULL,
	reason text NOT NULL,
	alert bigint,
	status text NOT NULL DEFAULT 'pending' CHECK (status = ANY (ARRAY[
		'pending', 'claimed', 'running', 'done', 'failed', 'cancelled'])),
	requested_by text NOT NULL,
	requested_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	claimed_by text,
	claimer_id bigint,
	claimed_until timestamptz,
	run mlmeta.run,
	new_version int,
	ended_at timestamptz,
	CONSTRAINT retrain_requests_alert UNIQUE (model_id, alert)
);

CREATE INDEX retrain_requests_open ON mlmeta.retrain_requests (request)
	WHERE status = ANY (ARRAY['pending', 'claimed']);
CREATE INDEX retrain_requests_model ON mlmeta.retrain_requests
	(model_id, version);

COMMENT ON TABLE mlmeta.retrain_requests IS
	'wishes to train a version again, filed by hand or by an alert, taken by workers with claim_retraining()';
COMMENT ON COLUMN mlmeta.retrain_requests.version IS
	'the version to be replaced';
COMMENT ON COLUMN mlmeta.retrain_requests.alert IS
	'number of the alert that filed it; one request of a model an alert';
COMMENT ON COLUMN mlmeta.retrain_requests.claimer_id IS
	'the person who claimed it, whatever he is called now';
COMMENT ON COLUMN mlmeta.retrain_requests.claimed_until IS
	'when another worker may claim it, unless training has begun';
COMMENT ON COLUMN mlmeta.retrain_requests.run IS
	'the run that trains the new version';
COMMENT ON COLUMN mlmeta.retrain_requests.new_version IS
	'the version that came out';

CREATE FUNCTION mlmeta_internal.request_retraining(
	model text,
	version int DEFAULT NULL,
	reason text DEFAULT 'requested by hand',
	alert bigint DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.models := mlmeta_internal.lock_model(model, 'writer');
	replaced int := version;
	number bigint;
BEGIN
	IF reason IS NULL THEN
		RAISE EXCEPTION 'reason to train model "%" again must not be null', model
			USING ERRCODE = 'null_value_not_allowed';
	ELSIF version IS NULL THEN
		-- What is in use: in the last exclusive stage that has one, else the
		-- latest.
		SELECT v.version INTO replaced
		FROM mlmeta.model_versions AS v
			JOIN mlmeta.stages AS s ON s.stage = v.stage
		WHERE v.model_id = m.model_id AND v.deleted_at IS NULL
		ORDER BY s.exclusive DESC, CASE WHEN s.exclusive THEN s.rank END DESC,
			v.version DESC
		LIMIT 1;
	END IF;
	PERFORM mlmeta_internal.find_version(m, replaced);

	INSERT INTO mlmeta.retrain_requests (model_id, version, reason, alert,
		requested_by)
	VALUES (m.model_id, replaced, request_retraining.reason,
		request_retraining.alert, mlmeta_internal.actor())
	ON CONFLICT ON CONSTRAINT retrain_requests_alert DO NOTHING
	RETURNING request INTO number;
	IF number IS NULL THEN
		-- The alert has filed it already.
		SELECT r.request INTO number
		FROM mlmeta.retrain_requests AS r
		WHERE r.model_id = m.model_id AND r.alert = request_retraining.alert;
		RETURN number;
	END IF;
	PERFORM mlmeta_internal.record_change(m.model_id, replaced, 'retraining_requested',
		jsonb_build_object('request', number, 'reason', reason, 'alert',
			alert));
	PERFORM pg_notify('mlmeta_retraining', number::text);
	RETURN number;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.request_retraining(text, int, text, bigint) IS
	'asks for a version to be trained again, by default the one in production, notifies the channel mlmeta_retraining, and returns the number of the request; one an alert';

CREATE FUNCTION mlmeta_internal.claim_retraining(
	lease interval DEFAULT '1 hour',
	model text DEFAULT NULL,
	OUT request bigint,
	OUT model_name text,
	OUT version int,
	OUT reason text,
	OUT alert bigint
) RETURNS SETOF record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	IF lease > interval '0' IS NOT TRUE OR lease > interval '1000 years' THEN
		RAISE EXCEPTION 'a lease of % is not valid', coalesce(lease::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Give the time in which the worker starts the training.';
	END IF;
	RETURN QUERY
	UPDATE mlmeta.retrain_requests AS r
	SET status = 'claimed', claimed_by = mlmeta_internal.actor(),
		claimer_id = mlmeta_internal.principal(mlmeta_internal.actor()),
		claimed_until = clock_timestamp() + lease
	FROM (
		SELECT q.request AS number, m.model
		FROM mlmeta.retrain_requests AS q
			JOIN mlmeta.models AS m ON m.model_id = q.model_id
		WHERE (q.status = 'pending' OR (q.status = 'claimed'
				AND q.claimed_until < clock_timestamp()))
			AND (claim_retraining.model IS NULL
				OR m.model = claim_retraining.model)
			AND mlmeta_internal.permits_project('writer', m.project)
		ORDER BY q.request
		LIMIT 1
		FOR UPDATE OF q SKIP LOCKED
	) AS n
	WHERE r.request = n.number
	RETURNING r.request, n.model, r.version, r.reason, r.alert;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.claim_retraining(interval, text) IS
	'takes the oldest request to train a version again that no other worker has in hand, or no row; it is free again when the lease is over before start_retraining()';

CREATE FUNCTION mlmeta_internal.find_retraining(request bigint, statuses text[])
RETURNS mlmeta.retrain_requests
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text;
	result mlmeta.retrain_requests;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	SELECT m.model INTO name
	FROM mlmeta.retrain_requests AS r
		JOIN mlmeta.models AS m ON m.model_id = r.model_id
	WHERE r.request = find_retraining.request
		AND mlmeta_internal.permits_project('reader', m.project);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'request to train again % does not exist',
				coalesce(request::text, 'NULL')
			USING ERRCODE = 'undefined_object';
	END IF;
	-- The model first, as everywhere.
	PERFORM mlmeta_internal.lock_model(name, 'writer');
	SELECT r.* INTO STRICT result
	FROM mlmeta.retrain_requests AS r
	WHERE r.request = find_retraining.request
	FOR UPDATE;
	IF NOT result.status = ANY (statuses) THEN
		RAISE EXCEPTION 'request to train again % is %', request, result.status
			USING ERRCODE = 'object_not_in_prerequisite_state';
	ELSIF result.status <> 'pending'
			AND NOT mlmeta_internal.is_actor(result.claimer_id)
			-- Who is gone has nothing in hand.
			AND mlmeta_internal.principal_role(result.claimer_id) IS NOT NULL THEN
		RAISE EXCEPTION 'request to train again % is in the hands of "%"',
				request, result.claimed_by
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_retraining(bigint, text[]) IS
	'the row of a request to train again, locked like its model; raises an error unless it has one of the statuses and nobody else has it in hand';

CREATE FUNCTION mlmeta_internal.link_retraining(request bigint, trained_by mlmeta.run)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	claimed mlmeta.retrain_requests :=
		mlmeta_internal.find_retraining(request, ARRAY['claimed']);
BEGIN
	PERFORM mlmeta_internal.require_run(trained_by);
	UPDATE mlmeta.retrain_requests AS r
	SET status = 'running', run = trained_by
	WHERE r.request = link_retraining.request;
	PERFORM mlmeta_internal.record_change(claimed.model_id, claimed.version,
		'retraining_started', jsonb_build_object('request', request, 'run',
			trained_by::text));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.link_retraining(bigint, mlmeta.run) IS
	'says which run trains the version of a claimed request again';

CREATE FUNCTION mlmeta_internal.start_retraining(
	request bigint,
	params jsonb DEFAULT NULL,
	source jsonb DEFAULT NULL
) RETURNS mlmeta.run
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old record;
	result mlmeta.run;
BEGIN
	PERFORM mlmeta_internal.find_retraining(request, ARRAY['claimed']);
	-- A run that the worker may not see gives nothing away.
	SELECT m.model, q.version, r.run, e.experiment INTO old
	FROM mlmeta.retrain_requests AS q
		JOIN mlmeta.models AS m ON m.model_id = q.model_id
		JOIN mlmeta.model_versions AS v ON v.model_id = q.model_id
			AND v.version = q.version
		LEFT JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) v.run
			AND mlmeta_internal.permits_run('writer', r.run)
		LEFT JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
	WHERE q.request = start_retraining.request;
	result := mlmeta_internal.start_run(coalesce(old.experiment, old.model),
		format('%s:%s again', old.model, old.version), coalesce((
			SELECT jsonb_object_agg(p.key, p.value)
			FROM mlmeta.run_params AS p
			WHERE p.run OPERATOR(mlmeta.=) old.run
		), '{}') || coalesce(params, '{}'),
		jsonb_build_object('retrains', format('%s:%s', old.model, old.version),
			'retrain_request', request),
		source => start_retraining.source);
	PERFORM mlmeta_internal.link_retraining(request, result);
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.start_retraining(bigint, jsonb, jsonb) IS
	'starts the run for a claimed request: in the experiment and with the parameters of the run the version came out of, where the given ones do not differ; tags say what it replaces';

CREATE FUNCTION mlmeta_internal.end_retraining(
	request bigint,
	statuses text[],
	outcome text,
	new_version int
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.retrain_requests := mlmeta_internal.find_retraining(request, statuses);
	m mlmeta.models;
BEGIN
	IF new_version IS NOT NULL THEN
		SELECT o.* INTO STRICT m
		FROM mlmeta.models AS o
		WHERE o.model_id = old.model_id;
		PERFORM mlmeta_internal.find_version(m, new_version);
		IF new_version = old.version THEN
			RAISE EXCEPTION 'version % of model "%" cannot replace itself',
					new_version, m.model
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END IF;
	UPDATE mlmeta.retrain_requests AS r
	SET status = outcome, new_version = end_retraining.new_version,
		ended_at = clock_timestamp()
	WHERE r.request = end_retraining.request;
	PERFORM mlmeta_internal.record_change(old.model_id, old.version,
		'retraining_' || outcome, jsonb_build_object('request', request, 'run',
			old.run::text, 'new_version', new_version));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.end_retraining(bigint, text[], text, int) IS
	'ends a request to train again that has one of the statuses, and records how';

CREATE FUNCTION mlmeta_internal.finish_retraining(
	request bigint,
	new_version int DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.end_retraining(request, ARRAY['claimed', 'running'],
		CASE WHEN new_version IS NULL THEN 'failed' ELSE 'done' END,
		new_version);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.finish_retraining(bigint, int) IS
	'says which version came out of training again; NULL: none, it failed';

CREATE FUNCTION mlmeta_internal.cancel_retraining(request bigint) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.end_retraining(request, ARRAY['pending', 'claimed',
		'running'], 'cancelled', NULL);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.cancel_retraining(bigint) IS
	'takes back a request to train a version again: one that is pending, or that the caller has in hand';

CREATE VIEW mlmeta.retrain_queue WITH (security_invoker = true) AS
SELECT r.request, m.model, r.version, r.status, r.reason, r.alert,
	r.requested_by, r.requested_at, r.claimed_by, r.claimed_until, r.run,
	r.new_version, r.ended_at
FROM mlmeta.retrain_requests AS r
	JOIN mlmeta.models AS m ON m.model_id = r.model_id;

COMMENT ON VIEW mlmeta.retrain_queue IS
	'requests to train versions again and what became of them';
COMMENT ON COLUMN mlmeta.retrain_queue.request IS 'number of the request';
COMMENT ON COLUMN mlmeta.retrain_queue.model IS 'name of the model';
COMMENT ON COLUMN mlmeta.retrain_queue.version IS 'number of the version that is to be replaced';
COMMENT ON COLUMN mlmeta.retrain_queue.status IS 'state of the request';
COMMENT ON COLUMN mlmeta.retrain_queue.reason IS 'why';
COMMENT ON COLUMN mlmeta.retrain_queue.alert IS 'number of the alert that led to it; NULL: none';
COMMENT ON COLUMN mlmeta.retrain_queue.requested_by IS 'who asked for it';
COMMENT ON COLUMN mlmeta.retrain_queue.requested_at IS 'when';
COMMENT ON COLUMN mlmeta.retrain_queue.claimed_by IS 'the worker that has taken it';
COMMENT ON COLUMN mlmeta.retrain_queue.claimed_until IS 'until when it is that worker''s';
COMMENT ON COLUMN mlmeta.retrain_queue.run IS 'the run that retrains';
COMMENT ON COLUMN mlmeta.retrain_queue.new_version IS 'number of the version that came of it';
COMMENT ON COLUMN mlmeta.retrain_queue.ended_at IS 'when it was done or given up';
