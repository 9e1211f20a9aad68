/*-------------------------------------------------------------------------
 *
 * command_models.c
 *		mlmeta models: models, and the versions of one.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "output.h"

enum
{
	OPT_JSON = FIRST_LONG, OPT_HISTORY, OPT_RECORD
};

static const Option options[] = {
	{"history", OPT_HISTORY, NULL, "which version was where, and when"},
	{"record", OPT_RECORD, "VERSION", "all it takes to train a version again, "
	"as JSON"},
	{"json", OPT_JSON, NULL, "JSON"},
	{NULL}
};

static int
models_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	bool		json = false;
	bool		history = false;
	const char *record = NULL;
	const char *values[2];
	int			id;
	PGconn	   *connection;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case OPT_JSON:
				json = true;
				break;
			case OPT_HISTORY:
				history = true;
				break;
			case OPT_RECORD:
				number_argument(&scan, 1, PG_INT32_MAX);
				record = scan.value;
				break;
		}
	}
	scan_arguments(&scan, history || record != NULL ? 1 : 0, 1);
	connection = require_connection(&scan.connection, NULL);
	values[0] = scan.n_rest == 1 ? scan.rest[0] : NULL;
	values[1] = record;
	if (record != NULL)
		printf("%s\n", PQgetvalue(query(connection,
										"SELECT "
										"mlmeta.training_record($1::text, "
										"$2::int)",
										2, values), 0, 0));
	else if (history)
		show_query(connection, json, NULL,
				   "SELECT h.alias_or_stage AS place, h.version, "
				   "pg_catalog.lower(h.valid) AS \"from\", "
				   "pg_catalog.upper(h.valid) AS until"
				   " FROM mlmeta.model_history AS h WHERE h.model = $1::text "
				   "ORDER BY 3, 1",
				   1, values);
	else if (values[0] == NULL)
		show_query(connection, json, NULL, json ?
				   "SELECT o.* FROM mlmeta.model_overview AS o ORDER BY "
				   "o.model" :
				   "SELECT o.model, o.project, o.latest_version AS latest, "
				   "o.aliases, o.stages, pg_catalog.to_char(o.changed_at, "
				   "'YYYY-MM-DD HH24:MI') AS changed"
				   " FROM mlmeta.model_overview AS o ORDER BY o.model", 0, NULL);
	else if (show_query(connection, json, NULL, json ?
						"SELECT o.* FROM mlmeta.version_overview AS o WHERE "
						"o.model = $1::text ORDER BY o.version DESC" :
						"SELECT o.version, o.stage, "
						"pg_catalog.array_to_string(o.aliases, ', ') AS "
						"aliases, o.run, o.artifact, "
						"pg_catalog.to_char(o.created_at, 'YYYY-MM-DD "
						"HH24:MI') AS created, o.created_by AS by"
						" FROM mlmeta.version_overview AS o WHERE o.model = "
						"$1::text ORDER BY o.version DESC", 1, values) == 0)
		return EXIT_DIFFERENT;
	return 0;
}

const Command models_command = {
	.name = "models",
	.arguments = "[MODEL]",
	.summary = "lists models, or the versions of one",
	.options = options,
	.connects = true,
	.run = models_main
};
