-- Projects, experiments and runs: who trained what, when, with what code.
--
-- The tables of tracking hold no INSERT trigger (triggers fire on restore): the
-- functions validate, and lock the row that a new row belongs to, which no
-- foreign key does: keys would lose every row of a parallel restore. Guards
-- stand on UPDATE, DELETE and TRUNCATE. Every view runs with the rights of its
-- reader; functions that write are behind the door (part 05).
--
-- Bodies compare runs and artifacts with OPERATOR(mlmeta.=). A bare = would
-- resolve through the implicit cast to uuid and miss every index.

-- Helpers ---------------------------------------------------------------------

-- Not STRICT, as are other small functions here: strictness that the planner
-- cannot prove keeps it from inlining, which is ten times as fast.
CREATE FUNCTION mlmeta_internal.is_name(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.char_length(value) BETWEEN 1 AND 250
	AND value COLLATE "C" !~ '[[:cntrl:]]';

COMMENT ON FUNCTION mlmeta_internal.is_name(text) IS
	'whether a text can name an experiment, a parameter, a metric and the like: 1 to 250 characters, none of them a control character';

CREATE FUNCTION mlmeta_internal.check_name(kind text, value text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF value IS NULL THEN
		RAISE EXCEPTION '% must not be null', kind
			USING ERRCODE = 'null_value_not_allowed';
	ELSIF NOT mlmeta_internal.is_name(value) THEN
		RAISE EXCEPTION '% % is not valid', kind,
				to_json(CASE WHEN char_length(value) <= 60 THEN value
					ELSE left(value, 60) || '...' END)
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = CASE WHEN char_length(value) BETWEEN 1 AND 250
					THEN 'It holds a control character.'
					ELSE format('It has %s characters.', char_length(value)) END,
				HINT = 'Use 1 to 250 characters, none of them a control character.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_name(text, text) IS
	'raises an error that names the kind of object unless the text can name it';

-- Only the leader of a parallel query knows whether its transaction may write.
CREATE FUNCTION mlmeta_internal.check_writable() RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF current_setting('transaction_read_only')::boolean THEN
		RAISE EXCEPTION 'cannot write tracking data in a read-only transaction'
			USING ERRCODE = 'read_only_sql_transaction',
				HINT = CASE WHEN pg_is_in_recovery()
					THEN 'This server is a replica: connect to the primary.'
					ELSE 'Start a read-write transaction.' END;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_writable() IS
	'raises 25006 with a hint when nothing can be written here, as on a replica';

CREATE TABLE mlmeta_internal.lifted_guards (
	transaction_id xid8 PRIMARY KEY
);

COMMENT ON TABLE mlmeta_internal.lifted_guards IS
	'transactions in which a function of ours is removing rows right now; always empty to everybody else';

CREATE FUNCTION mlmeta_internal.lift_guards() RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO mlmeta_internal.lifted_guards (transaction_id)
	VALUES (pg_catalog.pg_current_xact_id())
	ON CONFLICT DO NOTHING;
END;

COMMENT ON FUNCTION mlmeta_internal.lift_guards() IS
	'lets this transaction remove rows of append-only tables until restore_guards()';

CREATE FUNCTION mlmeta_internal.restore_guards() RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	DELETE FROM mlmeta_internal.lifted_guards AS g
	WHERE g.transaction_id = pg_catalog.pg_current_xact_id();
END;

COMMENT ON FUNCTION mlmeta_internal.restore_guards() IS
	'ends what lift_guards() began';

CREATE FUNCTION mlmeta_internal.guard_append_only() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Rows go by functions that lift the guards, which is the owner's alone.
	IF TG_OP = 'DELETE' AND has_table_privilege(
			'mlmeta_internal.lifted_guards', 'SELECT') THEN
		IF EXISTS (SELECT FROM mlmeta_internal.lifted_guards AS g
				WHERE g.transaction_id = pg_current_xact_id_if_assigned()) THEN
			RETURN NULL;
		END IF;
	END IF;
	RAISE EXCEPTION 'table "%" is append-only: % is refused',
			TG_TABLE_NAME, TG_OP
		USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'What is recorded stays. Delete a whole run with delete_run() and purge_runs().';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.guard_append_only() IS
	'trigger that refuses UPDATE, DELETE and TRUNCATE of recorded facts';

-- Projects and experiments ------------------------------------------------------

CREATE TABLE mlmeta.projects (
	project text PRIMARY KEY CHECK (mlmeta_internal.is_name(project)),
	description text,
	members_only boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	created_by text NOT NULL DEFAULT mlmeta_internal.actor()
);

COMMENT ON TABLE mlmeta.projects IS
	'projects: who may see what is decided by project; experiments belong to one';
COMMENT ON COLUMN mlmeta.projects.members_only IS
	'whether only those in project_members see it, see add_member(); otherwise all do who hold the grants';
COMMENT ON COLUMN mlmeta.projects.created_by IS
	'the user, as the server knows it';

CREATE TABLE mlmeta.experiments (
	experiment_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	experiment text NOT NULL UNIQUE CHECK (mlmeta_internal.is_name(experiment)),
	project text NOT NULL DEFAULT 'default',
	description text,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	created_by text NOT NULL DEFAULT mlmeta_internal.actor()
);

CREATE INDEX experiments_project ON mlmeta.experiments (project);

COMMENT ON TABLE mlmeta.experiments IS
	'experiments: named series of runs that try the same thing';
COMMENT ON COLUMN mlmeta.experiments.experiment IS
	'its name, one of a kind in the database';
COMMENT ON COLUMN mlmeta.experiments.created_by IS
	'the user, as the server knows it';

CREATE FUNCTION mlmeta_internal.create_project(
	project text,
	description text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('project', project);
	INSERT INTO mlmeta.projects (project, description)
	VALUES (create_project.project, create_project.description)
	ON CONFLICT ON CONSTRAINT projects_pkey DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'project "%" already exists', project
			USING ERRCODE = 'unique_violation';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.create_project(text, text) IS
	'creates a project';

CREATE FUNCTION mlmeta_internal.create_experiment(
	experiment text,
	project text DEFAULT 'default',
	description text DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	id bigint;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('experiment', experiment);
	PERFORM mlmeta_internal.check_name('project', project);

	-- The project everybody starts with comes into being with its first use.
	IF project = 'default' THEN
		INSERT INTO mlmeta.projects (project) VALUES ('default')
		ON CONFLICT DO NOTHING;
	END IF;
	PERFORM mlmeta_internal.find_project(project, 'writer');

	INSERT INTO mlmeta.experiments AS e (experiment, project, description)
	VALUES (create_experiment.experiment, create_experiment.project,
		create_experiment.description)
	ON CONFLICT ON CONSTRAINT experiments_experiment_key DO NOTHING
	RETURNING experiment_id INTO id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'experiment "%" already exists', experiment
			USING ERRCODE = 'unique_violation',
				HINT = 'Names of experiments are one of a kind in all projects.';
	END IF;
	RETURN id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.create_experiment(text, text, text) IS
	'creates an experiment in a project and returns its number; start_run() does so by itself in the project "default"';

CREATE FUNCTION mlmeta_internal.find_experiment(
	experiment text,
	access text DEFAULT 'reader'
) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_one record;
BEGIN
	SELECT e.experiment_id, e.project INTO found_one
	FROM mlmeta.experiments AS e
	WHERE e.experiment = find_experiment.experiment;
	-- Others need not learn that an experiment of a closed project exists.
	IF NOT FOUND OR (access = 'reader'
			AND NOT mlmeta_internal.permits_project('reader',
				found_one.project)) THEN
		RAISE EXCEPTION 'experiment % does not exist',
				coalesce('"' || experiment || '"', 'NULL')
			USING ERRCODE = 'undefined_object',
				HINT = 'It may also belong to a project you are no member of.';
	END IF;
	PERFORM mlmeta_internal.require_access(found_one.project, access);
	RETURN found_one.experiment_id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_experiment(text, text) IS
	'the number of an experiment to whose project the caller has that access; raises an error otherwise';

CREATE FUNCTION mlmeta_internal.lock_experiment(experiment text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_one record;
BEGIN
	SELECT e.experiment_id, e.project INTO found_one
	FROM mlmeta.experiments AS e
	WHERE e.experiment = lock_experiment.experiment
	FOR KEY SHARE;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	-- Names are one of a kind in the database: this much has to be said.
	IF NOT mlmeta_internal.permits_project('reader', found_one.project) THEN
		RAISE EXCEPTION 'experiment "%" belongs to a project you are no member of',
				experiment
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'Use another name; names of experiments are one of a kind in all projects.';
	END IF;
	PERFORM mlmeta_internal.require_access(found_one.project, 'writer');
	RETURN found_one.experiment_id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lock_experiment(text) IS
	'the number of an experiment in which the caller may write, which cannot be purged until the transaction ends; NULL when there is none';

-- What runs share, stored once by content ----------------------------------------

CREATE TABLE mlmeta.source_patches (
	patch bytea PRIMARY KEY CHECK (pg_catalog.octet_length(patch) = 32),
	content text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);

COMMENT ON TABLE mlmeta.source_patches IS
	'patches of uncommitted and untracked changes that runs were started with, each stored once';
COMMENT ON COLUMN mlmeta.source_patches.patch IS
	'SHA-256 of the content in UTF-8';

CREATE TRIGGER guard_source_patches
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.source_patches
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE TABLE mlmeta.environments (
	environment bytea PRIMARY KEY
		CHECK (pg_catalog.octet_length(environment) = 32),
	content jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);

COMMENT ON TABLE mlmeta.environments IS
	'environments that runs were started in (packages, host, devices and whatever the client names), each stored once';
COMMENT ON COLUMN mlmeta.environments.environment IS
	'SHA-256 of the content''s text in UTF-8';

CREATE TRIGGER guard_environments
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.environments
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

-- Runs ----------------------------------------------------------------------------

CREATE TABLE mlmeta.runs (
	run mlmeta.run PRIMARY KEY DEFAULT mlmeta.new_run(),
	experiment_id bigint NOT NULL,
	name text CHECK (mlmeta_internal.is_name(name)),
	parent mlmeta.run,
	status text NOT NULL DEFAULT 'running' CHECK (status
		= ANY (ARRAY['scheduled', 'running', 'finished', 'failed', 'killed',
			'crashed'])),
	user_name text NOT NULL DEFAULT mlmeta_internal.actor(),
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	started_at timestamptz CHECK (pg_catalog.isfinite(started_at)),
	heartbeat_at timestamptz,
	finished_at timestamptz CHECK (pg_catalog.isfinite(finished_at)
		AND finished_at >= started_at),
	paused interval NOT NULL DEFAULT '0',
	repository text,
	git_commit text,
	branch text,
	entry_point text,
	command_line text,
	patch bytea,
	environment bytea,
	devices jsonb,
	source jsonb,
	note text,
	deleted_at timestamptz,
	-- A run has begun or not, has ended or not, as its status says.
	CONSTRAINT runs_started CHECK (started_at IS NOT NULL
		OR status = ANY (ARRAY['scheduled', 'killed'])),
	CONSTRAINT runs_finished CHECK ((finished_at IS NOT NULL)
		= (status <> ALL (ARRAY['scheduled', 'running'])))
) WITH (fillfactor = 90);

CREATE INDEX runs_experiment ON mlmeta.runs (experiment_id, started_at);
CREATE INDEX runs_parent ON mlmeta.runs (parent) WHERE parent IS NOT NULL;
CREATE INDEX runs_git_commit ON mlmeta.runs (git_commit)
	WHERE git_commit IS NOT NULL;
-- Not on heartbeat_at: a heartbeat must stay a heap-only update.
CREATE INDEX runs_running ON mlmeta.runs (experiment_id)
	WHERE status = 'running';
CREATE INDEX runs_deleted ON mlmeta.runs (deleted_at)
	WHERE deleted_at IS NOT NULL;

COMMENT ON TABLE mlmeta.runs IS
	'runs: one training, evaluation or preparation each; see the view run_overview';
COMMENT ON COLUMN mlmeta.runs.parent IS
	'the run that this one is a part of; no foreign key, the parent may be purged';
COMMENT ON COLUMN mlmeta.runs.user_name IS
	'the user, as the server knows it, not as the client claims';
COMMENT ON COLUMN mlmeta.runs.paused IS
	'time between finishing and resuming, which is no part of the duration';
COMMENT ON COLUMN mlmeta.runs.heartbeat_at IS
	'the last sign of life that heartbeat() gave';
COMMENT ON COLUMN mlmeta.runs.git_commit IS
	'the commit of the source that the run was started from';
COMMENT ON COLUMN mlmeta.runs.patch IS
	'what the working tree had changed against the commit, see source_patches';
COMMENT ON COLUMN mlmeta.runs.environment IS
	'what the run was started in, see environments';
COMMENT ON COLUMN mlmeta.runs.devices IS
	'devices the run occupies and how many of each, such as {"a100": 4}; spend multiplies them with prices';
COMMENT ON COLUMN mlmeta.runs.source IS
	'what else the client said about the source';
COMMENT ON COLUMN mlmeta.runs.deleted_at IS
	'when delete_run() hid it; purge_runs() removes it for good';

CREATE FUNCTION mlmeta_internal.guard_runs() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	was jsonb;
	becomes jsonb;
	change record;
BEGIN
	IF OLD.status <> NEW.status AND NOT (
			(OLD.status = 'scheduled' AND NEW.status IN ('running', 'killed'))
			OR (OLD.status = 'running' AND NEW.status <> 'scheduled')
			OR (OLD.status <> 'scheduled' AND NEW.status = 'running')) THEN
		RAISE EXCEPTION 'run "%" cannot go from status "%" to "%"',
				OLD.run, OLD.status, NEW.status
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;

	-- Facts of the start may be completed, never changed.
	was := to_jsonb(OLD);
	becomes := to_jsonb(NEW);
	FOR change IN
		SELECT f.field
		FROM unnest(ARRAY['run', 'experiment_id', 'user_name', 'created_at', 'parent',
			'repository', 'git_commit', 'branch', 'entry_point', 'command_line',
			'patch', 'environment', 'source']) AS f (field)
		WHERE was -> f.field <> 'null' AND was -> f.field <> becomes -> f.field
			-- Keys may be added.
			AND (f.field <> 'source' OR jsonb_typeof(becomes -> 'source')
				<> 'object' OR becomes -> 'source' <>
				(becomes -> 'source') || (was -> 'source'))
	LOOP
		RAISE EXCEPTION 'column "%" of run "%" cannot be changed',
				change.field, OLD.run
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END LOOP;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.guard_runs() IS
	'trigger that keeps the facts of a run''s start and the order of its statuses';

-- Heartbeats, notes and the like pass without a call.
CREATE TRIGGER guard_runs
	BEFORE UPDATE OF run, experiment_id, parent, status, user_name, created_at,
		repository, git_commit, branch, entry_point, command_line, patch,
		environment, source
	ON mlmeta.runs
	FOR EACH ROW EXECUTE FUNCTION mlmeta_internal.guard_runs();

CREATE TRIGGER guard_runs_delete
	BEFORE DELETE OR TRUNCATE ON mlmeta.runs
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

-- Asks in one place what every function that writes something of a run must:
-- may the caller, and will the run stay while he does?
CREATE FUNCTION mlmeta_internal.require_run(
	run mlmeta.run,
	access text DEFAULT 'writer'
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	-- A lock that others take as well, and only purging waits for.
	PERFORM FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) require_run.run
	FOR KEY SHARE;
	IF NOT FOUND OR NOT mlmeta_internal.permits_run('reader', run) THEN
		PERFORM mlmeta_internal.no_such_run(run);
	ELSIF NOT mlmeta_internal.permits_run(access, run) THEN
		PERFORM mlmeta_internal.require_access(e.project, access)
		FROM mlmeta.runs AS r
			JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
		WHERE r.run OPERATOR(mlmeta.=) require_run.run;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.require_run(mlmeta.run, text) IS
	'raises an error unless the run exists and the caller has that access to its project; the run cannot be purged until the transaction ends';

CREATE FUNCTION mlmeta_internal.check_running(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state text;
	deleted timestamptz;
BEGIN
	PERFORM mlmeta_internal.require_run(run);

	-- No lock against a change of status: loggers must not queue on the run. A
	-- point logged while another session finishes the run is kept, and found by
	-- every reader; refresh_results() brings it into the results.
	SELECT r.status, r.deleted_at INTO state, deleted
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) check_running.run;

	IF deleted IS NOT NULL THEN
		RAISE EXCEPTION 'run "%" is deleted', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_run().';
	ELSIF state = 'scheduled' THEN
		RAISE EXCEPTION 'run "%" has not begun', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Begin it with begin_run().';
	ELSIF state <> 'running' THEN
		RAISE EXCEPTION 'run "%" is not running', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Its status is "%s".', state),
				HINT = 'Go on with it by resume_run(), or start another.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_running(mlmeta.run) IS
	'raises an error unless the run exists, is running, and the caller may write in its project';

CREATE FUNCTION mlmeta_internal.no_such_run(run mlmeta.run) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF run IS NULL THEN
		RAISE EXCEPTION 'run must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	RAISE EXCEPTION 'run "%" does not exist', run
		USING ERRCODE = 'undefined_object',
			HINT = 'Start one with start_run(); it may also have been purged, or belong to a project you are no member of.';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.no_such_run(mlmeta.run) IS
	'raises the error for a run that is not there';

CREATE FUNCTION mlmeta_internal.check_known(run mlmeta.run) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM mlmeta.runs AS r
			WHERE r.run OPERATOR(mlmeta.=) check_known.run)
			OR NOT mlmeta_internal.permits_run('reader', run) THEN
		PERFORM mlmeta_internal.no_such_run(run);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_known(mlmeta.run) IS
	'raises an error unless the run exists, whatever its status, and the caller may see it';

CREATE FUNCTION mlmeta_internal.log_source(run mlmeta.run, source jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known CONSTANT text[] := ARRAY['repository', 'commit', 'branch',
		'entry_point', 'command_line', 'patch', 'environment', 'devices'];
	largest CONSTANT int := 64 * 1024 * 1024;
	wrong record;
	patch_digest bytea;
	environment_digest bytea;
BEGIN
	PERFORM mlmeta_internal.require_run(run);
	IF source IS NULL THEN
		RETURN;
	END IF;
	IF jsonb_typeof(source) <> 'object' THEN
		RAISE EXCEPTION 'source of run "%" must be a JSON object', run
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It is a JSON %s.', jsonb_typeof(source));
	END IF;

	SELECT e.key, f.wanted, jsonb_typeof(e.value) AS found INTO wrong
	FROM jsonb_each(source) AS e
		JOIN (VALUES ('repository', 'string'), ('commit', 'string'),
			('branch', 'string'), ('entry_point', 'string'),
			('command_line', 'string'), ('patch', 'string'),
			('environment', 'object'), ('devices', 'object')
		) AS f (key, wanted) ON f.key = e.key
	WHERE jsonb_typeof(e.value) NOT IN (f.wanted, 'null')
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '"%" in the source of run "%" must be a JSON %',
				wrong.key, run, wrong.wanted
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It is a JSON %s.', wrong.found);
	END IF;

	SELECT d.key INTO wrong
	FROM jsonb_each(nullif(source -> 'devices', 'null')) AS d
	WHERE jsonb_typeof(d.value) <> 'number'
		OR NOT (d.value >= to_jsonb(0)) OR NOT mlmeta_internal.is_name(d.key)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'device "%" of run "%" must have a number of 0 or more',
				wrong.key, run
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Write devices as names with how many of each, such as {"a100": 4}.';
	END IF;

	IF octet_length(source ->> 'patch') > largest THEN
		RAISE EXCEPTION 'patch of run "%" is too long', run
			USING ERRCODE = 'program_limit_exceeded',
				DETAIL = format('It has %s bytes; the limit is %s.',
					octet_length(source ->> 'patch'), largest),
				HINT = 'Log large files as artifacts.';
	END IF;

	IF source ->> 'patch' <> '' THEN
		patch_digest := sha256(convert_to(source ->> 'patch', 'UTF8'));
		INSERT INTO mlmeta.source_patches (patch, content)
		VALUES (patch_digest, source ->> 'patch')
		ON CONFLICT DO NOTHING;
		PERFORM FROM mlmeta.source_patches AS p
		WHERE p.patch = patch_digest
		FOR KEY SHARE;
	END IF;
	IF jsonb_typeof(source -> 'environment') = 'object' THEN
		environment_digest :=
			sha256(convert_to((source -> 'environment')::text, 'UTF8'));
		INSERT INTO mlmeta.environments (environment, content)
		VALUES (environment_digest, source -> 'environment')
		ON CONFLICT DO NOTHING;
		PERFORM FROM mlmeta.environments AS e
		WHERE e.environment = environment_digest
		FOR KEY SHARE;
	END IF;

	-- What is there already is kept: the guard refuses another value.
	UPDATE mlmeta.runs AS r
	SET repository = coalesce(log_source.source ->> 'repository', r.repository),
		git_commit = coalesce(log_source.source ->> 'commit', r.git_commit),
		branch = coalesce(log_source.source ->> 'branch', r.branch),
		entry_point = coalesce(log_source.source ->> 'entry_point',
			r.entry_point),
		command_line = coalesce(log_source.source ->> 'command_line',
			r.command_line),
		patch = coalesce(patch_digest, r.patch),
		environment = coalesce(environment_digest, r.environment),
		devices = coalesce(nullif(log_source.source -> 'devices', 'null'),
			r.devices),
		source = CASE WHEN log_source.source - known = '{}' THEN r.source
			ELSE coalesce(r.source, '{}') || (log_source.source - known) END
	WHERE r.run OPERATOR(mlmeta.=) log_source.run;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.log_source(mlmeta.run, jsonb) IS
	'records where a run''s code came from: keys repository, commit, branch, entry_point, command_line, patch, environment, devices and any other; what is recorded can be completed, not changed';

CREATE FUNCTION mlmeta_internal.new_run_row(
	experiment text,
	name text,
	status text,
	params jsonb,
	tags jsonb,
	parent mlmeta.run,
	source jsonb,
	id mlmeta.run
) RETURNS mlmeta.run
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment_number bigint;
	result mlmeta.run := coalesce(id, mlmeta.new_run());
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('experiment', experiment);
	IF name IS NOT NULL THEN
		PERFORM mlmeta_internal.check_name('run name', name);
	END IF;
	IF parent IS NOT NULL THEN
		PERFORM mlmeta_internal.check_known(parent);
	END IF;

	experiment_number := mlmeta_internal.lock_experiment(experiment);
	IF experiment_number IS NULL THEN
		INSERT INTO mlmeta.projects (project) VALUES ('default')
		ON CONFLICT DO NOTHING;
		PERFORM mlmeta_internal.require_access('default', 'writer');
		INSERT INTO mlmeta.experiments (experiment)
		VALUES (new_run_row.experiment)
		ON CONFLICT ON CONSTRAINT experiments_experiment_key DO NOTHING;
		experiment_number := mlmeta_internal.lock_experiment(experiment);
	END IF;
	IF experiment_number IS NULL THEN
		RAISE EXCEPTION 'experiment "%" has been made by another transaction since this one began',
				experiment
			USING ERRCODE = 'serialization_failure',
				HINT = 'Run the transaction again.';
	END IF;

	INSERT INTO mlmeta.runs (run, experiment_id, name, parent, status,
		started_at)
	VALUES (result, experiment_number, new_run_row.name, new_run_row.parent,
		new_run_row.status,
		CASE WHEN new_run_row.status = 'running' THEN clock_timestamp() END)
	ON CONFLICT ON CONSTRAINT runs_pkey DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'run "%" already exists', result
			USING ERRCODE = 'unique_violation',
				HINT = 'Go on with it by resume_run(), or let the server choose the id.';
	END IF;
	PERFORM mlmeta_internal.log_source(result, source);
	PERFORM mlmeta_internal.store_params(result, params);
	PERFORM mlmeta_internal.set_tags(result, tags);
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.new_run_row(text, text, text, jsonb, jsonb,
	mlmeta.run, jsonb, mlmeta.run) IS
	'what start_run() and schedule_run() have in common';

CREATE FUNCTION mlmeta_internal.start_run(
	experiment text,
	name text DEFAULT NULL,
	params jsonb DEFAULT NULL,
	tags jsonb DEFAULT NULL,
	parent mlmeta.run DEFAULT NULL,
	source jsonb DEFAULT NULL,
	id mlmeta.run DEFAULT NULL
) RETURNS mlmeta.run
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN mlmeta_internal.new_run_row(experiment, name, 'running', params, tags, parent,
		source, id);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.start_run(text, text, jsonb, jsonb, mlmeta.run,
	jsonb, mlmeta.run) IS
	'starts a run and returns its id; an experiment that is not there is created';

CREATE FUNCTION mlmeta_internal.schedule_run(
	experiment text,
	name text DEFAULT NULL,
	params jsonb DEFAULT NULL,
	tags jsonb DEFAULT NULL,
	parent mlmeta.run DEFAULT NULL,
	source jsonb DEFAULT NULL,
	id mlmeta.run DEFAULT NULL
) RETURNS mlmeta.run
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN mlmeta_internal.new_run_row(experiment, name, 'scheduled', params, tags,
		parent, source, id);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.schedule_run(text, text, jsonb, jsonb, mlmeta.run,
	jsonb, mlmeta.run) IS
	'records a run that will begin later, by begin_run()';

CREATE FUNCTION mlmeta_internal.lock_run(run mlmeta.run) RETURNS mlmeta.runs
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.runs;
BEGIN
	PERFORM mlmeta_internal.require_run(run);
	SELECT r.* INTO result
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) lock_run.run
	FOR NO KEY UPDATE;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lock_run(mlmeta.run) IS
	'the row of a run, locked against other changes of its status; raises an error when there is none, or the caller may not write in its project';

CREATE FUNCTION mlmeta_internal.begin_run(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state text := (mlmeta_internal.lock_run(run)).status;
BEGIN
	IF state <> 'scheduled' THEN
		RAISE EXCEPTION 'run "%" is not scheduled', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Its status is "%s".', state);
	END IF;
	UPDATE mlmeta.runs AS r
	SET status = 'running', started_at = clock_timestamp()
	WHERE r.run OPERATOR(mlmeta.=) begin_run.run;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.begin_run(mlmeta.run) IS
	'begins a scheduled run';

CREATE FUNCTION mlmeta_internal.heartbeat(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_running(run);

	-- Whoever holds the row gives a sign of life too, or is finishing the run:
	-- a heartbeat waits for nobody.
	UPDATE mlmeta.runs AS r
	SET heartbeat_at = clock_timestamp()
	FROM (
		SELECT l.ctid AS at
		FROM mlmeta.runs AS l
		WHERE l.run OPERATOR(mlmeta.=) heartbeat.run AND l.status = 'running'
		FOR NO KEY UPDATE SKIP LOCKED
	) AS locked
	WHERE r.ctid = locked.at;
END
$$;

CREATE FUNCTION mlmeta_internal.heartbeat_unless_at(run mlmeta.run, at timestamptz)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF at BETWEEN clock_timestamp() - interval '1 minute'
			AND clock_timestamp() + interval '1 minute' THEN
		RETURN;
	END IF;
	IF EXISTS (SELECT FROM mlmeta.runs AS r
			WHERE r.run OPERATOR(mlmeta.=) heartbeat_unless_at.run
				AND greatest(r.started_at, r.heartbeat_at)
					< clock_timestamp() - interval '1 minute') THEN
		PERFORM mlmeta_internal.heartbeat(run);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.heartbeat_unless_at(mlmeta.run, timestamptz) IS
	'a heartbeat, once a minute, of a run that logs points of another time than now: their time does not tell reap_runs() that it is alive';

COMMENT ON FUNCTION mlmeta_internal.heartbeat(mlmeta.run) IS
	'a sign of life of a running run: reap_runs() leaves it alone; waits for nobody';

CREATE FUNCTION mlmeta_internal.finish_run(
	run mlmeta.run,
	status text DEFAULT 'finished'
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs;
BEGIN
	IF status IS NULL OR status NOT IN
			('finished', 'failed', 'killed', 'crashed') THEN
		RAISE EXCEPTION 'a run cannot end with status %',
				coalesce(to_json(status)::text, 'null')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use finished, failed, killed or crashed.';
	END IF;

	-- Of several sessions that finish one run, one wins.
	old := mlmeta_internal.lock_run(run);
	IF old.status = finish_run.status THEN
		RETURN;
	ELSIF old.status = 'scheduled' AND finish_run.status <> 'killed' THEN
		RAISE EXCEPTION 'run "%" has not begun', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'A scheduled run can only be killed.';
	ELSIF old.status NOT IN ('scheduled', 'running') THEN
		RAISE EXCEPTION 'run "%" has ended already', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Its status is "%s", not "%s".', old.status,
					finish_run.status),
				HINT = 'To change it, resume_run() first.';
	END IF;

	-- A clock that went backwards gives no negative duration.
	UPDATE mlmeta.runs AS r
	SET status = finish_run.status,
		finished_at = greatest(clock_timestamp(), r.started_at)
	WHERE r.run OPERATOR(mlmeta.=) finish_run.run;
	PERFORM mlmeta_internal.refresh_results(run);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.finish_run(mlmeta.run, text) IS
	'ends a run as finished, failed, killed or crashed and writes its results; once more with the same status does nothing';

CREATE FUNCTION mlmeta_internal.resume_run(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs := mlmeta_internal.lock_run(run);
BEGIN
	IF old.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'run "%" is deleted', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_run().';
	ELSIF old.status = 'running' THEN
		RETURN;
	ELSIF old.started_at IS NULL THEN
		RAISE EXCEPTION 'run "%" has not begun', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'A scheduled run begins by begin_run(); one killed before that stays so.';
	END IF;

	UPDATE mlmeta.runs AS r
	SET status = 'running',
		paused = r.paused
			+ greatest(clock_timestamp() - r.finished_at, interval '0'),
		heartbeat_at = clock_timestamp(),
		finished_at = NULL
	WHERE r.run OPERATOR(mlmeta.=) resume_run.run;
	PERFORM mlmeta_internal.refresh_results(run);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.resume_run(mlmeta.run) IS
	'goes on with a run that has ended; the time in between is no part of its duration';

CREATE FUNCTION mlmeta_internal.reap_runs(older_than interval DEFAULT '1 hour')
RETURNS SETOF mlmeta.run
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	silent record;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	FOR silent IN
		SELECT r.run, l.alive_at
		FROM mlmeta.runs AS r
			CROSS JOIN LATERAL (
				SELECT greatest(r.started_at, r.heartbeat_at, max(m.at))
					AS alive_at
				FROM mlmeta.metric_latest AS m
				WHERE m.run OPERATOR(mlmeta.=) r.run
					-- Who logs points of the future gave a heartbeat.
					AND m.at < clock_timestamp() + interval '1 minute'
			) AS f
			CROSS JOIN LATERAL (
				-- Steps may come in any order. Only who seems silent by the
				-- highest ones has all points looked at.
				SELECT greatest(f.alive_at, max(m.at)) AS alive_at
				FROM mlmeta.metric_points AS m
				WHERE m.run OPERATOR(mlmeta.=) r.run
					AND m.at < clock_timestamp() + interval '1 minute'
					AND f.alive_at < clock_timestamp() - older_than
			) AS l
		WHERE r.status = 'running'
			AND mlmeta_internal.permits_experiment('writer', r.experiment_id)
			AND f.alive_at < clock_timestamp() - older_than
			AND l.alive_at < clock_timestamp() - older_than
		ORDER BY r.run
		FOR NO KEY UPDATE OF r SKIP LOCKED
	LOOP
		UPDATE mlmeta.runs AS r
		SET status = 'crashed', finished_at = silent.alive_at
		WHERE r.run OPERATOR(mlmeta.=) silent.run;
		PERFORM mlmeta_internal.refresh_results(silent.run);
		RETURN NEXT silent.run;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.reap_runs(interval) IS
	'marks as crashed the runs that gave neither heartbeat nor metric for longer than that, ended at their last sign of life, and returns them';

CREATE FUNCTION mlmeta_internal.set_note(run mlmeta.run, note text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.require_run(run);
	UPDATE mlmeta.runs AS r
	SET note = set_note.note
	WHERE r.run OPERATOR(mlmeta.=) set_note.run;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_note(mlmeta.run, text) IS
	'sets or, with NULL, removes what a person has to say about a run';

CREATE FUNCTION mlmeta_internal.delete_run(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.lock_run(run);
	UPDATE mlmeta.runs AS r
	SET deleted_at = clock_timestamp()
	WHERE r.run OPERATOR(mlmeta.=) delete_run.run AND r.deleted_at IS NULL;
	PERFORM mlmeta_internal.refresh_results(run);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.delete_run(mlmeta.run) IS
	'hides a run from all views; restore_run() brings it back, purge_runs() removes it for good';

CREATE FUNCTION mlmeta_internal.restore_run(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.lock_run(run);
	UPDATE mlmeta.runs AS r
	SET deleted_at = NULL
	WHERE r.run OPERATOR(mlmeta.=) restore_run.run;
	PERFORM mlmeta_internal.refresh_results(run);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.restore_run(mlmeta.run) IS
	'brings a deleted run back';
