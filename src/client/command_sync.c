/*-------------------------------------------------------------------------
 *
 * command_sync.c
 *		mlmeta sync: from the spool to the server, now.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <dirent.h>
#include <unistd.h>

#include "sender.h"

enum
{
	OPT_ALL = FIRST_LONG, OPT_ADOPT, OPT_REFUSED, OPT_RETRY
};

static const Option options[] = {
	{"all", 'a', NULL, "the spools of all servers"},
	{"adopt", OPT_ADOPT, NULL, "send also what was meant for another server or "
							   "database"},
	{"refused", OPT_REFUSED, NULL, "show how much the server has refused, and "
								   "send nothing"},
	{"retry", OPT_RETRY, NULL, "send what was refused once more, too"},
	{"quiet", 'q', NULL, "say nothing when all is well"},
	{NULL}
};

typedef struct SyncOptions
{
	bool		all;
	bool		adopt;
	bool		refused;
	bool		retry;
	bool		quiet;
} SyncOptions;

/* Send one run's facts; false when some must wait. */
static bool
sync_run(const Target *target, Spool *spool, const char *run,
		 const SyncOptions *sync, Sender *sender)
{
	SendResult	result;

	if (!spool_lock(spool, run))
	{
		if (!sync->quiet)
			pg_log_info("run %s is sent by another process", run);
		return true;
	}
	strlcpy(sender->run, run, sizeof(sender->run));
	while ((result = send_facts(sender)) == SENT_SOME)
	{
		if (isatty(STDERR_FILENO) && !sync->quiet)
			fprintf(stderr, "\r%lld sent, %lld wait  ",
					(long long) sender->n_sent,
					(long long) spool_count(spool, NULL));
	}
	spool_unlock(spool);
	return result == SENT_ALL;
}

static int
sync_spool(const Target *target, Spool *spool, const SyncOptions *sync)
{
	Sender		sender;
	char	  **runs;
	int			n;
	bool		good = true;
	int64		refused;

	if (sync->refused)
	{
		printf("%s: %lld refused, %lld waiting\n", spool_path(spool),
			   (long long) spool_refused(spool),
			   (long long) spool_count(spool, NULL));
		return spool_refused(spool) > 0 ? EXIT_DIFFERENT : 0;
	}
	if (sync->retry)
		spool_retry_refused(spool);
	sender_init(&sender, target, spool, "");
	sender.adopt = sync->adopt;
	n = spool_runs(spool, &runs);
	for (int i = 0; i < n && good; i++)
		good = sync_run(target, spool, runs[i], sync, &sender);
	for (int i = 0; i < n; i++)
		pg_free(runs[i]);
	pg_free(runs);
	sender_close(&sender);
	if (isatty(STDERR_FILENO) && n > 0 && !sync->quiet)
		fprintf(stderr, "\n");
	refused = spool_refused(spool);
	if (!sync->quiet)
		printf("%s: %lld sent, %lld waiting, %lld refused\n", target->label,
			   (long long) sender.n_sent,
			   (long long) spool_count(spool, NULL), (long long) refused);
	if (!good)
		return sender.connection == NULL && sender.problem != NULL ?
			EXIT_NO_SERVER : EXIT_PENDING;
	return refused > 0 ? EXIT_DIFFERENT : 0;
}

/* Each spool knows for whom it is. */
static int
sync_all(const Scan *scan, const SyncOptions *sync)
{
	char	   *path = spool_directory();
	DIR		   *directory = opendir(path);
	struct dirent *entry;
	int			worst = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL)
	{
		size_t		size = strlen(entry->d_name);
		ConnectionOptions connection = scan->connection;
		char	   *file = psprintf("%s/%s", path, entry->d_name);
		char	   *problem;
		Spool	   *spool;

		if (size < 4 || strcmp(entry->d_name + size - 3, ".db") != 0)
			continue;
		spool = spool_open(file, NULL, &problem);
		if (spool == NULL)
		{
			pg_log_error("the spool \"%s\" cannot be used: %s", file, problem);
			worst = Max(worst, EXIT_PENDING);
			continue;
		}
		connection.dbname = spool_value(spool, "conninfo");
		if (connection.dbname != NULL)
		{
			int			code = sync_spool(resolve_target(&connection), spool,
										  sync);

			worst = Max(worst, code);
		}
		spool_close(spool);
		pg_free(file);
	}
	if (directory != NULL)
		closedir(directory);
	return worst;
}

static int
sync_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	SyncOptions sync = {0};
	const Target *target;
	char	   *path;
	char	   *problem;
	Spool	   *spool;
	int			id;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case 'a':
				sync.all = true;
				break;
			case 'q':
				sync.quiet = true;
				break;
			case OPT_ADOPT:
				sync.adopt = true;
				break;
			case OPT_REFUSED:
				sync.refused = true;
				break;
			case OPT_RETRY:
				sync.retry = true;
				break;
		}
	}
	scan_arguments(&scan, 0, 0);
	if (sync.all)
		return sync_all(&scan, &sync);
	target = resolve_target(&scan.connection);
	path = psprintf("%s/%s.db", spool_directory(), target->file_name);
	spool = spool_open(path, target, &problem);
	if (spool == NULL)
	{
		pg_log_error("the spool \"%s\" cannot be used: %s", path, problem);
		return EXIT_PENDING;
	}
	return sync_spool(target, spool, &sync);
}

const Command sync_command = {
	.name = "sync",
	.arguments = "",
	.summary = "sends to the server what waits in the spool",
	.options = options,
	.details = "The exit code is 0 when nothing waits and nothing was refused, "
			   "1 when something was\n"
	"refused, 3 when something waits, 69 when the server cannot be reached.",
	.connects = true,
	.run = sync_main
};
