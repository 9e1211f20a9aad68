-- Projects, experiments and runs: who trained what, when, with what code.
--
-- The tables of tracking hold no INSERT trigger (triggers fire on restore): the
-- functions validate, and lock the row that a new row belongs to, which no
-- foreign key does: keys would lose every row of a parallel restore. Guards
-- stand on UPDATE, DELETE and TRUNCATE. Every view runs with the rights of its
-- reader; functions that write are behind the door (part 05).
--
-- Bodies compare runs and artifacts with OPERATOR(mlmeta.=): a bare = is not
-- found under their pinned path.
--
-- Nothing here waits for what another session has not committed, but two first
-- uses of one new experiment, and changes of the status of one run. What runs
-- share is stored once for each run that saw no copy of it, and read once.

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

CREATE FUNCTION mlmeta_internal.edit_distance(a text, b text) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_edit_distance';

COMMENT ON FUNCTION mlmeta_internal.edit_distance(text, text) IS
	'the least number of characters to insert, delete or replace to make one text of the other; up to 255 characters each';

CREATE FUNCTION mlmeta_internal.near_names(wanted text, names text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	near text;
BEGIN
	SELECT string_agg(to_json(n.name)::text, ', ' ORDER BY n.distance, n.name)
	INTO near
	FROM (
		SELECT d.name, mlmeta_internal.edit_distance(lower(left(d.name, 250)),
			lower(left(wanted, 250))) AS distance
		FROM (SELECT DISTINCT u.name FROM unnest(names) AS u (name)) AS d
		WHERE d.name IS NOT NULL
		ORDER BY distance, d.name
		LIMIT 5
	) AS n
	WHERE wanted IS NOT NULL;
	RETURN coalesce('Near are: ' || near || '.', 'There is none at all.');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.near_names(text, text[]) IS
	'a hint that names up to five of the names that are nearest to what was asked for';

CREATE FUNCTION mlmeta_internal.run_hex(run mlmeta.run) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.replace((run::uuid)::text, '-', '');

COMMENT ON FUNCTION mlmeta_internal.run_hex(mlmeta.run) IS
	'a run as 32 hexadecimal digits, as MLflow writes ids';

CREATE FUNCTION mlmeta_internal.utc_text(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.to_char(at AT TIME ZONE 'UTC',
	'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

COMMENT ON FUNCTION mlmeta_internal.utc_text(timestamptz) IS
	'a time as text that no setting of the session changes';

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
	-- Rows change and go by functions that lift the guards, which is the owner's
	-- alone.
	IF TG_OP IN ('UPDATE', 'DELETE') AND has_table_privilege(
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
	experiment text NOT NULL CHECK (mlmeta_internal.is_name(experiment)),
	project text NOT NULL DEFAULT 'default',
	description text,
	tags jsonb NOT NULL DEFAULT '{}'
		CHECK (pg_catalog.jsonb_typeof(tags) = 'object'),
	artifact_uri text,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	created_by text NOT NULL DEFAULT mlmeta_internal.actor(),
	changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	deleted_at timestamptz
);

-- To change a column of a unique index takes a lock that waits for everybody who
-- has started a run since. An expression is no column.
CREATE UNIQUE INDEX experiments_name ON mlmeta.experiments ((experiment || ''));
CREATE INDEX experiments_experiment ON mlmeta.experiments (experiment);
CREATE INDEX experiments_project ON mlmeta.experiments (project);

COMMENT ON TABLE mlmeta.experiments IS
	'experiments: named series of runs that try the same thing';
COMMENT ON COLUMN mlmeta.experiments.experiment IS
	'its name, one of a kind in the database';
COMMENT ON COLUMN mlmeta.experiments.created_by IS
	'the user, as the server knows it';
COMMENT ON COLUMN mlmeta.experiments.artifact_uri IS
	'where the files of its runs lie, unless a run says otherwise';
COMMENT ON COLUMN mlmeta.experiments.changed_at IS
	'when it was last renamed, described, tagged, deleted or brought back';
COMMENT ON COLUMN mlmeta.experiments.deleted_at IS
	'when delete_experiment() hid it and all its runs; its name stays taken';

CREATE FUNCTION mlmeta_internal.create_project(
	project text,
	description text DEFAULT NULL,
	if_not_exists boolean DEFAULT false
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('project', project);
	INSERT INTO mlmeta.projects (project, description)
	SELECT create_project.project, create_project.description
	-- That one is always there.
	WHERE create_project.project <> 'default'
	ON CONFLICT ON CONSTRAINT projects_pkey DO NOTHING;
	IF NOT FOUND AND if_not_exists IS NOT TRUE THEN
		RAISE EXCEPTION 'project "%" already exists', project
			USING ERRCODE = 'unique_violation',
				HINT = 'With if_not_exists that is no error.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.create_project(text, text, boolean) IS
	'creates a project; if_not_exists: one that is there is no error and stays as it is';

CREATE FUNCTION mlmeta_internal.create_experiment(
	experiment text,
	project text DEFAULT 'default',
	description text DEFAULT NULL,
	if_not_exists boolean DEFAULT false,
	artifact_uri text DEFAULT NULL
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
	PERFORM mlmeta_internal.find_project(project, 'writer');

	INSERT INTO mlmeta.experiments (experiment, project, description,
		artifact_uri)
	VALUES (create_experiment.experiment, create_experiment.project,
		create_experiment.description, create_experiment.artifact_uri)
	ON CONFLICT DO NOTHING
	RETURNING experiment_id INTO id;
	IF NOT FOUND AND if_not_exists THEN
		id := mlmeta_internal.open_experiment(experiment);
	ELSIF NOT FOUND THEN
		PERFORM mlmeta_internal.experiment_exists(experiment);
	END IF;
	RETURN id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.create_experiment(text, text, text, boolean, text) IS
	'creates an experiment in a project and returns its number; start_run() does so by itself in the project "default"; if_not_exists: one that is there is no error and stays as it is';

CREATE FUNCTION mlmeta_internal.experiment_exists(experiment text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	same record;
BEGIN
	SELECT e.project, e.deleted_at INTO same
	FROM mlmeta.experiments AS e
	WHERE e.experiment = experiment_exists.experiment;
	IF NOT FOUND THEN
		PERFORM mlmeta_internal.numbers_lag('experiments', 'experiment_id');
	ELSIF same.deleted_at IS NOT NULL
			AND mlmeta_internal.permits_project('reader', same.project) THEN
		RAISE EXCEPTION 'experiment "%" already exists, deleted', experiment
			USING ERRCODE = 'unique_violation',
				HINT = 'Bring it back with restore_experiment(), or rename it first.';
	END IF;
	RAISE EXCEPTION 'experiment "%" already exists', experiment
		USING ERRCODE = 'unique_violation',
			HINT = 'Names of experiments are one of a kind in all projects.';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.experiment_exists(text) IS
	'raises the error for the name of an experiment that is taken';

-- Rows that were copied in without their sequence leave it behind.
CREATE FUNCTION mlmeta_internal.numbers_lag(relation text, identity text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sequence text := pg_get_serial_sequence('mlmeta.' || relation, identity);
	next bigint;
	highest bigint;
BEGIN
	EXECUTE format('SELECT last_value FROM %s', sequence) INTO next;
	EXECUTE format('SELECT max(%I) FROM mlmeta.%I', identity, relation)
	INTO highest;
	IF next <= highest THEN
		RAISE EXCEPTION 'the numbers of table "%" lag behind its rows', relation
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('The highest number is %s, the sequence is at %s.',
					highest, next),
				HINT = 'An admin calls repair_sequences().';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.numbers_lag(text, text) IS
	'raises an error that names the sequence when numbers of a table are behind its rows, as after copying rows by hand';

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
	IF NOT FOUND OR NOT mlmeta_internal.permits_project('reader',
			found_one.project) THEN
		RAISE EXCEPTION 'experiment % does not exist',
				coalesce('"' || experiment || '"', 'NULL')
			USING ERRCODE = 'undefined_object',
				DETAIL = mlmeta_internal.near_names(experiment, (
					SELECT array_agg(e.experiment)
					FROM mlmeta.experiments AS e
					WHERE mlmeta_internal.permits_project('reader', e.project)
				)),
				HINT = 'It may also belong to a project you are no member of.';
	END IF;
	PERFORM mlmeta_internal.require_access(found_one.project, access);
	RETURN found_one.experiment_id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_experiment(text, text) IS
	'the number of an experiment, deleted or not, to whose project the caller has that access; raises an error that says what is near otherwise';

-- To lock the row takes a lock that others take as well, and only purging waits
-- for.
CREATE FUNCTION mlmeta_internal.open_experiment(experiment text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_one record;
BEGIN
	SELECT e.experiment_id, e.project, e.deleted_at INTO found_one
	FROM mlmeta.experiments AS e
	WHERE e.experiment = open_experiment.experiment
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
	IF found_one.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'experiment "%" is deleted', experiment
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_experiment().';
	END IF;
	RETURN found_one.experiment_id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.open_experiment(text) IS
	'the number of an experiment in which the caller may write, which is not deleted and cannot be purged until the transaction ends; NULL when there is none';

-- What runs share ----------------------------------------------------------------

-- Copies of one content that runs brought along. Each run stores its own unless
-- it sees one: so it neither waits for another session that stores the same just
-- now, nor loses it when that one rolls back.

CREATE TABLE mlmeta.patch_copies (
	patch bytea NOT NULL CHECK (pg_catalog.octet_length(patch) = 32),
	run mlmeta.run NOT NULL,
	content text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (patch, run)
);

CREATE INDEX patch_copies_run ON mlmeta.patch_copies (run);

COMMENT ON TABLE mlmeta.patch_copies IS
	'patches as runs brought them along; read them through source_patches';
COMMENT ON COLUMN mlmeta.patch_copies.patch IS
	'SHA-256 of the content in UTF-8';
COMMENT ON COLUMN mlmeta.patch_copies.run IS
	'the run that stored this copy; others may refer to it';

CREATE TRIGGER guard_patch_copies
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.patch_copies
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE VIEW mlmeta.source_patches WITH (security_invoker = true) AS
SELECT DISTINCT ON (c.patch) c.patch, c.content, c.created_at
FROM mlmeta.patch_copies AS c
ORDER BY c.patch, c.created_at, c.run;

COMMENT ON VIEW mlmeta.source_patches IS
	'patches of uncommitted and untracked changes that runs were started with, each once';
COMMENT ON COLUMN mlmeta.source_patches.content IS 'the patch, a text';
COMMENT ON COLUMN mlmeta.source_patches.created_at IS 'when it was stored first';
COMMENT ON COLUMN mlmeta.source_patches.patch IS
	'SHA-256 of the content in UTF-8';

CREATE TABLE mlmeta.environment_copies (
	environment bytea NOT NULL
		CHECK (pg_catalog.octet_length(environment) = 32),
	run mlmeta.run NOT NULL,
	content jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (environment, run)
);

CREATE INDEX environment_copies_run ON mlmeta.environment_copies (run);

COMMENT ON TABLE mlmeta.environment_copies IS
	'environments as runs brought them along; read them through environments';
COMMENT ON COLUMN mlmeta.environment_copies.environment IS
	'SHA-256 of the content''s text in UTF-8';
COMMENT ON COLUMN mlmeta.environment_copies.run IS
	'the run that stored this copy; others may refer to it';

CREATE TRIGGER guard_environment_copies
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.environment_copies
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE VIEW mlmeta.environments WITH (security_invoker = true) AS
SELECT DISTINCT ON (c.environment) c.environment, c.content, c.created_at
FROM mlmeta.environment_copies AS c
ORDER BY c.environment, c.created_at, c.run;

COMMENT ON VIEW mlmeta.environments IS
	'environments that runs were started in (packages, host, devices and whatever the client names), each once';
COMMENT ON COLUMN mlmeta.environments.content IS 'packages, host, devices and whatever the client named, JSON';
COMMENT ON COLUMN mlmeta.environments.created_at IS 'when it was stored first';
COMMENT ON COLUMN mlmeta.environments.environment IS
	'SHA-256 of the content''s text in UTF-8';

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
	reaped boolean NOT NULL DEFAULT false,
	pauses tstzmultirange NOT NULL DEFAULT '{}',
	repository text,
	git_commit text,
	branch text,
	entry_point text,
	command_line text,
	patch bytea,
	environment bytea,
	devices jsonb,
	source jsonb,
	artifact_uri text,
	note text,
	changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	deleted_at timestamptz,
	deleted_with mlmeta.run,
	-- A run has begun or not, has ended or not, as its status says.
	CONSTRAINT runs_started CHECK (started_at IS NOT NULL
		OR status = ANY (ARRAY['scheduled', 'killed'])),
	CONSTRAINT runs_finished CHECK ((finished_at IS NOT NULL)
		= (status <> ALL (ARRAY['scheduled', 'running']))),
	CONSTRAINT runs_reaped CHECK (NOT reaped OR status = 'crashed')
) WITH (fillfactor = 90);

CREATE INDEX runs_experiment ON mlmeta.runs (experiment_id, started_at);
CREATE INDEX runs_started_at ON mlmeta.runs (started_at);
CREATE INDEX runs_parent ON mlmeta.runs (parent) WHERE parent IS NOT NULL;
CREATE INDEX runs_name ON mlmeta.runs (experiment_id, name)
	WHERE name IS NOT NULL;
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
	'the run that this one is a part of; the parent may be purged';
COMMENT ON COLUMN mlmeta.runs.user_name IS
	'the user, as the server knows it, not as the client claims';
COMMENT ON COLUMN mlmeta.runs.started_at IS
	'when it began, as the client says, else when the server heard of it; so finished_at';
COMMENT ON COLUMN mlmeta.runs.heartbeat_at IS
	'the last sign of life that heartbeat() gave';
COMMENT ON COLUMN mlmeta.runs.reaped IS
	'whether reap_runs() ended it because it was silent: when it speaks it goes on';
COMMENT ON COLUMN mlmeta.runs.pauses IS
	'the times between an end and going on, which are no part of the duration nor of the cost';
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
COMMENT ON COLUMN mlmeta.runs.artifact_uri IS
	'where the files of the run lie; NULL: under the place of its experiment, if that has one';
COMMENT ON COLUMN mlmeta.runs.changed_at IS
	'when the row was last changed, heartbeats aside';
COMMENT ON COLUMN mlmeta.runs.deleted_at IS
	'when delete_run() hid it; purge_runs() removes it for good';
COMMENT ON COLUMN mlmeta.runs.deleted_with IS
	'the run above it that it was deleted with, and comes back with';

CREATE FUNCTION mlmeta_internal.guard_runs() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	was jsonb;
	becomes jsonb;
	change record;
BEGIN
	IF OLD.status <> NEW.status AND (NEW.status = 'scheduled'
			OR OLD.status = 'scheduled'
			AND NEW.status NOT IN ('running', 'killed')) THEN
		RAISE EXCEPTION 'run "%" cannot go from status "%" to "%"',
				OLD.run, OLD.status, NEW.status
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;

	-- Facts of the start may be completed, never changed.
	was := to_jsonb(OLD);
	becomes := to_jsonb(NEW);
	FOR change IN
		SELECT f.field
		FROM unnest(ARRAY['run', 'user_name', 'created_at', 'repository',
			'git_commit', 'branch', 'entry_point', 'command_line', 'patch',
			'environment', 'source']) AS f (field)
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
	BEFORE UPDATE OF run, status, user_name, created_at, repository, git_commit,
		branch, entry_point, command_line, patch, environment, source
	ON mlmeta.runs
	FOR EACH ROW EXECUTE FUNCTION mlmeta_internal.guard_runs();

CREATE TRIGGER guard_runs_delete
	BEFORE DELETE OR TRUNCATE ON mlmeta.runs
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

-- What has changed ------------------------------------------------------------

CREATE TABLE mlmeta.tracking_changes (
	change bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	user_name text NOT NULL DEFAULT mlmeta_internal.actor(),
	experiment_id bigint NOT NULL,
	run mlmeta.run,
	action text NOT NULL,
	detail jsonb NOT NULL
);

CREATE INDEX tracking_changes_run ON mlmeta.tracking_changes (run, change)
	WHERE run IS NOT NULL;
CREATE INDEX tracking_changes_experiment ON mlmeta.tracking_changes
	(experiment_id, change);

COMMENT ON TABLE mlmeta.tracking_changes IS
	'what was changed about experiments and runs afterwards, append-only: renamed, moved, deleted, ended in another way, corrected';
COMMENT ON COLUMN mlmeta.tracking_changes.user_name IS
	'the user, as the server knows it';
COMMENT ON COLUMN mlmeta.tracking_changes.run IS
	'the run that was changed; NULL: the experiment itself';
COMMENT ON COLUMN mlmeta.tracking_changes.action IS
	'what was done, such as renamed';
COMMENT ON COLUMN mlmeta.tracking_changes.detail IS
	'what it was before and what it became, a JSON object';

CREATE TRIGGER guard_tracking_changes
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.tracking_changes
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE FUNCTION mlmeta_internal.record_tracking(
	experiment_id bigint,
	run mlmeta.run,
	action text,
	detail jsonb
) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO mlmeta.tracking_changes (experiment_id, run, action, detail)
	VALUES (record_tracking.experiment_id, record_tracking.run,
		record_tracking.action, record_tracking.detail);
END;

COMMENT ON FUNCTION mlmeta_internal.record_tracking(bigint, mlmeta.run, text, jsonb) IS
	'records a change of an experiment or a run';

-- Facts that come while a run ends or afterwards --------------------------------

-- The written results of a run that has a mark are not believed: readers take it
-- live. Every late fact leaves a mark, and so does every end, for the sake of
-- those who log at that moment and do not see it: their number is read before
-- they look at the status, so that it lies below what is the next one when the
-- end is seen by others (seen). settle_run() takes marks away.
CREATE TABLE mlmeta.run_marks (
	run mlmeta.run NOT NULL,
	marked_by xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
	seen xid8,
	marked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (run, marked_by)
);

CREATE INDEX run_marks_unseen ON mlmeta.run_marks (run) WHERE seen IS NULL;
CREATE INDEX run_marks_marked_at ON mlmeta.run_marks (marked_at);

COMMENT ON TABLE mlmeta.run_marks IS
	'runs whose written results may lag behind: they have just ended, or something was logged since';
COMMENT ON COLUMN mlmeta.run_marks.marked_by IS
	'the transaction that ended the run or logged something late';
COMMENT ON COLUMN mlmeta.run_marks.seen IS
	'of an end: all transactions below this number must have ended before the results can be final; 0 for late facts; NULL: nobody has looked yet';

CREATE FUNCTION mlmeta_internal.mark_run(run mlmeta.run, is_end boolean) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- One that is there is of this very transaction.
	INSERT INTO mlmeta.run_marks AS m (run, seen)
	VALUES (mark_run.run, CASE WHEN NOT is_end THEN '0'::xid8 END)
	ON CONFLICT ON CONSTRAINT run_marks_pkey DO UPDATE
	SET seen = NULL, marked_at = excluded.marked_at
	WHERE excluded.seen IS NULL AND m.seen IS NOT NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.mark_run(mlmeta.run, boolean) IS
	'marks a run whose results lag behind, or, of an end, may';

-- Of sessions that find a reaped run at work at the same time one takes it up
-- again; whoever holds its row meanwhile is changing its status anyway.
CREATE FUNCTION mlmeta_internal.revive_run(run mlmeta.run) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	revived record;
BEGIN
	UPDATE mlmeta.runs AS r
	SET status = 'running', reaped = false, finished_at = NULL,
		heartbeat_at = clock_timestamp(), changed_at = clock_timestamp()
	FROM (
		SELECT l.ctid AS at, l.finished_at
		FROM mlmeta.runs AS l
		WHERE l.run OPERATOR(mlmeta.=) revive_run.run AND l.reaped
		FOR NO KEY UPDATE SKIP LOCKED
	) AS locked
	WHERE r.ctid = locked.at
	RETURNING r.experiment_id, locked.finished_at INTO revived;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM mlmeta_internal.record_tracking(revived.experiment_id, run, 'revived',
		jsonb_build_object('silent_since',
			mlmeta_internal.utc_text(revived.finished_at)));
	RETURN true;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.revive_run(mlmeta.run) IS
	'goes on with a run that reap_runs() ended; false when somebody else does';

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

-- In a read-committed transaction each statement sees what was committed before
-- it: who has his number and then sees the run running is waited for.
CREATE FUNCTION mlmeta_internal.accept_facts(run mlmeta.run) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state record;
BEGIN
	-- With its lock comes the number of this transaction.
	PERFORM mlmeta_internal.require_run(run);
	SELECT r.status, r.reaped, r.deleted_at, e.deleted_at AS experiment_deleted,
		e.experiment
	INTO state
	FROM mlmeta.runs AS r
		JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
	WHERE r.run OPERATOR(mlmeta.=) accept_facts.run;

	IF state.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'run "%" is deleted', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_run().';
	ELSIF state.experiment_deleted IS NOT NULL THEN
		RAISE EXCEPTION 'experiment "%" of run "%" is deleted',
				state.experiment, run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_experiment().';
	ELSIF state.status = 'scheduled' THEN
		RAISE EXCEPTION 'run "%" has not begun', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Begin it with begin_run().';
	END IF;
	IF state.status = 'running'
			AND current_setting('transaction_isolation') = 'read committed' THEN
		RETURN false;
	END IF;
	PERFORM mlmeta_internal.mark_run(run, false);
	RETURN state.status <> 'running'
		AND NOT (state.reaped AND mlmeta_internal.revive_run(run));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.accept_facts(mlmeta.run) IS
	'whether what is logged now is late, because the run has ended; raises an error when the run is not there, is deleted or has not begun, or the caller may not write in its project; takes up a reaped run again; waits for nobody';

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
		IF NOT EXISTS (SELECT FROM mlmeta_internal.attached_run(run)) THEN
			PERFORM mlmeta_internal.no_such_run(run);
		END IF;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_known(mlmeta.run) IS
	'raises an error unless the run exists, whatever its status, and the caller may see it';

CREATE FUNCTION mlmeta_internal.check_time(what text, run mlmeta.run, at timestamptz)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT isfinite(at) THEN
		RAISE EXCEPTION '% of run "%" must be finite', what, run
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_time(text, mlmeta.run, timestamptz) IS
	'raises an error for a time that is infinite; all others are kept';

CREATE FUNCTION mlmeta_internal.store_patch(run mlmeta.run, content text) RETURNS bytea
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	largest CONSTANT int := 64 * 1024 * 1024;
	digest CONSTANT bytea := sha256(convert_to(content, 'UTF8'));
BEGIN
	IF octet_length(content) > largest THEN
		RAISE EXCEPTION 'patch of run "%" is too long', run
			USING ERRCODE = 'program_limit_exceeded',
				DETAIL = format('It has %s bytes; the limit is %s.',
					octet_length(content), largest),
				HINT = 'Log large files as artifacts.';
	END IF;
	-- Locked, so that nobody purges the copy that this run relies on. One that
	-- somebody is purging is not seen.
	PERFORM
	FROM mlmeta.patch_copies AS c
	WHERE c.patch = digest
	LIMIT 1
	FOR KEY SHARE SKIP LOCKED;
	IF NOT FOUND THEN
		INSERT INTO mlmeta.patch_copies (patch, run, content)
		VALUES (digest, store_patch.run, store_patch.content)
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN digest;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_patch(mlmeta.run, text) IS
	'stores a patch for a run unless there is a copy of it, and returns its digest; waits for nobody';

CREATE FUNCTION mlmeta_internal.store_environment(run mlmeta.run, content jsonb)
RETURNS bytea
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	digest CONSTANT bytea := sha256(convert_to(content::text, 'UTF8'));
BEGIN
	-- As store_patch().
	PERFORM
	FROM mlmeta.environment_copies AS c
	WHERE c.environment = digest
	LIMIT 1
	FOR KEY SHARE SKIP LOCKED;
	IF NOT FOUND THEN
		INSERT INTO mlmeta.environment_copies (environment, run, content)
		VALUES (digest, store_environment.run, store_environment.content)
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN digest;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_environment(mlmeta.run, jsonb) IS
	'stores an environment for a run unless there is a copy of it, and returns its digest; waits for nobody';

CREATE FUNCTION mlmeta_internal.check_source(run mlmeta.run, source jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong record;
BEGIN
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
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_source(mlmeta.run, jsonb) IS
	'raises an error that names the key unless a source is what log_source() takes';

CREATE FUNCTION mlmeta_internal.log_source(run mlmeta.run, source jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known CONSTANT text[] := ARRAY['repository', 'commit', 'branch',
		'entry_point', 'command_line', 'patch', 'environment', 'devices'];
	patch_digest bytea;
	environment_digest bytea;
BEGIN
	PERFORM mlmeta_internal.require_run(run);
	IF source IS NULL THEN
		RETURN;
	END IF;
	PERFORM mlmeta_internal.check_source(run, source);
	IF source ->> 'patch' <> '' THEN
		patch_digest := mlmeta_internal.store_patch(run, source ->> 'patch');
	END IF;
	IF jsonb_typeof(source -> 'environment') = 'object' THEN
		environment_digest := mlmeta_internal.store_environment(run,
			source -> 'environment');
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
			ELSE coalesce(r.source, '{}') || (log_source.source - known) END,
		changed_at = clock_timestamp()
	WHERE r.run OPERATOR(mlmeta.=) log_source.run;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.log_source(mlmeta.run, jsonb) IS
	'records where a run''s code came from: keys repository, commit, branch, entry_point, command_line, patch, environment, devices and any other; what is recorded can be completed, not changed';

-- Starting ------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.experiment_for_run(experiment text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number bigint;
BEGIN
	PERFORM mlmeta_internal.check_name('experiment', experiment);
	number := mlmeta_internal.open_experiment(experiment);
	IF number IS NOT NULL THEN
		RETURN number;
	END IF;
	PERFORM mlmeta_internal.require_access('default', 'writer');
	INSERT INTO mlmeta.experiments (experiment)
	VALUES (experiment_for_run.experiment)
	ON CONFLICT DO NOTHING
	RETURNING experiment_id INTO number;
	IF FOUND THEN
		RETURN number;
	END IF;

	-- Somebody else's first use of the name came before.
	number := mlmeta_internal.open_experiment(experiment);
	IF number IS NULL THEN
		PERFORM mlmeta_internal.numbers_lag('experiments', 'experiment_id');
		RAISE EXCEPTION 'experiment "%" has been made by another transaction since this one began',
				experiment
			USING ERRCODE = 'serialization_failure',
				HINT = 'Run the transaction again.';
	END IF;
	RETURN number;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.experiment_for_run(text) IS
	'the number of an experiment in which the caller may write; one that is not there is created';

CREATE FUNCTION mlmeta_internal.new_run_row(
	experiment text,
	name text,
	status text,
	params jsonb,
	tags jsonb,
	parent mlmeta.run,
	source jsonb,
	id mlmeta.run,
	at timestamptz,
	artifact_uri text
) RETURNS mlmeta.run
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment_number bigint;
	result mlmeta.run := coalesce(id, mlmeta.new_run());
BEGIN
	PERFORM mlmeta_internal.check_writable();
	IF name IS NOT NULL THEN
		PERFORM mlmeta_internal.check_name('run name', name);
	END IF;
	PERFORM mlmeta_internal.check_time('start', result, at);
	IF parent IS NOT NULL THEN
		PERFORM mlmeta_internal.check_parent(result, parent);
	END IF;
	experiment_number := mlmeta_internal.experiment_for_run(experiment);

	-- Who says when it began is alive now all the same.
	INSERT INTO mlmeta.runs (run, experiment_id, name, parent, status,
		started_at, heartbeat_at, artifact_uri)
	VALUES (result, experiment_number, new_run_row.name, new_run_row.parent,
		new_run_row.status, CASE WHEN new_run_row.status = 'running'
			THEN coalesce(new_run_row.at, clock_timestamp()) END,
		CASE WHEN new_run_row.at IS NOT NULL THEN clock_timestamp() END,
		new_run_row.artifact_uri)
	ON CONFLICT ON CONSTRAINT runs_pkey DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'run "%" already exists', result
			USING ERRCODE = 'unique_violation',
				HINT = 'Go on with it by resume => ''allow'', or let the server choose the id.';
	END IF;
	PERFORM mlmeta_internal.log_source(result, source);
	PERFORM mlmeta_internal.store_params(result, params);
	PERFORM mlmeta_internal.store_tags(result, tags);
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.new_run_row(text, text, text, jsonb, jsonb,
	mlmeta.run, jsonb, mlmeta.run, timestamptz, text) IS
	'what start_run() and schedule_run() have in common';

CREATE FUNCTION mlmeta_internal.find_run(experiment text, name text, id mlmeta.run)
RETURNS mlmeta.run
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	candidates mlmeta.run[];
	place text;
BEGIN
	IF id IS NOT NULL THEN
		SELECT e.experiment INTO place
		FROM mlmeta.runs AS r
			JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
		WHERE r.run OPERATOR(mlmeta.=) id;
		IF place <> find_run.experiment
				AND mlmeta_internal.permits_run('reader', id) THEN
			RAISE EXCEPTION 'run "%" belongs to experiment "%"', id, place
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
		RETURN CASE WHEN place = find_run.experiment THEN id END;
	ELSIF name IS NULL THEN
		RAISE EXCEPTION 'a run is resumed by its id or its name'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;

	SELECT array_agg(f.run) INTO candidates
	FROM (
		SELECT r.run
		FROM mlmeta.runs AS r
			JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
		WHERE e.experiment = find_run.experiment AND r.name = find_run.name
			AND r.deleted_at IS NULL
			AND mlmeta_internal.permits_project('reader', e.project)
		ORDER BY r.started_at
		LIMIT 4
	) AS f;
	IF cardinality(candidates) > 1 THEN
		RAISE EXCEPTION 'several runs of experiment "%" are called "%"',
				experiment, name
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('They are %s.',
					array_to_string(candidates[:3], ', ')
					|| CASE WHEN cardinality(candidates) > 3 THEN ' and others'
						ELSE '' END),
				HINT = 'Resume one by its id.';
	END IF;
	RETURN candidates[1];
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_run(text, text, mlmeta.run) IS
	'the run to resume: by id, else the only one of the experiment with that name; NULL when there is none';

CREATE FUNCTION mlmeta_internal.start_run(
	experiment text,
	name text DEFAULT NULL,
	params jsonb DEFAULT NULL,
	tags jsonb DEFAULT NULL,
	parent mlmeta.run DEFAULT NULL,
	source jsonb DEFAULT NULL,
	id mlmeta.run DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	resume text DEFAULT 'never',
	artifact_uri text DEFAULT NULL
) RETURNS mlmeta.run
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.run;
BEGIN
	IF coalesce(resume, 'never') NOT IN ('never', 'allow', 'must') THEN
		RAISE EXCEPTION 'resume % is not known', to_json(resume)
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use never, allow or must.';
	END IF;
	IF resume IN ('allow', 'must') THEN
		old := mlmeta_internal.find_run(experiment, name, id);
		IF old IS NULL AND resume = 'must' THEN
			RAISE EXCEPTION 'experiment "%" has no run % to resume', experiment,
					coalesce('"' || coalesce(id::text, name) || '"', 'NULL')
				USING ERRCODE = 'undefined_object';
		END IF;
	END IF;
	IF old IS NULL THEN
		RETURN mlmeta_internal.new_run_row(experiment, name, 'running', params, tags,
			parent, source, id, at, artifact_uri);
	END IF;

	IF EXISTS (SELECT FROM mlmeta.runs AS r
			WHERE r.run OPERATOR(mlmeta.=) old AND r.status = 'scheduled') THEN
		PERFORM mlmeta_internal.begin_run(old, at);
	ELSE
		PERFORM mlmeta_internal.resume_run(old, at);
	END IF;
	PERFORM mlmeta_internal.log_source(old, source);
	PERFORM mlmeta_internal.store_params(old, params);
	PERFORM mlmeta_internal.store_tags(old, tags);
	RETURN old;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.start_run(text, text, jsonb, jsonb, mlmeta.run,
	jsonb, mlmeta.run, timestamptz, text, text) IS
	'starts a run and returns its id; an experiment that is not there is created; at: when it began; resume: allow or must go on with the run of that id, or the only one of that name; artifact_uri: where its files lie';

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
		parent, source, id, NULL, NULL);
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

CREATE FUNCTION mlmeta_internal.begin_run(
	run mlmeta.run,
	at timestamptz DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs := mlmeta_internal.lock_run(run);
BEGIN
	PERFORM mlmeta_internal.check_time('start', run, at);
	IF old.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'run "%" is deleted', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_run().';
	ELSIF old.status <> 'scheduled' THEN
		RAISE EXCEPTION 'run "%" is not scheduled', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Its status is "%s".', old.status);
	END IF;
	UPDATE mlmeta.runs AS r
	SET status = 'running', changed_at = clock_timestamp(),
		started_at = coalesce(begin_run.at, clock_timestamp()),
		heartbeat_at = CASE WHEN begin_run.at IS NOT NULL
			THEN clock_timestamp() END
	WHERE r.run OPERATOR(mlmeta.=) begin_run.run;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.begin_run(mlmeta.run, timestamptz) IS
	'begins a scheduled run';

-- Signs of life -------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.heartbeat(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- A reaped run goes on; of one that has ended it means nothing.
	PERFORM mlmeta_internal.accept_facts(run);

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

COMMENT ON FUNCTION mlmeta_internal.heartbeat(mlmeta.run) IS
	'a sign of life of a running run: reap_runs() leaves it alone; waits for nobody';

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
				AND r.status = 'running'
				AND greatest(r.started_at, r.heartbeat_at)
					< clock_timestamp() - interval '1 minute') THEN
		PERFORM mlmeta_internal.heartbeat(run);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.heartbeat_unless_at(mlmeta.run, timestamptz) IS
	'a heartbeat, once a minute, of a run that logs points of another time than now: their time does not tell reap_runs() that it is alive';

-- Ending --------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.check_end(old mlmeta.runs, status text, at timestamptz)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF status IS NULL OR status NOT IN
			('finished', 'failed', 'killed', 'crashed') THEN
		RAISE EXCEPTION 'a run cannot end with status %',
				coalesce(to_json(status)::text, 'null')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use finished, failed, killed or crashed.';
	ELSIF old.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'run "%" is deleted', old.run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_run().';
	ELSIF old.status = 'scheduled' AND status <> 'killed' THEN
		RAISE EXCEPTION 'run "%" has not begun', old.run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'A scheduled run can only be killed.';
	ELSIF at < old.started_at THEN
		RAISE EXCEPTION 'run "%" cannot end before it began', old.run
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It began at %s and would end at %s.',
					mlmeta_internal.utc_text(old.started_at), mlmeta_internal.utc_text(at));
	END IF;
	PERFORM mlmeta_internal.check_time('end', old.run, at);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_end(mlmeta.runs, text, timestamptz) IS
	'raises an error when a run cannot end so, or then';

CREATE FUNCTION mlmeta_internal.publish_end(
	run mlmeta.run,
	experiment_id bigint,
	action text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.publish_event('run:' || r.run::text, e.project, NULL,
		NULL, action, jsonb_build_object('run', r.run::text, 'experiment',
			e.experiment, 'name', r.name), clock_timestamp())
	FROM mlmeta.experiments AS e
		JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) publish_end.run
	WHERE e.experiment_id = publish_end.experiment_id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.publish_end(mlmeta.run, bigint, text) IS
	'publishes the event of a run that ended badly, whose row the caller has locked';

CREATE FUNCTION mlmeta_internal.finish_run(
	run mlmeta.run,
	status text DEFAULT 'finished',
	at timestamptz DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- Of several sessions that finish one run, one comes after the other.
	old mlmeta.runs := mlmeta_internal.lock_run(run);
	again boolean := old.finished_at IS NOT NULL AND NOT old.reaped;
BEGIN
	PERFORM mlmeta_internal.check_end(old, status, at);
	IF again AND old.status = finish_run.status
			AND old.finished_at = coalesce(at, old.finished_at) THEN
		RETURN;
	END IF;

	-- A clock that went backwards gives no negative duration.
	UPDATE mlmeta.runs AS r
	SET status = finish_run.status, reaped = false,
		finished_at = CASE WHEN finish_run.at IS NOT NULL THEN finish_run.at
			WHEN again THEN r.finished_at
			ELSE greatest(clock_timestamp(), r.started_at) END,
		changed_at = clock_timestamp()
	WHERE r.run OPERATOR(mlmeta.=) finish_run.run;
	IF old.finished_at IS NOT NULL THEN
		PERFORM mlmeta_internal.record_tracking(old.experiment_id, run, 'ended_again',
			jsonb_build_object('status', old.status, 'new_status', status,
				'finished_at', mlmeta_internal.utc_text(old.finished_at),
				'reaped', old.reaped));
	END IF;
	IF status IN ('failed', 'crashed') AND old.status <> status THEN
		PERFORM mlmeta_internal.publish_end(run, old.experiment_id,
			'run_' || status);
	END IF;
	IF NOT again THEN
		PERFORM mlmeta_internal.mark_run(run, true);
		PERFORM mlmeta_internal.write_results(run);
		PERFORM mlmeta_internal.settle_some(run);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.finish_run(mlmeta.run, text, timestamptz) IS
	'ends a run as finished, failed, killed or crashed, at a time or now, and writes its results; once more with the same status does nothing, with another status or time it is changed, on record';

CREATE FUNCTION mlmeta_internal.resume_run(
	run mlmeta.run,
	at timestamptz DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs := mlmeta_internal.lock_run(run);
	again timestamptz := coalesce(at, clock_timestamp());
BEGIN
	PERFORM mlmeta_internal.check_time('resumption', run, at);
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

	-- The written results stay until they are settled; nobody believes them.
	UPDATE mlmeta.runs AS r
	SET status = 'running', reaped = false, finished_at = NULL,
		pauses = r.pauses + CASE WHEN again > r.finished_at
			THEN tstzmultirange(tstzrange(r.finished_at, again))
			ELSE '{}' END,
		heartbeat_at = clock_timestamp(), changed_at = clock_timestamp()
	WHERE r.run OPERATOR(mlmeta.=) resume_run.run;
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, run, 'resumed',
		jsonb_build_object('status', old.status,
			'finished_at', mlmeta_internal.utc_text(old.finished_at)));
	PERFORM mlmeta_internal.mark_run(run, false);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.resume_run(mlmeta.run, timestamptz) IS
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
		SELECT r.run, r.experiment_id,
			greatest(l.alive_at, r.started_at) AS alive_at
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
		WHERE r.status = 'running' AND r.deleted_at IS NULL
			AND mlmeta_internal.permits_experiment('writer', r.experiment_id)
			AND f.alive_at < clock_timestamp() - older_than
			AND l.alive_at < clock_timestamp() - older_than
		ORDER BY r.run
		FOR NO KEY UPDATE OF r SKIP LOCKED
	LOOP
		UPDATE mlmeta.runs AS r
		SET status = 'crashed', reaped = true, finished_at = silent.alive_at,
			changed_at = clock_timestamp()
		WHERE r.run OPERATOR(mlmeta.=) silent.run;
		PERFORM mlmeta_internal.publish_end(silent.run, silent.experiment_id,
			'run_reaped');
		PERFORM mlmeta_internal.mark_run(silent.run, true);
		PERFORM mlmeta_internal.write_results(silent.run);
		RETURN NEXT silent.run;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.reap_runs(interval) IS
	'marks as crashed the runs that gave neither heartbeat nor metric for longer than that, ended at their last sign of life, and returns them; one that speaks again goes on';

CREATE FUNCTION mlmeta_internal.set_note(run mlmeta.run, note text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.require_run(run);
	UPDATE mlmeta.runs AS r
	SET note = set_note.note, changed_at = clock_timestamp()
	WHERE r.run OPERATOR(mlmeta.=) set_note.run;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_note(mlmeta.run, text) IS
	'sets or, with NULL, removes what a person has to say about a run';
