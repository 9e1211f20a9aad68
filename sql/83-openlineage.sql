-- OpenLineage: events of pipelines become runs, artifacts and lineage.
--
-- Events come in any order, late and twice. So nothing here depends on what came
-- first: of each facet the one with the latest event time is kept, a run begins
-- at the earliest and ends by the latest event that says so, its datasets are
-- those that any event names. What lineage follows from is worked out again
-- where an event changes it: the same events leave the same rows behind, in
-- whatever order they came.
--
-- Which version of a dataset a run read is, where no event says, the one that
-- was written last before the run first spoke of it. What a run writes is a
-- version of its own, so that a job which reads and writes one dataset closes no
-- circle.

CREATE TABLE mlmeta.openlineage_rejected (
	digest bytea PRIMARY KEY,
	path text NOT NULL,
	reason text NOT NULL,
	event text NOT NULL,
	size bigint NOT NULL,
	rejected_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	rejected_by text NOT NULL DEFAULT mlmeta_internal.actor()
);

COMMENT ON TABLE mlmeta.openlineage_rejected IS
	'events that ingest_openlineage() refused, each once';
COMMENT ON COLUMN mlmeta.openlineage_rejected.digest IS
	'SHA-256 of the event''s text in UTF-8';
COMMENT ON COLUMN mlmeta.openlineage_rejected.path IS
	'where the fault is, such as $.inputs[2].name';
COMMENT ON COLUMN mlmeta.openlineage_rejected.reason IS
	'what is wrong there';
COMMENT ON COLUMN mlmeta.openlineage_rejected.event IS
	'the event, of long ones the first 100,000 characters';
COMMENT ON COLUMN mlmeta.openlineage_rejected.size IS
	'length of the event''s text in bytes';
COMMENT ON COLUMN mlmeta.openlineage_rejected.rejected_at IS
	'when it came first';
COMMENT ON COLUMN mlmeta.openlineage_rejected.rejected_by IS
	'the user who sent it, as the server knows it';

-- Jobs and datasets are known by a digest: their names are as long as they like.
CREATE TABLE mlmeta_internal.lineage_names (
	id uuid PRIMARY KEY,
	kind text NOT NULL CHECK (kind = ANY (ARRAY['job', 'dataset'])),
	namespace text NOT NULL,
	name text NOT NULL,
	project text NOT NULL
);

COMMENT ON TABLE mlmeta_internal.lineage_names IS
	'jobs and datasets that events of OpenLineage name';

CREATE TABLE mlmeta_internal.lineage_facets (
	subject text NOT NULL CHECK (subject
		= ANY (ARRAY['run', 'job', 'dataset', 'input', 'output'])),
	id uuid NOT NULL,
	dataset uuid NOT NULL,
	facet text NOT NULL,
	event_time text COLLATE "C" NOT NULL,
	body jsonb NOT NULL,
	PRIMARY KEY (id, subject, dataset, facet)
);

COMMENT ON TABLE mlmeta_internal.lineage_facets IS
	'facets, known and unknown, as the latest event had them; a deleted one stays as a mark';
COMMENT ON COLUMN mlmeta_internal.lineage_facets.id IS
	'the run, job or dataset that the facet is about';
COMMENT ON COLUMN mlmeta_internal.lineage_facets.dataset IS
	'of inputs and outputs of a run or job the dataset; else as id';
COMMENT ON COLUMN mlmeta_internal.lineage_facets.event_time IS
	'UTC with nanoseconds, always of one length: texts are in the order of time';

CREATE TABLE mlmeta_internal.lineage_runs (
	run mlmeta.run PRIMARY KEY,
	job uuid NOT NULL,
	job_time text COLLATE "C" NOT NULL,
	first_time text COLLATE "C" NOT NULL,
	last_time text COLLATE "C" NOT NULL,
	start_time text COLLATE "C",
	end_time text COLLATE "C",
	end_type text,
	is_ours boolean NOT NULL
);

CREATE INDEX lineage_runs_job ON mlmeta_internal.lineage_runs (job);

COMMENT ON TABLE mlmeta_internal.lineage_runs IS
	'runs that events of OpenLineage name, and the times that say when they began and ended';
COMMENT ON COLUMN mlmeta_internal.lineage_runs.is_ours IS
	'whether the run was tracked here before: events add to its lineage then and change nothing else';

CREATE TABLE mlmeta_internal.lineage_io (
	dataset uuid NOT NULL,
	direction text NOT NULL CHECK (direction = ANY (ARRAY['used', 'produced'])),
	run mlmeta.run NOT NULL,
	first_time text COLLATE "C" NOT NULL,
	last_time text COLLATE "C" NOT NULL,
	version text,
	version_time text COLLATE "C",
	artifact mlmeta.artifact,
	PRIMARY KEY (dataset, direction, run)
);

CREATE INDEX lineage_io_run ON mlmeta_internal.lineage_io (run);
CREATE INDEX lineage_io_time ON mlmeta_internal.lineage_io
	(dataset, direction, last_time);

COMMENT ON TABLE mlmeta_internal.lineage_io IS
	'which runs read and wrote which datasets, and the version that follows from all that is known';

CREATE TABLE mlmeta_internal.lineage_job_io (
	job uuid NOT NULL,
	direction text NOT NULL CHECK (direction = ANY (ARRAY['used', 'produced'])),
	dataset uuid NOT NULL,
	PRIMARY KEY (job, direction, dataset)
);

COMMENT ON TABLE mlmeta_internal.lineage_job_io IS
	'which jobs read and write which datasets, by their own events and those of their runs';

-- What a valid event is ------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.openlineage_time(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part CONSTANT text[] := regexp_match(value COLLATE "C",
		'^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[Tt ]((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:([Zz])|([+-](?:0\d|1[0-4]):?[0-5]\d))?$');
	day date;
	at timestamp;
BEGIN
	IF part IS NULL OR left(value, 4) = '0000' THEN
		RETURN NULL;
	END IF;
	-- Days that a month lacks would be an error.
	day := make_date(substr(value, 1, 4)::int, substr(value, 6, 2)::int, 1)
		+ (substr(value, 9, 2)::int - 1);
	IF to_char(day, 'YYYY-MM-DD') <> part[1] THEN
		RETURN NULL;
	END IF;
	-- Without a zone it is UTC.
	at := day + part[2]::time + make_interval(secs => part[3]::int)
		- coalesce(part[6]::interval, '0');
	RETURN to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS') || '.'
		|| rpad(left(coalesce(part[4], ''), 9), 9, '0');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.openlineage_time(text) IS
	'a time as RFC 3339 has it, or without a zone, as UTC with nanoseconds in one length; NULL for what is none';

CREATE FUNCTION mlmeta_internal.openlineage_at(event_time text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (pg_catalog.left(event_time, 26) || 'Z')::timestamptz;

COMMENT ON FUNCTION mlmeta_internal.openlineage_at(text) IS
	'the time that openlineage_time() wrote, to the microsecond below';

CREATE FUNCTION mlmeta_internal.facets_fault(facets jsonb, path text, deletes boolean)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN facets IS NULL THEN NULL
	WHEN pg_catalog.jsonb_typeof(facets) <> 'object' THEN path || ': must be an object'
	ELSE (
		SELECT path || '.' || f.key || p.fault
		FROM pg_catalog.jsonb_each(facets) AS f
			CROSS JOIN LATERAL (SELECT CASE
				WHEN pg_catalog.octet_length(f.key) > 1000
					THEN ': name has more than 1000 bytes'
				WHEN pg_catalog.jsonb_typeof(f.value) <> 'object'
					THEN ': must be an object'
				WHEN NOT f.value ? '_producer' THEN '._producer: is missing'
				WHEN pg_catalog.jsonb_typeof(f.value -> '_producer') <> 'string'
					THEN '._producer: must be a string'
				WHEN NOT f.value ? '_schemaURL' THEN '._schemaURL: is missing'
				WHEN pg_catalog.jsonb_typeof(f.value -> '_schemaURL') <> 'string'
					THEN '._schemaURL: must be a string'
				WHEN deletes AND pg_catalog.jsonb_typeof(f.value -> '_deleted') <> 'boolean'
					THEN '._deleted: must be a boolean'
			END AS fault) AS p
		WHERE p.fault IS NOT NULL
		ORDER BY f.key COLLATE "C"
		LIMIT 1
	)
END;

COMMENT ON FUNCTION mlmeta_internal.facets_fault(jsonb, text, boolean) IS
	'where and what the first fault of an object of facets is; NULL when there is none';

CREATE FUNCTION mlmeta_internal.name_fault(named jsonb, path text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN pg_catalog.jsonb_typeof(named) <> 'object' THEN path || ': must be an object'
	ELSE (
		SELECT path || '.' || k.key || CASE
			WHEN NOT named ? k.key THEN ': is missing'
			ELSE ': must be a string' END
		FROM pg_catalog.unnest(ARRAY['namespace', 'name']) WITH ORDINALITY AS k (key, n)
		WHERE pg_catalog.jsonb_typeof(named -> k.key) IS DISTINCT FROM 'string'
		ORDER BY k.n
		LIMIT 1
	)
END;

COMMENT ON FUNCTION mlmeta_internal.name_fault(jsonb, text) IS
	'where and what the first fault of a namespace and name is; NULL when there is none';

CREATE FUNCTION mlmeta_internal.datasets_fault(event jsonb, side text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN NOT event ? side THEN NULL
	WHEN pg_catalog.jsonb_typeof(event -> side) <> 'array'
		THEN '$.' || side || ': must be an array'
	ELSE (
		SELECT f.fault
		FROM pg_catalog.jsonb_array_elements(event -> side) WITH ORDINALITY AS d (value, n)
			CROSS JOIN LATERAL (SELECT pg_catalog.format('$.%s[%s]', side, d.n - 1) AS path) AS p
			CROSS JOIN LATERAL (SELECT coalesce(
				mlmeta_internal.name_fault(d.value, p.path),
				mlmeta_internal.facets_fault(d.value -> 'facets', p.path || '.facets', true),
				mlmeta_internal.facets_fault(d.value -> (pg_catalog.rtrim(side, 's') || 'Facets'),
					p.path || '.' || pg_catalog.rtrim(side, 's') || 'Facets', false)) AS fault) AS f
		WHERE f.fault IS NOT NULL
		ORDER BY d.n
		LIMIT 1
	)
END;

COMMENT ON FUNCTION mlmeta_internal.datasets_fault(jsonb, text) IS
	'where and what the first fault of the inputs or outputs of an event is; NULL when there is none';

CREATE FUNCTION mlmeta_internal.event_fault(event jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	required text;
BEGIN
	IF jsonb_typeof(event) IS DISTINCT FROM 'object' THEN
		RETURN '$: must be an object';
	END IF;
	FOREACH required IN ARRAY ARRAY['eventTime', 'producer', 'schemaURL'] LOOP
		IF NOT event ? required THEN
			RETURN '$.' || required || ': is missing';
		ELSIF jsonb_typeof(event -> required) <> 'string' THEN
			RETURN '$.' || required || ': must be a string';
		END IF;
	END LOOP;
	IF mlmeta_internal.openlineage_time(event ->> 'eventTime') IS NULL THEN
		RETURN '$.eventTime: must be a time such as 2020-12-28T19:52:00.001Z';
	ELSIF NOT event ?| ARRAY['run', 'job', 'dataset'] THEN
		RETURN '$: names neither run nor job nor dataset';
	ELSIF event ? 'dataset' AND NOT event ?& ARRAY['run', 'job'] THEN
		-- What a run says of a dataset is told by a run event.
		IF event ? 'job' THEN
			RETURN '$.dataset: a job event has none';
		END IF;
		RETURN coalesce(mlmeta_internal.name_fault(event -> 'dataset', '$.dataset'),
			mlmeta_internal.facets_fault(event -> 'dataset' -> 'facets',
				'$.dataset.facets', true));
	ELSIF NOT event ? 'job' THEN
		RETURN '$.job: is missing';
	END IF;
	IF event ? 'run' THEN
		IF jsonb_typeof(event -> 'run') <> 'object' THEN
			RETURN '$.run: must be an object';
		ELSIF NOT event -> 'run' ? 'runId' THEN
			RETURN '$.run.runId: is missing';
		ELSIF jsonb_typeof(event -> 'run' -> 'runId') <> 'string'
				OR (event -> 'run' ->> 'runId') COLLATE "C" !~*
				'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN
			RETURN '$.run.runId: must be a UUID';
		ELSIF event ? 'eventType' AND coalesce(event ->> 'eventType', '') <> ALL (
				'{START,RUNNING,COMPLETE,ABORT,FAIL,OTHER}') THEN
			RETURN '$.eventType: must be START, RUNNING, COMPLETE, ABORT, FAIL or OTHER';
		END IF;
	END IF;
	RETURN coalesce(mlmeta_internal.facets_fault(event -> 'run' -> 'facets',
			'$.run.facets', false),
		mlmeta_internal.name_fault(event -> 'job', '$.job'),
		mlmeta_internal.facets_fault(event -> 'job' -> 'facets', '$.job.facets', true),
		mlmeta_internal.datasets_fault(event, 'inputs'),
		mlmeta_internal.datasets_fault(event, 'outputs'));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.event_fault(jsonb) IS
	'where and what the first fault of an event is by OpenLineage''s schema 2-0-2, as PATH: REASON; NULL when it is valid';

CREATE FUNCTION mlmeta_internal.reject_event(event text, path text, reason text)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO mlmeta.openlineage_rejected (digest, path, reason, event, size)
	VALUES (sha256(convert_to(event, 'UTF8')), left(reject_event.path, 4000),
		reject_event.reason, left(event, 100000), octet_length(event))
	ON CONFLICT DO NOTHING;
	RETURN format('refused: %s: %s', path, reason);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.reject_event(text, text, text) IS
	'keeps an event that is refused, with what is wrong and where';

-- Jobs, datasets and facets ----------------------------------------------------------

CREATE FUNCTION mlmeta_internal.lineage_id(kind text, namespace text, name text)
RETURNS uuid
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN md5(jsonb_build_array(kind, namespace, name)::text);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lineage_id(text, text, text) IS
	'by what a job or dataset is known here';

CREATE FUNCTION mlmeta_internal.store_lineage_name(kind text, named jsonb, project text)
RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number CONSTANT uuid := mlmeta_internal.lineage_id(kind, named ->> 'namespace',
		named ->> 'name');
BEGIN
	INSERT INTO mlmeta_internal.lineage_names (id, kind, namespace, name, project)
	VALUES (number, store_lineage_name.kind, named ->> 'namespace',
		named ->> 'name', store_lineage_name.project)
	ON CONFLICT DO NOTHING;
	RETURN number;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_lineage_name(text, jsonb, text) IS
	'the id of a job or dataset, which is known from now on';

-- Of two facets of one event time the greater text stays: any rule does that is
-- the same in every order.
CREATE FUNCTION mlmeta_internal.store_facets(
	subject text,
	id uuid,
	dataset uuid,
	facets jsonb,
	event_time text
) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO mlmeta_internal.lineage_facets AS o (subject, id, dataset, facet,
		event_time, body)
	SELECT store_facets.subject, store_facets.id, store_facets.dataset, f.key,
		store_facets.event_time, f.value
	FROM pg_catalog.jsonb_each(store_facets.facets) AS f
	ORDER BY f.key
	ON CONFLICT (id, subject, dataset, facet) DO UPDATE
	SET event_time = excluded.event_time, body = excluded.body
	WHERE (excluded.event_time, excluded.body::text COLLATE "C")
		> (o.event_time, o.body::text COLLATE "C");
END;

COMMENT ON FUNCTION mlmeta_internal.store_facets(text, uuid, uuid, jsonb, text) IS
	'keeps facets unless later ones are there';

CREATE FUNCTION mlmeta_internal.dataset_artifact(
	namespace text,
	name text,
	version text
) RETURNS mlmeta.artifact
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT CASE
		-- What openlineage_event() wrote comes back as what it was.
		WHEN namespace = 'mlmeta' AND name COLLATE "C" ~ '^[a-z][a-z0-9_]*:[^:@[:cntrl:]]+$'
			AND pg_catalog.octet_length(name) <= 1000
			THEN mlmeta.artifact(pg_catalog.split_part(name, ':', 1),
				pg_catalog.substr(name, pg_catalog.strpos(name, ':') + 1),
				nullif(pg_catalog.regexp_replace(v.text, '@?sha256:[0-9a-f]{64}$', ''), ''),
				pg_catalog.substring(v.text, 'sha256:([0-9a-f]{64})$'))
		ELSE mlmeta.artifact('dataset', CASE
			WHEN pg_catalog.octet_length(n.text) <= 1024 THEN n.text
			ELSE pg_catalog.left(n.text, 200) || '~' || pg_catalog.md5(n.text) END, v.text)
	END
	FROM (SELECT namespace || '/' || name AS text) AS n,
		(SELECT CASE WHEN pg_catalog.octet_length(version) <= 255 THEN nullif(version, '')
			ELSE pg_catalog.md5(version) END AS text) AS v
);

COMMENT ON FUNCTION mlmeta_internal.dataset_artifact(text, text, text) IS
	'the artifact that a version of a dataset is: dataset:NAMESPACE/NAME:VERSION; what is too long is cut and told apart by a digest';

-- Edges ------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.io_version(io mlmeta_internal.lineage_io) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	last_write mlmeta_internal.lineage_io;
BEGIN
	IF io.direction = 'produced' THEN
		-- A version that it read is not what it wrote, whatever it says.
		RETURN CASE WHEN io.version IS NULL OR EXISTS (
				SELECT
				FROM mlmeta_internal.lineage_io AS i
				WHERE i.dataset = io.dataset AND i.direction = 'used'
					AND i.run OPERATOR(mlmeta.=) io.run AND i.version = io.version
			) THEN concat_ws('+', io.version, io.run::text)
			ELSE io.version END;
	ELSIF io.version IS NOT NULL THEN
		RETURN io.version;
	END IF;
	SELECT w.* INTO last_write
	FROM mlmeta_internal.lineage_io AS w
	WHERE w.dataset = io.dataset AND w.direction = 'produced'
		AND w.last_time < io.first_time AND w.run OPERATOR(mlmeta.<>) io.run
	ORDER BY w.last_time DESC, w.run DESC
	LIMIT 1;
	RETURN CASE WHEN FOUND THEN mlmeta_internal.io_version(last_write) END;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.io_version(mlmeta_internal.lineage_io) IS
	'the version of a dataset that a run read or wrote, by all that is known; NULL of what nobody is known to have written';

CREATE FUNCTION mlmeta_internal.settle_io(io mlmeta_internal.lineage_io) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	becomes mlmeta.artifact;
	at CONSTANT timestamptz := mlmeta_internal.openlineage_at(io.first_time);
BEGIN
	SELECT mlmeta_internal.dataset_artifact(n.namespace, n.name,
		mlmeta_internal.io_version(io))
	INTO becomes
	FROM mlmeta_internal.lineage_names AS n
	WHERE n.id = io.dataset;
	IF becomes OPERATOR(mlmeta.=) io.artifact AND EXISTS (
			SELECT
			FROM mlmeta.run_artifacts AS a
			WHERE a.run OPERATOR(mlmeta.=) io.run AND a.direction = io.direction
				AND a.artifact OPERATOR(mlmeta.=) becomes AND a.role = ''
				AND a.logged_at = at) THEN
		RETURN;
	END IF;
	-- What the run logged by itself stays as it is.
	PERFORM mlmeta_internal.lift_guards();
	DELETE FROM mlmeta.run_artifacts AS a
	WHERE a.run OPERATOR(mlmeta.=) io.run AND a.direction = io.direction
		AND a.artifact OPERATOR(mlmeta.=) io.artifact AND a.role = '';
	PERFORM mlmeta_internal.restore_guards();
	PERFORM mlmeta_internal.store_artifact(becomes, io.run::uuid, NULL);
	INSERT INTO mlmeta.run_artifacts (run, direction, artifact, role, logged_at)
	SELECT io.run, io.direction, becomes, '', at
	WHERE NOT EXISTS (SELECT FROM mlmeta.run_artifacts AS a
		WHERE a.run OPERATOR(mlmeta.=) io.run AND a.direction = io.direction
			AND a.artifact OPERATOR(mlmeta.=) becomes);
	UPDATE mlmeta_internal.lineage_io AS o
	SET artifact = CASE WHEN FOUND THEN becomes END
	WHERE o.dataset = io.dataset AND o.direction = io.direction
		AND o.run OPERATOR(mlmeta.=) io.run;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.settle_io(mlmeta_internal.lineage_io) IS
	'lets the lineage graph say of a run and a dataset what follows from all that is known';

CREATE FUNCTION mlmeta_internal.settle_readers(
	dataset uuid,
	low text,
	high text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	next_write CONSTANT text := (
		SELECT min(w.last_time)
		FROM mlmeta_internal.lineage_io AS w
		WHERE w.dataset = settle_readers.dataset AND w.direction = 'produced'
			AND w.last_time > high
	);
BEGIN
	PERFORM mlmeta_internal.settle_io(r)
	FROM mlmeta_internal.lineage_io AS r
	WHERE r.dataset = settle_readers.dataset AND r.direction = 'used'
		AND r.version IS NULL AND r.first_time >= low
		AND (next_write IS NULL OR r.first_time <= next_write);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.settle_readers(uuid, text, text) IS
	'the same of who read a dataset between two times and the next write: one in between is new, or has moved';

CREATE FUNCTION mlmeta_internal.store_io(
	run mlmeta.run,
	dataset uuid,
	direction text,
	version text,
	event_time text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta_internal.lineage_io;
	new mlmeta_internal.lineage_io;
BEGIN
	SELECT o.* INTO old
	FROM mlmeta_internal.lineage_io AS o
	WHERE o.dataset = store_io.dataset AND o.direction = store_io.direction
		AND o.run OPERATOR(mlmeta.=) store_io.run;
	INSERT INTO mlmeta_internal.lineage_io AS o (dataset, direction, run,
		first_time, last_time, version, version_time)
	VALUES (store_io.dataset, store_io.direction, store_io.run,
		store_io.event_time, store_io.event_time, store_io.version,
		CASE WHEN store_io.version IS NOT NULL THEN store_io.event_time END)
	ON CONFLICT ON CONSTRAINT lineage_io_pkey DO UPDATE
	SET first_time = least(o.first_time, excluded.first_time),
		last_time = greatest(o.last_time, excluded.last_time),
		version = CASE WHEN (excluded.version_time, excluded.version COLLATE "C")
			> (coalesce(o.version_time, ''), coalesce(o.version, '') COLLATE "C")
			THEN excluded.version ELSE o.version END,
		version_time = CASE WHEN (excluded.version_time, excluded.version COLLATE "C")
			> (coalesce(o.version_time, ''), coalesce(o.version, '') COLLATE "C")
			THEN excluded.version_time ELSE o.version_time END
	RETURNING o.* INTO new;
	IF (old.first_time, old.last_time, old.version)
			IS NOT DISTINCT FROM (new.first_time, new.last_time, new.version) THEN
		RETURN;
	END IF;
	PERFORM mlmeta_internal.settle_io(new);
	IF direction = 'produced' THEN
		PERFORM mlmeta_internal.settle_readers(dataset,
			least(old.last_time, new.last_time), new.last_time);
	ELSIF old.version IS DISTINCT FROM new.version THEN
		-- What the run wrote may have borne the name of what it read.
		PERFORM mlmeta_internal.settle_io(w),
			mlmeta_internal.settle_readers(w.dataset, w.last_time, w.last_time)
		FROM mlmeta_internal.lineage_io AS w
		WHERE w.dataset = store_io.dataset AND w.direction = 'produced'
			AND w.run OPERATOR(mlmeta.=) store_io.run;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_io(mlmeta.run, uuid, text, text, text) IS
	'that a run read or wrote a dataset at a time, and which version if the event says so';

-- Runs -------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.openlineage_experiment(namespace text, project text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	label CONSTANT text := mlmeta_internal.mlflow_name('openlineage/' || namespace);
BEGIN
	RETURN coalesce(mlmeta_internal.open_experiment(label),
		mlmeta_internal.create_experiment(label, project));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.openlineage_experiment(text, text) IS
	'the experiment for the jobs of a namespace: openlineage/NAMESPACE, made when it is not there';

CREATE FUNCTION mlmeta_internal.settle_lineage_run(run mlmeta.run, project text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known record;
BEGIN
	SELECT l.is_ours, j.namespace, mlmeta_internal.mlflow_name(j.name) AS name,
		CASE l.end_type WHEN 'COMPLETE' THEN 'finished' WHEN 'FAIL' THEN 'failed'
			WHEN 'ABORT' THEN 'killed' ELSE 'running' END AS status,
		mlmeta_internal.openlineage_at(least(coalesce(l.start_time, l.first_time),
			l.end_time)) AS started_at,
		mlmeta_internal.openlineage_at(l.end_time) AS finished_at, (
			SELECT (f.body #>> '{run,runId}')::mlmeta.run
			FROM mlmeta_internal.lineage_facets AS f
			WHERE f.id = l.run::uuid AND f.subject = 'run' AND f.facet = 'parent'
				AND (f.body #>> '{run,runId}') COLLATE "C" ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
				AND (f.body #>> '{run,runId}')::uuid <> l.run::uuid
		) AS parent, (
			SELECT f.body ->> 'message'
			FROM mlmeta_internal.lineage_facets AS f
			WHERE f.id = l.run::uuid AND f.subject = 'run' AND f.facet = 'errorMessage'
		) AS note
	INTO STRICT known
	FROM mlmeta_internal.lineage_runs AS l
		JOIN mlmeta_internal.lineage_names AS j ON j.id = l.job
	WHERE l.run OPERATOR(mlmeta.=) settle_lineage_run.run;
	IF known.is_ours THEN
		RETURN;
	END IF;
	INSERT INTO mlmeta.runs AS r (run, experiment_id, name, parent, status,
		started_at, finished_at, note, source)
	SELECT settle_lineage_run.run, mlmeta_internal.openlineage_experiment(
			known.namespace, settle_lineage_run.project), known.name, known.parent,
		known.status, known.started_at, known.finished_at, known.note,
		'{"type": "openlineage"}'
	ON CONFLICT ON CONSTRAINT runs_pkey DO UPDATE
	SET experiment_id = excluded.experiment_id, name = excluded.name,
		parent = excluded.parent, status = excluded.status,
		started_at = excluded.started_at, finished_at = excluded.finished_at,
		note = excluded.note, reaped = false, changed_at = clock_timestamp()
	WHERE (r.experiment_id, r.name, r.parent::text, r.status, r.started_at, r.finished_at,
			r.note) IS DISTINCT FROM (excluded.experiment_id, excluded.name,
			excluded.parent::text, excluded.status, excluded.started_at,
			excluded.finished_at, excluded.note);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.settle_lineage_run(mlmeta.run, text) IS
	'lets a run be what follows from all events about it';

CREATE FUNCTION mlmeta_internal.store_lineage_run(
	run mlmeta.run,
	job uuid,
	event_type text,
	event_time text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ends CONSTANT boolean := coalesce(event_type IN ('COMPLETE', 'FAIL', 'ABORT'), false);
BEGIN
	INSERT INTO mlmeta_internal.lineage_runs AS o (run, job, job_time, first_time,
		last_time, start_time, end_time, end_type, is_ours)
	VALUES (store_lineage_run.run, store_lineage_run.job, event_time, event_time,
		event_time, CASE WHEN event_type = 'START' THEN event_time END,
		CASE WHEN ends THEN event_time END, CASE WHEN ends THEN event_type END,
		EXISTS (SELECT FROM mlmeta.runs AS r
			WHERE r.run OPERATOR(mlmeta.=) store_lineage_run.run))
	ON CONFLICT ON CONSTRAINT lineage_runs_pkey DO UPDATE
	SET job = CASE WHEN (excluded.job_time, excluded.job) > (o.job_time, o.job)
			THEN excluded.job ELSE o.job END,
		job_time = greatest(o.job_time, excluded.job_time),
		first_time = least(o.first_time, excluded.first_time),
		last_time = greatest(o.last_time, excluded.last_time),
		start_time = least(o.start_time, excluded.start_time),
		end_type = CASE WHEN o.end_time IS NULL OR (excluded.end_time, excluded.end_type)
			> (o.end_time, o.end_type) THEN excluded.end_type ELSE o.end_type END,
		end_time = greatest(o.end_time, excluded.end_time);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_lineage_run(mlmeta.run, uuid, text, text) IS
	'that an event spoke of a run of a job at a time';

-- Events -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.store_datasets(
	event jsonb,
	side text,
	run mlmeta.run,
	job uuid,
	event_time text,
	project text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	way CONSTANT text := CASE side WHEN 'inputs' THEN 'used' ELSE 'produced' END;
	given record;
	thing uuid;
BEGIN
	FOR given IN
		SELECT d.value, coalesce(d.value -> 'facets', '{}') AS facets,
			coalesce(d.value -> (rtrim(side, 's') || 'Facets'), '{}') AS own_facets
		FROM jsonb_array_elements(event -> side) AS d
		ORDER BY d.value ->> 'namespace', d.value ->> 'name', d.value::text
	LOOP
		thing := mlmeta_internal.store_lineage_name('dataset', given.value, project);
		INSERT INTO mlmeta_internal.lineage_job_io (job, direction, dataset)
		VALUES (store_datasets.job, way, thing)
		ON CONFLICT DO NOTHING;
		PERFORM mlmeta_internal.store_facets('dataset', thing, thing,
				given.facets, event_time),
			mlmeta_internal.store_facets(rtrim(side, 's'), coalesce(run::uuid, job),
				thing, given.own_facets, event_time);
		IF run IS NOT NULL THEN
			PERFORM mlmeta_internal.store_io(run, thing, way,
				given.facets #>> '{version,datasetVersion}', event_time);
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_datasets(jsonb, text, mlmeta.run, uuid, text,
	text) IS
	'takes the inputs or outputs of an event';

CREATE FUNCTION mlmeta_internal.store_event(event jsonb, project text) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	event_time CONSTANT text := mlmeta_internal.openlineage_time(event ->> 'eventTime');
	subject CONSTANT mlmeta.run := CASE WHEN event ? 'run' THEN event #>> '{run,runId}' END;
	job uuid;
	dataset uuid;
BEGIN
	IF event ? 'dataset' AND NOT event ? 'job' THEN
		dataset := mlmeta_internal.store_lineage_name('dataset', event -> 'dataset',
			project);
		PERFORM mlmeta_internal.store_facets('dataset', dataset, dataset,
			coalesce(event #> '{dataset,facets}', '{}'), event_time);
		RETURN 'dataset';
	END IF;
	job := mlmeta_internal.store_lineage_name('job', event -> 'job', project);
	PERFORM mlmeta_internal.store_facets('job', job, job,
		coalesce(event #> '{job,facets}', '{}'), event_time);
	IF subject IS NOT NULL THEN
		IF EXISTS (SELECT FROM mlmeta.runs AS r
				WHERE r.run OPERATOR(mlmeta.=) subject) THEN
			PERFORM mlmeta_internal.require_run(subject, 'writer');
		END IF;
		PERFORM mlmeta_internal.store_lineage_run(subject, job, event ->> 'eventType',
				event_time),
			mlmeta_internal.store_facets('run', subject::uuid, subject::uuid,
				coalesce(event #> '{run,facets}', '{}'), event_time),
			mlmeta_internal.settle_lineage_run(subject, project);
	END IF;
	PERFORM mlmeta_internal.store_datasets(event, 'inputs', subject, job, event_time,
			project),
		mlmeta_internal.store_datasets(event, 'outputs', subject, job, event_time,
			project);
	RETURN CASE WHEN subject IS NULL THEN 'job' ELSE 'run' END;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_event(jsonb, text) IS
	'takes a valid event and returns what it is about: a run, a job or a dataset';

CREATE FUNCTION mlmeta_internal.ingest_openlineage(
	event jsonb,
	project text DEFAULT 'default'
) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	largest CONSTANT int := 16 * 1024 * 1024;
	fault text;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.find_project(project, 'writer');
	IF event IS NULL THEN
		RAISE EXCEPTION 'event must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	-- As it came it may be compressed.
	fault := CASE WHEN pg_column_size(event) > 65536
			AND octet_length(event::text) > largest
		THEN format('$: has more than %s bytes, which is the limit', largest)
		ELSE mlmeta_internal.event_fault(event) END;
	IF fault IS NOT NULL THEN
		-- No reason holds a colon before a space.
		RETURN mlmeta_internal.reject_event(event::text,
			substring(fault FROM '^(.*): '), regexp_replace(fault, '^.*: ', ''));
	END IF;
	-- What follows from events follows from all of them: one at a time.
	PERFORM pg_advisory_xact_lock(hashtextextended('mlmeta.openlineage', 0));
	RETURN mlmeta_internal.store_event(event, project);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.ingest_openlineage(jsonb, text) IS
	'takes an event of OpenLineage about a run, a job or a dataset, in any order and as often as one likes; returns what it is about, or refused: PATH: REASON of one that is not valid, which openlineage_rejected keeps';

CREATE FUNCTION mlmeta_internal.ingest_openlineage(
	event text,
	project text DEFAULT 'default'
) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parsed jsonb;
	problem text;
BEGIN
	BEGIN
		parsed := event::jsonb;
	EXCEPTION
		WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
			GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
	END;
	IF problem IS NOT NULL THEN
		PERFORM mlmeta_internal.check_writable();
		PERFORM mlmeta_internal.find_project(project, 'writer');
		RETURN mlmeta_internal.reject_event(event, '$', problem);
	END IF;
	RETURN mlmeta_internal.ingest_openlineage(parsed, project);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.ingest_openlineage(text, text) IS
	'the same of an event as text: what is no JSON at all is refused and kept too';

-- Reading ---------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.facets_of(id uuid, subject text) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(pg_catalog.jsonb_object_agg(f.facet, f.body), '{}')
	FROM mlmeta_internal.lineage_facets AS f
	WHERE f.id = facets_of.id AND f.subject = facets_of.subject
		AND f.body -> '_deleted' IS DISTINCT FROM 'true'
);

COMMENT ON FUNCTION mlmeta_internal.facets_of(uuid, text) IS
	'the facets of a run, a job or a dataset that are not deleted';

CREATE FUNCTION mlmeta_internal.job_datasets(job uuid, direction text) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.array_agg(n.namespace || '/' || n.name
		ORDER BY n.namespace COLLATE "C", n.name COLLATE "C")
	FROM mlmeta_internal.lineage_job_io AS i
		JOIN mlmeta_internal.lineage_names AS n ON n.id = i.dataset
	WHERE i.job = job_datasets.job AND i.direction = job_datasets.direction
);

COMMENT ON FUNCTION mlmeta_internal.job_datasets(uuid, text) IS
	'the datasets that a job reads or writes, as namespace/name';

CREATE VIEW mlmeta.lineage_jobs WITH (security_invoker = true) AS
SELECT j.namespace, j.name, j.project, r.runs, r.last_run, r.last_status,
	r.last_started_at, mlmeta_internal.job_datasets(j.id, 'used') AS inputs,
	mlmeta_internal.job_datasets(j.id, 'produced') AS outputs,
	mlmeta_internal.facets_of(j.id, 'job') AS facets
FROM mlmeta_internal.lineage_names AS j
	LEFT JOIN LATERAL (
		SELECT o.run AS last_run, o.status AS last_status,
			o.started_at AS last_started_at, pg_catalog.count(*) OVER () AS runs
		FROM mlmeta_internal.lineage_runs AS l
			JOIN mlmeta.runs AS o ON o.run OPERATOR(mlmeta.=) l.run
		WHERE l.job = j.id AND o.deleted_at IS NULL
		ORDER BY l.first_time DESC, o.run DESC
		LIMIT 1
	) AS r ON true
WHERE j.kind = 'job';

COMMENT ON VIEW mlmeta.lineage_jobs IS
	'jobs that events of OpenLineage named, with their last run';
COMMENT ON COLUMN mlmeta.lineage_jobs.namespace IS
	'namespace of the job';
COMMENT ON COLUMN mlmeta.lineage_jobs.name IS
	'its name in the namespace';
COMMENT ON COLUMN mlmeta.lineage_jobs.project IS
	'the project that it came into first';
COMMENT ON COLUMN mlmeta.lineage_jobs.runs IS
	'number of its runs; NULL when it has none';
COMMENT ON COLUMN mlmeta.lineage_jobs.last_run IS
	'the run that an event spoke of last for the first time';
COMMENT ON COLUMN mlmeta.lineage_jobs.last_status IS
	'status of that run';
COMMENT ON COLUMN mlmeta.lineage_jobs.last_started_at IS
	'when that run began';
COMMENT ON COLUMN mlmeta.lineage_jobs.inputs IS
	'datasets that it reads, as namespace/name';
COMMENT ON COLUMN mlmeta.lineage_jobs.outputs IS
	'datasets that it writes, as namespace/name';
COMMENT ON COLUMN mlmeta.lineage_jobs.facets IS
	'its facets as the latest events had them, a JSON object';

CREATE VIEW mlmeta.lineage_datasets WITH (security_invoker = true) AS
SELECT d.namespace, d.name, d.project,
	mlmeta_internal.dataset_artifact(d.namespace, d.name, NULL) AS artifact,
	mlmeta_internal.facets_of(d.id, 'dataset') AS facets
FROM mlmeta_internal.lineage_names AS d
WHERE d.kind = 'dataset';

COMMENT ON VIEW mlmeta.lineage_datasets IS
	'datasets that events of OpenLineage named';
COMMENT ON COLUMN mlmeta.lineage_datasets.namespace IS
	'namespace of the dataset';
COMMENT ON COLUMN mlmeta.lineage_datasets.name IS
	'its name in the namespace';
COMMENT ON COLUMN mlmeta.lineage_datasets.project IS
	'the project that it came into first';
COMMENT ON COLUMN mlmeta.lineage_datasets.artifact IS
	'what any version of it is called in the lineage graph';
COMMENT ON COLUMN mlmeta.lineage_datasets.facets IS
	'its facets as the latest events had them, a JSON object';

CREATE VIEW mlmeta.lineage_run_facets WITH (security_invoker = true) AS
SELECT f.id::mlmeta.run AS run, f.facet,
	mlmeta_internal.openlineage_at(f.event_time) AS event_time, f.body
FROM mlmeta_internal.lineage_facets AS f
WHERE f.subject = 'run' AND f.body -> '_deleted' IS DISTINCT FROM 'true';

COMMENT ON VIEW mlmeta.lineage_run_facets IS
	'facets of runs as the latest events had them, unknown ones too';
COMMENT ON COLUMN mlmeta.lineage_run_facets.run IS
	'the run';
COMMENT ON COLUMN mlmeta.lineage_run_facets.facet IS
	'name of the facet';
COMMENT ON COLUMN mlmeta.lineage_run_facets.event_time IS
	'time of the event that it came with';
COMMENT ON COLUMN mlmeta.lineage_run_facets.body IS
	'the facet, JSON';

CREATE VIEW mlmeta.column_lineage WITH (security_invoker = true) AS
SELECT d.namespace AS output_namespace, d.name AS output_dataset,
	c.key AS output_column, i.value ->> 'namespace' AS input_namespace,
	i.value ->> 'name' AS input_dataset, i.value ->> 'field' AS input_column,
	i.value -> 'transformations' AS transformations,
	mlmeta_internal.openlineage_at(f.event_time) AS event_time, d.project
FROM mlmeta_internal.lineage_facets AS f
	JOIN mlmeta_internal.lineage_names AS d ON d.id = f.id
	CROSS JOIN LATERAL pg_catalog.jsonb_each(CASE
		WHEN pg_catalog.jsonb_typeof(f.body -> 'fields') = 'object'
			THEN f.body -> 'fields' END) AS c
	CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(CASE
		WHEN pg_catalog.jsonb_typeof(c.value -> 'inputFields') = 'array'
			THEN c.value -> 'inputFields' END) AS i
WHERE f.subject = 'dataset' AND f.facet = 'columnLineage'
	AND f.body -> '_deleted' IS DISTINCT FROM 'true';

COMMENT ON VIEW mlmeta.column_lineage IS
	'which columns of datasets are made from which, by the latest event about each dataset';
COMMENT ON COLUMN mlmeta.column_lineage.output_namespace IS
	'namespace of the dataset that was written';
COMMENT ON COLUMN mlmeta.column_lineage.output_dataset IS
	'name of the dataset that was written';
COMMENT ON COLUMN mlmeta.column_lineage.output_column IS
	'column that was written';
COMMENT ON COLUMN mlmeta.column_lineage.input_namespace IS
	'namespace of the dataset that was read';
COMMENT ON COLUMN mlmeta.column_lineage.input_dataset IS
	'name of the dataset that was read';
COMMENT ON COLUMN mlmeta.column_lineage.input_column IS
	'column that was read';
COMMENT ON COLUMN mlmeta.column_lineage.transformations IS
	'how the one follows from the other, a JSON array; NULL when not said';
COMMENT ON COLUMN mlmeta.column_lineage.event_time IS
	'time of the event that says so';
COMMENT ON COLUMN mlmeta.column_lineage.project IS
	'the project that the dataset came into first';

-- Events of our runs ---------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.facet(name text, version text, body jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN body || pg_catalog.jsonb_build_object('_producer', 'urn:mlmeta', '_schemaURL',
	pg_catalog.format('https://openlineage.io/spec/facets/%s/%s.json#/$defs/%s', version,
		name, name));

COMMENT ON FUNCTION mlmeta_internal.facet(text, text, jsonb) IS
	'a facet of OpenLineage with what each of them must say';

CREATE FUNCTION mlmeta_internal.event_time(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

COMMENT ON FUNCTION mlmeta_internal.event_time(timestamptz) IS
	'a time as events of OpenLineage have it';

CREATE FUNCTION mlmeta_internal.dataset_of(artifact mlmeta.artifact, role text)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_build_object('namespace', 'mlmeta', 'name',
	mlmeta.kind(artifact) || ':' || mlmeta.name(artifact), 'facets',
	pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('version', CASE
		WHEN coalesce(mlmeta.version(artifact), mlmeta.digest(artifact)) IS NOT NULL
		THEN mlmeta_internal.facet('DatasetVersionDatasetFacet', '1-0-1',
			pg_catalog.jsonb_build_object('datasetVersion', pg_catalog.concat_ws('@',
				mlmeta.version(artifact), mlmeta.digest(artifact)))) END)));

COMMENT ON FUNCTION mlmeta_internal.dataset_of(mlmeta.artifact, text) IS
	'an artifact as a dataset of OpenLineage in the namespace mlmeta';

-- Not parsed at installation, as stored_lineage() is not.
CREATE FUNCTION mlmeta_internal.assertions_of(artifact mlmeta.artifact) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT pg_catalog.jsonb_build_object('dataQualityAssertions', mlmeta_internal.facet(
			'DataQualityAssertionsDatasetFacet', '1-1-0', pg_catalog.jsonb_build_object(
				'assertions', pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('assertion', d.measure,
					'success', d.verdict <> 'drift', 'column', d.feature, 'description',
					pg_catalog.format('monitor %s, %s to %s: %s', d.monitor, d.window_start,
						d.window_end, d.reason))
					ORDER BY d.monitor, d.segment, d.position, d.measure))))
		FROM (
				-- The baseline that counts is the last one set.
				SELECT DISTINCT ON (b.monitor) b.monitor, b.dataset::text AS dataset
				FROM mlmeta.monitor_baselines AS b
				ORDER BY b.monitor, b.id DESC
			) AS b
			JOIN mlmeta_internal.monitors AS m ON m.id = b.monitor
			JOIN mlmeta.drift_latest AS d ON d.monitor = m.name
		WHERE b.dataset = assertions_of.artifact::text AND d.verdict = ANY (ARRAY['drift', 'no drift'])
		HAVING pg_catalog.count(*) > 0
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.assertions_of(mlmeta.artifact) IS
	'what monitors found last whose baseline is a data version, as facets of an input; NULL when there is nothing';

CREATE FUNCTION mlmeta_internal.run_uuid(run mlmeta.run) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN run::uuid;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.run_uuid(mlmeta.run) IS
	'a run as others write it';

CREATE FUNCTION mlmeta_internal.run_facets(r mlmeta.runs) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
	'nominalTime', CASE WHEN r.started_at IS NOT NULL
		THEN mlmeta_internal.facet('NominalTimeRunFacet', '1-0-1',
			pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('nominalStartTime',
				mlmeta_internal.event_time(r.started_at), 'nominalEndTime',
				mlmeta_internal.event_time(r.finished_at)))) END,
	'parent', (
		SELECT mlmeta_internal.facet('ParentRunFacet', '1-2-0',
			pg_catalog.jsonb_build_object('run', pg_catalog.jsonb_build_object('runId',
				mlmeta_internal.run_uuid(p.run)), 'job', pg_catalog.jsonb_build_object('namespace', 'mlmeta',
				'name', e.experiment)))
		FROM mlmeta.runs AS p
			JOIN mlmeta.experiments AS e ON e.experiment_id = p.experiment_id
		WHERE p.run OPERATOR(mlmeta.=) r.parent
	),
	'executionParameters', (
		SELECT mlmeta_internal.facet('ExecutionParametersRunFacet', '1-0-0',
			pg_catalog.jsonb_build_object('parameters', pg_catalog.jsonb_agg(
				pg_catalog.jsonb_build_object('key', p.key, 'value', p.value #>> '{}')
				ORDER BY p.key)))
		FROM mlmeta.run_params AS p
		WHERE p.run OPERATOR(mlmeta.=) r.run AND p.value <> 'null'
		HAVING pg_catalog.count(*) > 0
	),
	'tags', (
		SELECT mlmeta_internal.facet('TagsRunFacet', '1-0-0',
			pg_catalog.jsonb_build_object('tags', pg_catalog.jsonb_agg(
				pg_catalog.jsonb_build_object('key', t.key, 'value', t.value, 'source',
					'MLMETA') ORDER BY t.key)))
		FROM mlmeta.run_tags AS t
		WHERE t.run OPERATOR(mlmeta.=) r.run
		HAVING pg_catalog.count(*) > 0
	)));

COMMENT ON FUNCTION mlmeta_internal.run_facets(mlmeta.runs) IS
	'what a run is as facets of OpenLineage';

CREATE FUNCTION mlmeta_internal.datasets_of(run mlmeta.run, direction text)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(pg_catalog.jsonb_agg(d.dataset || pg_catalog.jsonb_strip_nulls(
		pg_catalog.jsonb_build_object('inputFacets', CASE WHEN direction = 'used'
			THEN mlmeta_internal.assertions_of(d.artifact) END))
		ORDER BY d.dataset::text), '[]')
	FROM (
		SELECT a.artifact, coalesce((
				SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('namespace',
					n.namespace, 'name', n.name, 'facets', CASE WHEN i.version IS NOT NULL
					THEN pg_catalog.jsonb_build_object('version',
						mlmeta_internal.facet('DatasetVersionDatasetFacet', '1-0-1',
							pg_catalog.jsonb_build_object('datasetVersion', i.version))) END))
				FROM mlmeta_internal.lineage_io AS i
					JOIN mlmeta_internal.lineage_names AS n ON n.id = i.dataset
				WHERE i.run OPERATOR(mlmeta.=) a.run AND i.direction = a.direction
					AND i.artifact OPERATOR(mlmeta.=) a.artifact
			), mlmeta_internal.dataset_of(a.artifact, a.role)) AS dataset
		FROM mlmeta.run_artifacts AS a
		WHERE a.run OPERATOR(mlmeta.=) datasets_of.run
			AND a.direction = datasets_of.direction
	) AS d
);

COMMENT ON FUNCTION mlmeta_internal.datasets_of(mlmeta.run, text) IS
	'what a run used or produced as datasets of OpenLineage';

CREATE FUNCTION mlmeta_internal.job_of(r mlmeta.runs) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce((
		SELECT pg_catalog.jsonb_build_object('namespace', n.namespace, 'name', n.name)
		FROM mlmeta_internal.lineage_runs AS l
			JOIN mlmeta_internal.lineage_names AS n ON n.id = l.job
		WHERE l.run OPERATOR(mlmeta.=) r.run AND NOT l.is_ours
	), (
		SELECT pg_catalog.jsonb_build_object('namespace', 'mlmeta', 'name', e.experiment)
		FROM mlmeta.experiments AS e
		WHERE e.experiment_id = r.experiment_id
	)) || pg_catalog.jsonb_build_object('facets', pg_catalog.jsonb_strip_nulls(
	pg_catalog.jsonb_build_object('jobType', mlmeta_internal.facet('JobTypeJobFacet', '2-0-4',
			'{"processingType": "BATCH", "integration": "MLMETA", "jobType": "RUN"}'),
		'sourceCodeLocation', CASE WHEN r.repository IS NOT NULL
			THEN mlmeta_internal.facet('SourceCodeLocationJobFacet', '1-1-0',
				pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('type', 'git', 'url',
					CASE WHEN r.repository COLLATE "C" ~ '^[A-Za-z][A-Za-z0-9+.-]*://[!-~]+$'
						THEN r.repository ELSE 'urn:git:' || pg_catalog.md5(r.repository) END,
					'repoUrl', r.repository, 'version', r.git_commit, 'branch', r.branch,
					'path', r.entry_point))) END)));

COMMENT ON FUNCTION mlmeta_internal.job_of(mlmeta.runs) IS
	'the job that a run is one of, for OpenLineage: its experiment in the namespace mlmeta, or the job that an event named';

CREATE FUNCTION mlmeta.openlineage_event(run mlmeta.run, event_type text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
SET datestyle = 'ISO, MDY'
AS $$
DECLARE
	r mlmeta.runs;
	kind text;
BEGIN
	PERFORM mlmeta_internal.check_known(run);
	SELECT o.* INTO r
	FROM mlmeta.runs AS o
	WHERE o.run OPERATOR(mlmeta.=) openlineage_event.run;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'run "%" is one of an attached schema', run
			USING ERRCODE = 'feature_not_supported',
				HINT = 'Import it with import_mlflow().';
	END IF;
	kind := coalesce(event_type, CASE r.status WHEN 'running' THEN 'START'
		WHEN 'finished' THEN 'COMPLETE' WHEN 'killed' THEN 'ABORT'
		WHEN 'scheduled' THEN 'OTHER' ELSE 'FAIL' END);
	IF kind NOT IN ('START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER') THEN
		RAISE EXCEPTION 'event type % is not known', to_json(kind)
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use START, RUNNING, COMPLETE, ABORT, FAIL or OTHER.';
	END IF;
	RETURN jsonb_build_object('eventType', kind, 'eventTime',
		mlmeta_internal.event_time(CASE
			WHEN kind = 'START' THEN coalesce(r.started_at, r.created_at)
			WHEN kind IN ('COMPLETE', 'ABORT', 'FAIL')
				THEN coalesce(r.finished_at, statement_timestamp())
			ELSE coalesce(r.started_at, r.created_at) END),
		'producer', 'urn:mlmeta',
		'schemaURL', 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
		'run', jsonb_build_object('runId', mlmeta_internal.run_uuid(run), 'facets',
			mlmeta_internal.run_facets(r)),
		'job', mlmeta_internal.job_of(r),
		'inputs', mlmeta_internal.datasets_of(run, 'used'),
		'outputs', mlmeta_internal.datasets_of(run, 'produced'));
END
$$;

COMMENT ON FUNCTION mlmeta.openlineage_event(mlmeta.run, text) IS
	'a run as an event of OpenLineage: parameters, parent, source, data versions, and what monitors found on these; the type follows from the status unless given';
