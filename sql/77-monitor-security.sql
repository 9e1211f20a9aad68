-- Who sees and changes monitors: as everything else, by project.
--
-- A monitor belongs to the role that checks it, and may belong to a project.
-- Without a project all see it who hold the grants, only its owner changes it.
-- In a project its members see it; writers acknowledge and resolve its alerts.
-- What a monitor runs is its owner's alone to change: nobody runs a query that
-- somebody else stored.

DO $$
DECLARE
	part record;
	-- Asked once a query, not once a row.
	seen CONSTANT pg_catalog.text :=
		'monitor = ANY (ARRAY(SELECT m.id FROM mlmeta.monitors AS m))';
	owned CONSTANT pg_catalog.text :=
		'monitor = ANY (ARRAY(SELECT m.id FROM mlmeta.monitors AS m WHERE mlmeta.holds_role(CURRENT_USER::text, m.owner)))';
	handled CONSTANT pg_catalog.text :=
		'monitor = ANY (ARRAY(SELECT m.id FROM mlmeta.monitors AS m WHERE mlmeta.holds_role(CURRENT_USER::text, m.owner) OR m.project IS NOT NULL AND mlmeta.permits(CURRENT_USER::text, ''writer'', m.project)))';
BEGIN
	FOR part IN
		SELECT *
		FROM (VALUES
			('monitors',
				'(SELECT mlmeta.all_open()) OR project IS NULL OR mlmeta.holds_role(CURRENT_USER::text, owner) OR mlmeta.permits(CURRENT_USER::text, ''reader'', project)',
				'mlmeta.holds_role(CURRENT_USER::text, owner) AND (project IS NULL OR mlmeta.permits(CURRENT_USER::text, ''writer'', project))'),
			('monitor_segments', seen, owned),
			('monitor_rules', seen, owned),
			('monitor_baselines', seen, owned),
			('monitor_windows', seen, owned),
			('monitor_results', seen, owned),
			('monitor_checks', seen, owned),
			('alerts', seen, handled),
			('monitor_baseline_segments',
				'EXISTS (SELECT FROM mlmeta.monitor_baselines AS b WHERE b.id = baseline)',
				'EXISTS (SELECT FROM mlmeta.monitor_baselines AS b WHERE b.id = baseline AND b.' || owned || ')'),
			('alert_events',
				'EXISTS (SELECT FROM mlmeta.alerts AS a WHERE a.id = alert)',
				'EXISTS (SELECT FROM mlmeta.alerts AS a WHERE a.id = alert AND a.' || handled || ')')
		) AS l (name, sees, writes)
	LOOP
		EXECUTE pg_catalog.format('ALTER TABLE mlmeta.%I ENABLE ROW LEVEL SECURITY', part.name);
		EXECUTE pg_catalog.format('CREATE POLICY sees ON mlmeta.%I FOR SELECT TO PUBLIC USING (%s)',
			part.name, part.sees);
		EXECUTE pg_catalog.format('CREATE POLICY adds ON mlmeta.%I FOR INSERT TO PUBLIC WITH CHECK (%s)',
			part.name, part.writes);
		EXECUTE pg_catalog.format('CREATE POLICY changes ON mlmeta.%I FOR UPDATE TO PUBLIC USING (%s)',
			part.name, part.writes);
		EXECUTE pg_catalog.format('CREATE POLICY removes ON mlmeta.%I FOR DELETE TO PUBLIC USING (%s)',
			part.name, part.writes);
		EXECUTE pg_catalog.format('COMMENT ON POLICY sees ON mlmeta.%I IS %L', part.name,
			'members see the monitors of their projects, all see those of none');
		EXECUTE pg_catalog.format('COMMENT ON POLICY adds ON mlmeta.%I IS %L', part.name,
			'the monitor''s owner adds');
		EXECUTE pg_catalog.format('COMMENT ON POLICY changes ON mlmeta.%I IS %L', part.name,
			CASE WHEN part.name OPERATOR(pg_catalog.~) '^alert' THEN 'the monitor''s owner changes, and the writers of its project'
				ELSE 'the monitor''s owner changes' END);
		EXECUTE pg_catalog.format('COMMENT ON POLICY removes ON mlmeta.%I IS %L', part.name,
			'the monitor''s owner removes');
	END LOOP;
END
$$;

CREATE FUNCTION mlmeta.grant_monitoring(writer text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta.grant_columns('INSERT', ARRAY['monitors', 'monitor_baselines',
		'monitor_checks', 'alert_events'], ARRAY['owner', 'user_name', 'created_at'], writer);
	PERFORM mlmeta.grant_columns('UPDATE', ARRAY['monitors'],
		ARRAY['id', 'source', 'relation', 'query', 'owner', 'created_at'], writer);
	PERFORM mlmeta.grant_columns('INSERT', ARRAY['alerts', 'monitor_segments',
		'monitor_rules', 'monitor_baseline_segments', 'monitor_windows',
		'monitor_results'], '{}', writer);
	PERFORM mlmeta.grant_columns('UPDATE', ARRAY['alerts', 'monitor_segments',
		'monitor_rules', 'monitor_baselines', 'monitor_windows',
		'monitor_results'], '{}', writer);
	PERFORM mlmeta.grant_columns('DELETE', ARRAY['monitors', 'monitor_segments',
		'monitor_rules', 'monitor_windows', 'monitor_results', 'monitor_checks',
		'alerts'], '{}', writer);
END
$$;

COMMENT ON FUNCTION mlmeta.grant_monitoring(text) IS
	'what a role needs to make and check monitors; setup_roles() calls it';
