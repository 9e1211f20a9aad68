-- Doors: the functions that are called from outside and run behind the door.
--
-- The list says which role of a team may call each (part 91 has the rights to
-- read). A writer may what a reader may, so may a reviewer, and an admin what
-- both may; public is everybody, owner the extension's owner alone. A test
-- compares the list with what every role can really do.

CREATE VIEW mlmeta_internal.doors WITH (security_invoker = true) AS
SELECT d.role, d.decides, f.name
FROM (VALUES
	('public', false, ARRAY[
		'worst_segments', 'dataset_is_current']),
	('reader', false, ARRAY[
		'resolve_model', 'record_download', 'verify_audit', 'take_events', 'acknowledge_event']),
	('writer', false, ARRAY[
		'create_project', 'create_experiment', 'start_run', 'schedule_run', 'begin_run', 'heartbeat',
		'finish_run', 'resume_run', 'reap_runs', 'set_note', 'delete_run', 'restore_run', 'log_source',
		'rename_run', 'set_parent', 'move_runs', 'rename_experiment', 'set_experiment_tags',
		'delete_experiment', 'restore_experiment', 'rename_metric', 'correct_metric', 'log_metric', 'log_batch',
		'log_file', 'remove_files', 'log_model_file', 'remove_model_files', 'log_run_model',
		'create_default_experiment',
		'create_logged_model', 'set_logged_model', 'describe_artifact', 'refresh_results',
		'settle_run', 'unsettled_runs', 'check_budgets', 'ingest_openlineage',
		'log_params', 'set_tags', 'log_metrics', 'log_series', 'log_samples', 'use_artifact',
		'log_artifact', 'snapshot_dataset', 'create_model', 'create_model_version', 'describe_model', 'rename_model',
		'delete_model', 'restore_model', 'delete_version', 'restore_version',
		'request_transition', 'check_gates', 'create_event_consumer', 'drop_event_consumer',
		'request_retraining', 'claim_retraining', 'start_retraining', 'finish_retraining',
		'cancel_retraining', 'create_monitor', 'alter_monitor', 'drop_monitor', 'rename_feature', 'set_segments',
		'set_rule', 'add_measure', 'drop_measure', 'set_baseline', 'set_baseline_of_run', 'set_baseline_of_model', 'check_monitor', 'check_due',
		'check_quietly', 'schedule_monitor', 'unschedule_monitor', 'apply_retention', 'take_alerts']),
	('writer', true, ARRAY[
		'set_alias', 'drop_alias', 'withdraw', 'acknowledge_alert', 'snooze_alert', 'resolve_alert',
		'assign_alert']),
	('reviewer', true, ARRAY[
		'approve', 'reject']),
	('admin', false, ARRAY[
		'expire_requests', 'purge_events', 'purge_runs', 'purge_experiment', 'compact_series', 'set_price',
		'set_budget', 'list_members', 'stored_files']),
	('admin', true, ARRAY[
		'bypass', 'set_policy', 'add_gate', 'drop_gate', 'define_stage', 'drop_stage', 'add_member',
		'remove_member', 'open_project', 'set_metric', 'attach_mlflow', 'detach_mlflow',
		'import_mlflow']),
	('admin', false, ARRAY[
		'doctor', 'repair_sequences']),
	('owner', true, ARRAY[
		'rebind_roles'])
) AS d (role, decides, functions)
	CROSS JOIN LATERAL pg_catalog.unnest(d.functions) AS f (name);

COMMENT ON VIEW mlmeta_internal.doors IS
	'the public functions that write or decide: the role that may call them, and whether they record a decision, which no trigger makes';

-- Each door looks like the function behind it: arguments, defaults, comment.
DO $$
DECLARE
	door record;
BEGIN
	FOR door IN
		SELECT d.name, d.decides, p.oid, p.proretset, p.prorows, p.proisstrict,
			p.provolatile,
			pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
			pg_catalog.pg_get_function_identity_arguments(p.oid) AS identity,
			pg_catalog.pg_get_function_result(p.oid) AS result
		FROM mlmeta_internal.doors AS d
			LEFT JOIN pg_catalog.pg_proc AS p
				ON p.proname OPERATOR(pg_catalog.=) d.name::pg_catalog.name
				AND p.pronamespace OPERATOR(pg_catalog.=)
					'mlmeta_internal'::pg_catalog.regnamespace
	LOOP
		IF door.oid IS NULL THEN
			RAISE EXCEPTION 'there is nothing behind the door "%"', door.name;
		END IF;
		EXECUTE pg_catalog.format(
			'CREATE FUNCTION mlmeta.%I(%s) RETURNS %s LANGUAGE C %s PARALLEL UNSAFE %s %s AS %L, %L',
			door.name, door.arguments, door.result,
			CASE door.provolatile::pg_catalog.text WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
			CASE WHEN door.proisstrict THEN 'STRICT' ELSE '' END,
			CASE WHEN door.proretset THEN pg_catalog.format('ROWS %s', door.prorows) ELSE '' END,
			'MODULE_PATHNAME',
			CASE WHEN door.decides THEN 'mlmeta_decision_door' ELSE 'mlmeta_door' END);
		EXECUTE pg_catalog.format('COMMENT ON FUNCTION mlmeta.%I(%s) IS %L',
			door.name, door.identity,
			pg_catalog.obj_description(door.oid, 'pg_proc'));
	END LOOP;
END
$$;

