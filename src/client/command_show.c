/*-------------------------------------------------------------------------
 *
 * command_show.c
 *		mlmeta show: one run, with pictures of its metrics.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "output.h"
#include "restore.h"

enum
{
	OPT_JSON = FIRST_LONG, OPT_LOG, OPT_PATCH, OPT_ENVIRONMENT
};

static const Option options[] = {
	{"log", OPT_LOG, NULL, "the end of its output"},
	{"patch", OPT_PATCH, NULL, "the patch of what was not committed"},
	{"environment", OPT_ENVIRONMENT, NULL, "what it ran in, as JSON"},
	{"json", OPT_JSON, NULL, "JSON"},
	{NULL}
};

static const char facts[] =
"SELECT f.what AS \" \", f.value AS \"  \" FROM mlmeta.run_overview AS o CROSS "
"JOIN LATERAL (VALUES"
" ('run', o.run::text), ('experiment', o.experiment), ('name', o.name), "
"('status', o.status),"
" ('started', o.started_at::text), ('duration', o.duration::text), ('user', "
"o.user_name),"
" ('commit', o.git_commit || CASE WHEN o.has_patch THEN ' with uncommitted "
"changes' ELSE '' END),"
" ('branch', o.branch), ('repository', o.repository), ('command', "
"o.command_line),"
" ('data', pg_catalog.array_to_string(o.data_versions, ', ')), ('produced', "
"pg_catalog.array_to_string(o.produced, ', ')),"
" ('parent', o.parent::text), ('note', o.note)) AS f (what, value)"
" WHERE o.run OPERATOR(mlmeta.=) $1::mlmeta.run AND f.value <> ''";

static const char settings[] =
"SELECT 'param' AS kind, p.key, p.value #>> '{}' AS value FROM "
"mlmeta.run_overview AS o"
" CROSS JOIN LATERAL pg_catalog.jsonb_each(o.params) AS p WHERE o.run "
"OPERATOR(mlmeta.=) $1::mlmeta.run"
" UNION ALL"
" SELECT 'tag', t.key, t.value #>> '{}' FROM mlmeta.run_overview AS o"
" CROSS JOIN LATERAL pg_catalog.jsonb_each(o.tags) AS t WHERE o.run "
"OPERATOR(mlmeta.=) $1::mlmeta.run"
" ORDER BY 1, 2";

static const char metrics[] =
"SELECT CASE WHEN l.context = '' THEN '' ELSE l.context || '/' END || l.key AS "
"metric, l.step AS \"last step\", l.value AS \"last value\","
" (SELECT mlmeta.sparkline(pg_catalog.array_agg(h.value ORDER BY h.step, "
"h.at))"
"  FROM mlmeta.metric_history(l.run, l.key, 40, l.context) AS h) AS curve"
" FROM mlmeta.metric_latest AS l WHERE l.run OPERATOR(mlmeta.=) $1::mlmeta.run"
" ORDER BY l.context = 'system', l.context, l.key";

static int
show_text(const char *text, const char *run, const char *what)
{
	if (text == NULL)
	{
		pg_log_error("run %s has no %s", run, what);
		return EXIT_DIFFERENT;
	}
	fputs(text, stdout);
	return 0;
}

static int
show_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	int			what = 0;
	int			id;
	char		run[RUN_TEXT_SIZE];
	const char *values[] = {run};
	PGconn	   *connection;
	RunRecord  *record;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
		what = id;
	scan_arguments(&scan, 1, 1);
	connection = require_connection(&scan.connection, NULL);
	resolve_run(connection, scan.rest[0], run);
	record = load_run(connection, run);
	switch (what)
	{
		case OPT_LOG:
			return show_text(json_string_value(json_object_get(json_object_get(record->source, "end"), "log_tail")),
							 run, "output recorded");
		case OPT_PATCH:
			return show_text(record->patch, run, "patch");
		case OPT_ENVIRONMENT:
			printf("%s\n", dump_json(record->environment));
			return 0;
		case OPT_JSON:
			show_query(connection, true, NULL,
					   "SELECT o.*, r.source, (SELECT v.content FROM "
					   "mlmeta.environments AS v WHERE v.environment = "
					   "r.environment LIMIT 1) AS environment"
					   " FROM mlmeta.run_overview AS o JOIN mlmeta.runs AS r "
					   "ON r.run OPERATOR(mlmeta.=) o.run"
					   " WHERE o.run OPERATOR(mlmeta.=) $1::mlmeta.run", 1, values);
			return 0;
	}
	show_query(connection, false, NULL, facts, 1, values);
	show_query(connection, false, NULL, settings, 1, values);
	show_query(connection, false, NULL, metrics, 1, values);
	return 0;
}

const Command show_command = {
	.name = "show",
	.arguments = "RUN",
	.summary = "shows a run, with sparklines of its metrics",
	.options = options,
	.connects = true,
	.run = show_main
};
