/*-------------------------------------------------------------------------
 *
 * store.c
 *		Files by what they hold: DIR/objects/ab/ab12..., named by SHA-256.
 *
 * A file is written under a name of its own in DIR/incoming, flushed, and
 * renamed to the digest of its bytes: an object is there whole or not at all,
 * once however often it is sent, and never changes. What path means which
 * object is known to the database alone, and no name that comes from a client
 * ever is a name here: so no path leads out of the directory.
 *
 *-------------------------------------------------------------------------
 */
#include "serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Seconds after which what lies in "incoming", or belongs to nobody, is old */
#define OLD_AGE		86400

static int	objects_fd = -1;
static int	incoming_fd = -1;

static int
open_part(const char *root, const char *name)
{
	char	   *path = psprintf("%s/%s", root, name);
	int			fd;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		pg_fatal("could not make directory \"%s\": %m", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		pg_fatal("could not open directory \"%s\": %m", path);
	free(path);
	return fd;
}

/* Remove what uploads left behind that a crash cut short */
static void
sweep_incoming(void)
{
	int			fd = dup(incoming_fd);
	DIR		   *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat status;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
	{
		if (entry->d_name[0] != '.'
			&& fstatat(incoming_fd, entry->d_name, &status,
					   AT_SYMLINK_NOFOLLOW) == 0
			&& status.st_mtime < time(NULL) - OLD_AGE)
			unlinkat(incoming_fd, entry->d_name, 0);
	}
	if (dir != NULL)
		closedir(dir);
}

/* Open the store, made if it is not there; exits where it cannot be had. */
void
open_store(const char *root)
{
	if (mkdir(root, 0700) != 0 && errno != EEXIST)
		pg_fatal("could not make directory \"%s\": %m", root);
	objects_fd = open_part(root, "objects");
	incoming_fd = open_part(root, "incoming");
	if (faccessat(incoming_fd, ".", W_OK, 0) != 0)
		pg_fatal("could not write to directory \"%s\": %m", root);
	sweep_incoming();
}

/* A file that is about to come; its errors are told by finish_upload() */
Upload *
begin_upload(void)
{
	Upload	   *upload = pg_malloc0(sizeof(Upload));
	char		name[UUID_TEXT_SIZE];

	make_uuid(name);
	strlcpy(upload->name, name, sizeof(upload->name));
	upload->fd = openat(incoming_fd, upload->name,
						O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
						0600);
	if (upload->fd < 0)
		upload->error = errno;
	upload->digest = EVP_MD_CTX_new();
	EVP_DigestInit_ex(upload->digest, EVP_sha256(), NULL);
	return upload;
}

void
add_to_upload(Upload *upload, const char *data, size_t size)
{
	if (upload->error != 0)
		return;
	errno = 0;
	if (!write_all(upload->fd, data, size))
	{
		upload->error = errno == 0 ? ENOSPC : errno;
		return;
	}
	EVP_DigestUpdate(upload->digest, data, size);
	upload->size += size;
}

static void
hex_of(const unsigned char *bytes, size_t size, char *hex)
{
	for (size_t i = 0; i < size; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
}

/* The name of an object below "objects": "ab/ab12..." */
static void
object_name(const char *sha256, char *name)
{
	sprintf(name, "%.2s/%s", sha256, sha256);
}

/* Flush a directory, so that the names in it survive a crash */
static bool
flush_directory(int parent, const char *name)
{
	int			fd = openat(parent, name,
							O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	bool		flushed = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return flushed;
}

/*
 * Put a file in its place. False, and upload->error, where that failed; the
 * upload must be dropped in any case.
 */
bool
finish_upload(Upload *upload)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int size;
	char		name[SHA256_TEXT_SIZE + 3];
	char		folder[3];

	if (upload->error != 0)
		return false;
	EVP_DigestFinal_ex(upload->digest, bytes, &size);
	hex_of(bytes, size, upload->sha256);
	object_name(upload->sha256, name);
	strlcpy(folder, name, sizeof(folder));
	if (fsync(upload->fd) != 0
		|| (mkdirat(objects_fd, folder, 0700) != 0 && errno != EEXIST)
		|| fsync(objects_fd) != 0
		|| renameat(incoming_fd, upload->name, objects_fd, name) != 0
		|| !flush_directory(objects_fd, folder))
	{
		upload->error = errno;
		return false;
	}
	upload->kept = true;
	return true;
}

void
drop_upload(Upload *upload)
{
	if (upload->fd >= 0)
	{
		close(upload->fd);
		if (!upload->kept)
			unlinkat(incoming_fd, upload->name, 0);
	}
	EVP_MD_CTX_free(upload->digest);
	free(upload);
}

/* An object, open for reading, and its size; -1 where there is none. */
int
open_object(const char *sha256, int64 *size)
{
	char		name[SHA256_TEXT_SIZE + 3];
	struct stat status;
	int			fd;

	if (objects_fd < 0 || strlen(sha256) != SHA256_TEXT_SIZE - 1
		|| strspn(sha256, "0123456789abcdef") != SHA256_TEXT_SIZE - 1)
		return -1;
	object_name(sha256, name);
	fd = openat(objects_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
	{
		close(fd);
		return -1;
	}
	*size = status.st_size;
	return fd;
}

/* Whether an object holds what its name says */
static bool
is_whole(const char *sha256, int64 *size)
{
	static char chunk[1 << 18];
	EVP_MD_CTX *digest;
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int n;
	char		hex[SHA256_TEXT_SIZE];
	ssize_t		got;
	int			fd = open_object(sha256, size);

	if (fd < 0)
		return false;
	digest = EVP_MD_CTX_new();
	EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		EVP_DigestUpdate(digest, chunk, got);
	close(fd);
	EVP_DigestFinal_ex(digest, bytes, &n);
	EVP_MD_CTX_free(digest);
	hex_of(bytes, n, hex);
	return got == 0 && strcmp(hex, sha256) == 0;
}

/* Objects on disk that no file of the database names; removed when asked */
static void
find_orphans(const char *const *known, int n_known, bool remove,
			 int64 *orphans, int64 *bytes)
{
	for (int i = 0; i < 256; i++)
	{
		char		folder[3];
		int			fd;
		DIR		   *dir;
		struct dirent *entry;

		sprintf(folder, "%02x", i);
		fd = openat(objects_fd, folder,
					O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		dir = fd < 0 ? NULL : fdopendir(fd);
		while (dir != NULL && (entry = readdir(dir)) != NULL)
		{
			const char *name = entry->d_name;
			struct stat status;

			if (name[0] == '.'
				|| bsearch(&name, known, n_known, sizeof(char *),
						   (int (*) (const void *, const void *)) pg_qsort_strcmp) != NULL
				|| fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0
			/* its request may still be under way */
				|| status.st_ctime > time(NULL) - OLD_AGE)
				continue;
			(*orphans)++;
			*bytes += status.st_size;
			if (remove && unlinkat(fd, name, 0) != 0)
				pg_log_error("could not remove \"%s\": %m", name);
		}
		if (dir != NULL)
			closedir(dir);
	}
}

/*
 * mlmeta serve --verify: every file that the database knows is there and holds
 * what was sent; what nobody knows any more is counted, or removed. Returns
 * the exit code.
 */
int
verify_store(PGconn *connection, bool remove)
{
	PGresult   *result = query0(connection,
								"SELECT f.sha256, pg_catalog.max(f.size), pg_catalog.min(f.path) FROM mlmeta.stored_files() AS f GROUP BY f.sha256 ORDER BY f.sha256 COLLATE \"C\"");
	int			n = PQntuples(result);
	const char **known = pg_malloc0(sizeof(char *) * (n + 1));
	int64		missing = 0;
	int64		damaged = 0;
	int64		total = 0;
	int64		orphans = 0;
	int64		orphan_bytes = 0;

	for (int i = 0; i < n; i++)
	{
		int64		size = 0;
		int			fd = open_object(PQgetvalue(result, i, 0), &size);

		known[i] = PQgetvalue(result, i, 0);
		if (fd < 0)
		{
			missing++;
			printf("missing: %s (%s)\n", known[i], PQgetvalue(result, i, 2));
			continue;
		}
		close(fd);
		total += size;
		if (!is_whole(known[i], &size))
		{
			damaged++;
			printf("damaged: %s (%s)\n", known[i], PQgetvalue(result, i, 2));
		}
	}
	find_orphans(known, n, remove, &orphans, &orphan_bytes);
	printf("%d files, " INT64_FORMAT " bytes: " INT64_FORMAT " missing, "
		   INT64_FORMAT " damaged; " INT64_FORMAT " of nobody, " INT64_FORMAT
		   " bytes%s\n", n, total, missing, damaged, orphans, orphan_bytes,
		   remove && orphans > 0 ? ", removed" : "");
	free(known);
	PQclear(result);
	return missing + damaged > 0 ? EXIT_DIFFERENT : 0;
}
