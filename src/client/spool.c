/*-------------------------------------------------------------------------
 *
 * spool.c
 *		Facts on their way to a server, kept on disk until it has them.
 *
 * A spool is an SQLite database, one for each server, database and user, in
 * a directory of the user's. Every fact is in it, and the disk has it, before
 * it is sent; it is removed when the server has it. A fact bears the id of
 * its batch, by which the server knows what it has had: whoever is killed at
 * whatever moment, it is sent again and counts once.
 *
 * Facts of one run are sent by one process at a time, in their order: the one
 * that holds the run's lock, a byte of a file beside the spool.
 *
 * Where the disk is full or cannot be written, facts are kept in memory, in
 * a second database that is otherwise alike.
 *
 *-------------------------------------------------------------------------
 */
#include "spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

/* Written into the file: "mlme", and the version of the tables below */
#define SPOOL_APPLICATION	0x6D6C6D65
#define SPOOL_VERSION		1

/* Milliseconds to wait for another process that writes */
#define SPOOL_BUSY_WAIT		30000

struct Spool
{
	char	   *path;			/* NULL: there is none on disk */
	sqlite3    *disk;
	sqlite3    *memory;			/* shared with readers, and safe to share */
	bool		owns_memory;
	bool		disk_full;		/* said so already */
	int			lock;			/* the file with the locks */
};

static const char *const tables =
	"CREATE TABLE facts (place INTEGER PRIMARY KEY AUTOINCREMENT,"
	" run TEXT NOT NULL, batch TEXT NOT NULL, kind TEXT NOT NULL,"
	" body TEXT NOT NULL);"
	"CREATE INDEX facts_run ON facts (run, place);"
	"CREATE TABLE refused (place INTEGER PRIMARY KEY,"
	" run TEXT NOT NULL, batch TEXT NOT NULL, kind TEXT NOT NULL,"
	" body TEXT NOT NULL, sqlstate TEXT, message TEXT, at TEXT NOT NULL);"
	"CREATE TABLE dead_letters (number INTEGER PRIMARY KEY,"
	" \"to\" TEXT NOT NULL, body TEXT NOT NULL, problem TEXT NOT NULL,"
	" at TEXT NOT NULL);"
	"CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);";

/* The directory of spools, which the caller frees; made when not there. */
char *
spool_directory(void)
{
	const char *given = getenv("MLMETA_SPOOL");
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char	   *path;

	if (given != NULL && *given != '\0')
		path = pg_strdup(given);
	else if (state != NULL && *state == '/')
		path = psprintf("%s/mlmeta", state);
	else
		path = psprintf("%s/.local/state/mlmeta", home == NULL ? "" : home);

	for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++)
	{
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
	return path;
}

/* Run statements whose failure is a reason to give up; the reason or NULL */
static char *
execute(sqlite3 *db, const char *sql)
{
	char	   *message = NULL;
	char	   *result = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		result = pg_strdup(message == NULL ? sqlite3_errmsg(db) : message);
	sqlite3_free(message);
	return result;
}

static int64
pragma_value(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	int64		value = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK
		&& sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

/* Tables where there are none; the reason when it is no spool of ours */
static char *
prepare_tables(sqlite3 *db)
{
	char	   *problem = execute(db, "BEGIN IMMEDIATE");
	int64		version;

	if (problem != NULL)
		return problem;
	version = pragma_value(db, "PRAGMA user_version");
	if (version == 0 && pragma_value(db, "SELECT count(*) FROM sqlite_master") == 0)
	{
		char	   *stamp = psprintf("PRAGMA application_id = %d;"
									 "PRAGMA user_version = %d",
									 SPOOL_APPLICATION, SPOOL_VERSION);

		problem = execute(db, tables);
		if (problem == NULL)
			problem = execute(db, stamp);
		pg_free(stamp);
	}
	else if (pragma_value(db, "PRAGMA application_id") != SPOOL_APPLICATION)
		problem = pg_strdup("the file is no spool of mlmeta");
	else if (version != SPOOL_VERSION)
		problem = psprintf("it has version %d, this program writes version %d",
						   (int) version, SPOOL_VERSION);
	if (problem == NULL)
		problem = execute(db, "COMMIT");
	else
		execute(db, "ROLLBACK");
	return problem;
}

static char *
open_disk(Spool *spool, bool may_lose)
{
	mode_t		mask = umask(0077);
	char	   *problem = NULL;

	if (sqlite3_open_v2(spool->path, &spool->disk, SQLITE_OPEN_READWRITE |
						SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL)
		!= SQLITE_OK)
		problem = pg_strdup(spool->disk == NULL ? "out of memory" :
							sqlite3_errmsg(spool->disk));
	umask(mask);
	if (problem == NULL)
	{
		sqlite3_busy_timeout(spool->disk, SPOOL_BUSY_WAIT);
		problem = execute(spool->disk, "PRAGMA journal_mode = WAL");
	}
	/* What only removes may be lost: it would be done once more. */
	if (problem == NULL)
		problem = execute(spool->disk, may_lose ? "PRAGMA synchronous = NORMAL" :
						  "PRAGMA synchronous = FULL");
	if (problem == NULL)
		problem = prepare_tables(spool->disk);
	if (problem != NULL)
	{
		sqlite3_close(spool->disk);
		spool->disk = NULL;
	}
	return problem;
}

static void
open_memory(Spool *spool)
{
	char	   *problem = NULL;

	if (sqlite3_open_v2(":memory:", &spool->memory, SQLITE_OPEN_READWRITE |
						SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL)
		!= SQLITE_OK)
		pg_fatal("out of memory");
	spool->owns_memory = true;
	problem = prepare_tables(spool->memory);
	if (problem != NULL)
		pg_fatal("facts cannot be kept in memory: %s", problem);
}

static Spool *
new_spool(const char *path)
{
	Spool	   *spool = pg_malloc0(sizeof(Spool));

	spool->path = path == NULL ? NULL : pg_strdup(path);
	spool->lock = -1;
	return spool;
}

/*
 * The spool in a file; NULL and why it cannot be had. For a target, the spool
 * remembers to whom it belongs.
 */
Spool *
spool_open(const char *path, const Target *target, char **problem)
{
	Spool	   *spool = new_spool(path);
	char	   *lock = psprintf("%s-lock", path);

	*problem = open_disk(spool, false);
	if (*problem != NULL)
	{
		spool_close(spool);
		return NULL;
	}
	spool->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	pg_free(lock);
	open_memory(spool);
	if (target != NULL)
	{
		char	   *known = spool_value(spool, "conninfo");
		char	   *conninfo = target_conninfo(target);

		if (known == NULL || strcmp(known, conninfo) != 0)
			spool_set_value(spool, "conninfo", conninfo);
		pg_free(known);
		free(conninfo);
	}
	return spool;
}

/*
 * The spool for a target. There always is one: where the disk refuses, it is
 * in memory alone, with a warning.
 */
Spool *
spool_open_target(const Target *target)
{
	char	   *directory = spool_directory();
	char	   *path = psprintf("%s/%s.db", directory, target->file_name);
	char	   *problem;
	Spool	   *spool = spool_open(path, target, &problem);

	if (spool == NULL)
	{
		pg_log_warning("the spool \"%s\" cannot be used: %s", path, problem);
		pg_log_warning_hint("Facts are kept in memory; they are lost if the "
							"server cannot be reached before the program ends. "
							"Set MLMETA_SPOOL to another directory.");
		spool = new_spool(NULL);
		open_memory(spool);
	}
	pg_free(path);
	pg_free(directory);
	return spool;
}

/* The same spool for another thread, which only reads and removes */
Spool *
spool_open_reader(const Spool *spool)
{
	Spool	   *reader = new_spool(spool->path);

	reader->memory = spool->memory;
	reader->lock = spool->lock;
	if (spool->disk != NULL)
	{
		char	   *problem = open_disk(reader, true);

		if (problem != NULL)
			pg_log_warning("the spool \"%s\" cannot be read: %s", spool->path,
						   problem);
		pg_free(problem);
	}
	return reader;
}

void
spool_close(Spool *spool)
{
	sqlite3_close(spool->disk);
	if (spool->owns_memory)
	{
		sqlite3_close(spool->memory);
		if (spool->lock >= 0)
			close(spool->lock);
	}
	pg_free(spool->path);
	pg_free(spool);
}

/* Whether facts outlive the program */
bool
spool_is_lasting(const Spool *spool)
{
	return spool->disk != NULL && !spool->disk_full;
}

const char *
spool_path(const Spool *spool)
{
	return spool->path;
}

/* Statements -------------------------------------------------------------- */

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;

	if (db != NULL
		&& sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		pg_log_warning("the spool does not work: %s", sqlite3_errmsg(db));
	return statement;
}

static void
bind_text(sqlite3_stmt *statement, int n, const char *text)
{
	sqlite3_bind_text(statement, n, text == NULL ? "" : text, -1,
					  SQLITE_STATIC);
}

/* Execute and be done with it; false when the database refuses. */
static bool
step(sqlite3_stmt *statement)
{
	bool		good = statement != NULL
		&& sqlite3_step(statement) == SQLITE_DONE;

	sqlite3_finalize(statement);
	return good;
}

/* The first value of the first row; -1 when there is none */
static int64
number_of(sqlite3 *db, const char *sql, const char *argument)
{
	sqlite3_stmt *statement = prepare(db, sql);
	int64		value = -1;

	if (statement == NULL)
		return 0;
	if (argument != NULL)
		bind_text(statement, 1, argument);
	if (sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

/* A setting of the spool, NULL when it is not set; the caller frees it. */
char *
spool_value(Spool *spool, const char *key)
{
	sqlite3_stmt *statement = prepare(spool->disk,
									  "SELECT value FROM settings WHERE key = "
									  "?");
	char	   *value = NULL;

	if (statement == NULL)
		return NULL;
	bind_text(statement, 1, key);
	if (sqlite3_step(statement) == SQLITE_ROW)
		value = pg_strdup((const char *) sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return value;
}

void
spool_set_value(Spool *spool, const char *key, const char *value)
{
	sqlite3_stmt *statement = prepare(spool->disk,
									  "INSERT INTO settings (key, value) "
									  "VALUES (?, ?)"
									  " ON CONFLICT (key) DO UPDATE SET value "
									  "= excluded.value");

	if (statement == NULL)
		return;
	bind_text(statement, 1, key);
	bind_text(statement, 2, value);
	step(statement);
}

static bool
append_to(sqlite3 *db, const char *run, const char *kind, const char *body)
{
	sqlite3_stmt *statement = prepare(db,
									  "INSERT INTO facts (run, batch, kind, "
									  "body) VALUES (?, ?, ?, ?)");
	char		batch[UUID_TEXT_SIZE];

	if (statement == NULL)
		return false;
	make_uuid(batch);
	bind_text(statement, 1, run);
	bind_text(statement, 2, batch);
	bind_text(statement, 3, kind);
	bind_text(statement, 4, body);
	return step(statement);
}

/*
 * Keep a fact. True: it is on disk, and will be stored once whatever happens.
 * False: it is in memory, because the disk is full or gone; that is said once.
 */
bool
spool_append(Spool *spool, const char *run, const char *kind,
			 const json_t *body)
{
	char	   *text = dump_json(body);
	bool		lasting = false;

	/* What came to memory goes out first: order is kept */
	if (spool->disk != NULL
		&& (!spool->disk_full
			|| number_of(spool->memory, "SELECT count(*) FROM facts", NULL) == 0))
	{
		lasting = append_to(spool->disk, run, kind, text);
		if (!lasting && !spool->disk_full)
		{
			pg_log_warning("the spool \"%s\" cannot be written: %s",
						   spool->path, sqlite3_errmsg(spool->disk));
			pg_log_warning_hint("Facts are kept in memory until there is room.");
		}
		spool->disk_full = !lasting;
	}
	if (!lasting && !append_to(spool->memory, run, kind, text))
		pg_fatal("out of memory");
	free(text);
	return lasting;
}

static int
read_from(sqlite3 *db, bool in_memory, const char *run, int n, Fact *facts)
{
	sqlite3_stmt *statement = prepare(db,
									  "SELECT place, run, batch, kind, body "
									  "FROM facts WHERE run = ? ORDER BY place "
									  "LIMIT ?");
	int			found = 0;

	if (statement == NULL)
		return 0;
	bind_text(statement, 1, run);
	sqlite3_bind_int(statement, 2, n);
	while (sqlite3_step(statement) == SQLITE_ROW)
	{
		Fact	   *fact = &facts[found++];

		fact->place = sqlite3_column_int64(statement, 0);
		fact->in_memory = in_memory;
		strlcpy(fact->run, (const char *) sqlite3_column_text(statement, 1),
				sizeof(fact->run));
		strlcpy(fact->batch, (const char *) sqlite3_column_text(statement, 2),
				sizeof(fact->batch));
		strlcpy(fact->kind, (const char *) sqlite3_column_text(statement, 3),
				sizeof(fact->kind));
		fact->body = pg_strdup((const char *) sqlite3_column_text(statement, 4));
	}
	sqlite3_finalize(statement);
	return found;
}

/* Up to n of a run's oldest facts; the caller frees their bodies. */
int
spool_read(Spool *spool, const char *run, int n, Fact *facts)
{
	int			found = read_from(spool->disk, false, run, n, facts);

	if (found == 0)
		found = read_from(spool->memory, true, run, n, facts);
	return found;
}

/* Forget facts that the server has. */
void
spool_remove(Spool *spool, const Fact *facts, int n)
{
	for (int memory = 0; memory < 2; memory++)
	{
		sqlite3    *db = memory ? spool->memory : spool->disk;

		if (db == NULL)
			continue;
		pg_free(execute(db, "BEGIN IMMEDIATE"));
		for (int i = 0; i < n; i++)
		{
			sqlite3_stmt *statement;

			if (facts[i].in_memory != memory)
				continue;
			statement = prepare(db, "DELETE FROM facts WHERE place = ?");
			if (statement == NULL)
				continue;
			sqlite3_bind_int64(statement, 1, facts[i].place);
			step(statement);
		}
		pg_free(execute(db, "COMMIT"));
	}
}

/* Set a fact aside that the server would refuse again. */
void
spool_refuse(Spool *spool, const Fact *fact, const char *sqlstate,
			 const char *message)
{
	sqlite3    *db = fact->in_memory ? spool->memory : spool->disk;
	sqlite3_stmt *statement;
	char	   *at = time_text(now_us());

	pg_free(execute(db, "BEGIN IMMEDIATE"));
	statement = prepare(db,
						"INSERT INTO refused (place, run, batch, kind, body, "
						"sqlstate, message, at)"
						" SELECT place, run, batch, kind, body, ?, ?, ? FROM "
						"facts WHERE place = ?");
	if (statement != NULL)
	{
		bind_text(statement, 1, sqlstate);
		bind_text(statement, 2, message);
		bind_text(statement, 3, at);
		sqlite3_bind_int64(statement, 4, fact->place);
		step(statement);
	}
	statement = prepare(db, "DELETE FROM facts WHERE place = ?");
	if (statement != NULL)
	{
		sqlite3_bind_int64(statement, 1, fact->place);
		step(statement);
	}
	pg_free(execute(db, "COMMIT"));
	pg_free(at);
}

/* How many facts wait, of one run or (NULL) of all */
int64
spool_count(Spool *spool, const char *run)
{
	const char *sql = run == NULL ? "SELECT count(*) FROM facts" :
		"SELECT count(*) FROM facts WHERE run = ?";

	return number_of(spool->disk, sql, run) + number_of(spool->memory, sql, run);
}

int64
spool_refused(Spool *spool)
{
	return number_of(spool->disk, "SELECT count(*) FROM refused", NULL)
		+ number_of(spool->memory, "SELECT count(*) FROM refused", NULL);
}

/* Put the refused facts back into their places; how many there were */
int
spool_retry_refused(Spool *spool)
{
	int			n = (int) number_of(spool->disk,
									"SELECT count(*) FROM refused", NULL);

	if (n > 0)
		pg_free(execute(spool->disk,
						"BEGIN IMMEDIATE;"
						"INSERT INTO facts (place, run, batch, kind, body)"
						" SELECT place, run, batch, kind, body FROM refused;"
						"DELETE FROM refused;"
						"COMMIT"));
	return Max(n, 0);
}

/* The runs of which facts wait; the caller frees list and texts. */
int
spool_runs(Spool *spool, char ***runs)
{
	sqlite3_stmt *statement = prepare(spool->disk,
									  "SELECT run FROM facts GROUP BY run "
									  "ORDER BY min(place)");
	int			n = 0;
	int			room = 16;

	*runs = pg_malloc(sizeof(char *) * room);
	while (statement != NULL && sqlite3_step(statement) == SQLITE_ROW)
	{
		if (n == room)
			*runs = pg_realloc(*runs, sizeof(char *) * (room *= 2));
		(*runs)[n++] = pg_strdup((const char *) sqlite3_column_text(statement,
																	0));
	}
	sqlite3_finalize(statement);
	return n;
}

/* The byte of the file of locks that stands for a run */
static off_t
lock_place(const char *run)
{
	uint64		hash = UINT64CONST(14695981039346656037);

	for (const char *c = run; *c != '\0'; c++)
		hash = (hash ^ (unsigned char) *c) * UINT64CONST(1099511628211);
	return (off_t) (hash & INT64CONST(0x3FFFFFFFFFFFFFFF));
}

/* Become who sends a run's facts; false: another process does. */
bool
spool_lock(Spool *spool, const char *run)
{
	struct flock lock = {.l_type = F_WRLCK,.l_whence = SEEK_SET,.l_len = 1};

	if (spool->lock < 0)
		return true;
	lock.l_start = lock_place(run);
	return fcntl(spool->lock, F_OFD_SETLK, &lock) == 0;
}

/* Let others send what this process did. */
void
spool_unlock(Spool *spool)
{
	struct flock lock = {.l_type = F_UNLCK,.l_whence = SEEK_SET};

	if (spool->lock >= 0)
		fcntl(spool->lock, F_OFD_SETLK, &lock);
}

/* Dead letters ------------------------------------------------------------ */

bool
spool_bury(Spool *spool, const char *where, const char *body,
		   const char *problem)
{
	sqlite3_stmt *statement = prepare(spool->disk,
									  "INSERT INTO dead_letters (\"to\", body, "
									  "problem, at) VALUES (?, ?, ?, ?)");
	char	   *at = time_text(now_us());
	bool		good = false;

	if (statement != NULL)
	{
		bind_text(statement, 1, where);
		bind_text(statement, 2, body);
		bind_text(statement, 3, problem);
		bind_text(statement, 4, at);
		good = step(statement);
	}
	pg_free(at);
	return good;
}

/* A new array of objects: number, to, body, problem, at */
json_t *
spool_dead_letters(Spool *spool)
{
	static const char *const names[] = {"number", "to", "body", "problem", "at"};
	sqlite3_stmt *statement = prepare(spool->disk,
									  "SELECT number, \"to\", body, problem, "
									  "at FROM dead_letters ORDER BY number");
	json_t	   *letters = json_array();

	while (statement != NULL && sqlite3_step(statement) == SQLITE_ROW)
	{
		json_t	   *letter = json_object();

		json_object_set_new(letter, names[0],
							json_integer(sqlite3_column_int64(statement, 0)));
		for (int i = 1; i < lengthof(names); i++)
			json_object_set_new(letter, names[i],
								json_text((const char *) sqlite3_column_text(statement, i)));
		json_array_append_new(letters, letter);
	}
	sqlite3_finalize(statement);
	return letters;
}

void
spool_forget_letter(Spool *spool, int64 number)
{
	sqlite3_stmt *statement = prepare(spool->disk,
									  "DELETE FROM dead_letters WHERE number = "
									  "?");

	if (statement == NULL)
		return;
	sqlite3_bind_int64(statement, 1, number);
	step(statement);
}
