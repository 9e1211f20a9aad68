/*-------------------------------------------------------------------------
 *
 * repository.c
 *		The code that runs: commit, branch, and what is not committed.
 *
 * The patch brings a checkout of the commit to what the working tree held:
 * changes of tracked files, and untracked text files whole. It is git's own
 * diff over a copy of the index in which untracked files are marked as to be
 * added: the repository itself is only read.
 *
 *-------------------------------------------------------------------------
 */
#include "repository.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"

/* The commit of a repository that has none yet: git's empty tree */
#define EMPTY_TREE	"4b825dc642cb6eb9a060e54bf8d69288fbee4904"

/* Seconds that git may take for one question */
#define GIT_TIMEOUT	120

/* Most files that are named as left out; of others, how many there are */
#define NAMED_LEFT_OUT	100

typedef struct Tree
{
	char	   *top;			/* the working tree */
	const char *base;			/* commit that the patch goes against */
	char	   *index;			/* "GIT_INDEX_FILE=...", a copy of the index */
	char	   *attributes;		/* a file that makes everything binary */
	const PatchLimits *limits;
	json_t	   *left_out;
	int			n_left_out;
} Tree;

/*
 * Run git without its user's habits: no pager, no colours, no external diff
 * programs, no locks. The result is in process, which the caller frees.
 */
static bool
run_git(Process *process, const Tree *tree, const char *directory,
		const char *const *arguments, int n)
{
	static const char *const habits[] = {"git", "-c", "core.quotePath=true",
		"-c", "core.fsmonitor=false", "-c", "color.ui=never", "-c",
	"diff.suppressBlankEmpty=false"};
	const char **all = pg_malloc(sizeof(char *) * (lengthof(habits) + n + 1));
	char	   *environment[] = {"GIT_OPTIONAL_LOCKS=0", "LC_ALL=C",
	"GIT_PAGER=cat", tree == NULL ? NULL : tree->index, NULL};
	bool		result;

	memcpy(all, habits, sizeof(habits));
	for (int i = 0; i < n; i++)
		all[lengthof(habits) + i] = arguments[i];
	all[lengthof(habits) + n] = NULL;
	process->directory = directory;
	process->arguments = (char *const *) all;
	process->environment = environment;
	process->timeout = GIT_TIMEOUT;
	result = run_process(process);
	pg_free(all);
	return result;
}

char *
ask_git(const char *directory, const char *const *arguments)
{
	Process		process = {0};
	char	   *answer = NULL;
	int			n = 0;

	while (arguments[n] != NULL)
		n++;
	if (run_git(&process, NULL, directory, arguments, n))
	{
		answer = pg_strdup(process.output.data);
		answer[strcspn(answer, "\n")] = '\0';
	}
	free_process(&process);
	return answer;
}

#define ASK(directory, ...) \
	ask_git(directory, (const char *const[]) {__VA_ARGS__, NULL})

static void
leave_out(Tree *tree, const char *path, int64 size, const char *reason)
{
	if (tree->n_left_out++ < NAMED_LEFT_OUT)
	{
		json_t	   *entry = json_object();

		json_object_set_new(entry, "path", json_text(path));
		if (size >= 0)
			json_object_set_new(entry, "size", json_integer(size));
		json_object_set_new(entry, "reason", json_string(reason));
		json_array_append_new(tree->left_out, entry);
	}
}

/* Whether a file is text: no zero in its first 8000 bytes, as git asks */
static bool
is_text_file(const char *path)
{
	size_t		size;
	char	   *data = read_file(path, 8000, &size);
	bool		result = data != NULL && memchr(data, 0, size) == NULL;

	free(data);
	return result;
}

/* Mark the untracked text files in the copy of the index as to be added. */
static void
add_untracked(Tree *tree)
{
	static const char *const list[] = {"ls-files", "--others",
	"--exclude-standard", "-z"};
	static const char *const mark[] = {"add", "--intent-to-add",
		"--pathspec-from-file=-", "--pathspec-file-nul"};
	Process		process = {0};
	Process		adding = {0};
	PQExpBufferData names;
	int			n = 0;

	if (!run_git(&process, tree, tree->top, list, lengthof(list)))
	{
		leave_out(tree, ".", -1, "untracked files could not be listed");
		free_process(&process);
		return;
	}
	initPQExpBuffer(&names);
	for (const char *name = process.output.data;
		 name < process.output.data + process.output.len;
		 name += strlen(name) + 1)
	{
		char	   *path = psprintf("%s/%s", tree->top, name);
		struct stat status;

		if (lstat(path, &status) < 0)
			status.st_size = -1;
		else if (S_ISREG(status.st_mode)
				 && status.st_size > tree->limits->file)
			leave_out(tree, name, status.st_size, "untracked, too large");
		else if (S_ISREG(status.st_mode) && !is_text_file(path))
			leave_out(tree, name, status.st_size, "untracked, not text");
		else if (name[strlen(name) - 1] == '/')
			leave_out(tree, name, -1, "a repository of its own");
		else if (n >= tree->limits->untracked)
			leave_out(tree, name, status.st_size, "untracked, too many files");
		else
		{
			/* The pathspec is no pattern */
			appendPQExpBuffer(&names, ":(literal,top)%s", name);
			appendPQExpBufferChar(&names, '\0');
			n++;
		}
		pg_free(path);
	}
	free_process(&process);
	if (n > 0)
	{
		adding.input = names.data;
		adding.input_size = names.len;
		if (!run_git(&adding, tree, tree->top, mark, lengthof(mark)))
			leave_out(tree, ".", -1, "untracked files could not be added");
		free_process(&adding);
	}
	termPQExpBuffer(&names);
}

#define DIFF_OPTIONS "diff", "--no-ext-diff", "--no-textconv", "--no-renames", \
	"--src-prefix=a/", "--dst-prefix=b/", "--full-index", "--binary", \
	"--ignore-submodules=dirty"

/* The diff of one file as binary, whatever is in it */
static void
append_binary_diff(Tree *tree, PQExpBuffer patch, const char *name)
{
	char	   *attributes = psprintf("core.attributesFile=%s",
									  tree->attributes);
	char	   *path = psprintf(":(literal,top)%s", name);
	const char *const arguments[] = {"-c", attributes, DIFF_OPTIONS,
	tree->base, "--", path};
	Process		process = {0};

	process.limit = tree->limits->total;
	if (run_git(&process, tree, tree->top, arguments, lengthof(arguments))
		&& is_utf8(process.output.data, process.output.len))
		appendBinaryPQExpBuffer(patch, process.output.data,
								process.output.len);
	else
		leave_out(tree, name, -1, "its changes are no UTF-8");
	free_process(&process);
	pg_free(attributes);
	pg_free(path);
}

/* Files that are too large, at most: their names must fit a command line */
#define LARGE_FILES		500

typedef struct Changes
{
	char	  **kept;			/* names in git's order */
	int			n_kept;
	char	   *large[LARGE_FILES];
	int			n_large;
} Changes;

/*
 * The diff of all that changed but the large files. These alone are named:
 * git takes time in the square of the index's size when it is given paths.
 */
static void
append_diff(Tree *tree, PQExpBuffer patch, const Changes *changes)
{
	static const char *const fixed[] = {DIFF_OPTIONS};
	const char *arguments[lengthof(fixed) + 3 + LARGE_FILES];
	Process		process = {0};
	int			k = lengthof(fixed);
	int			file = -1;
	const char *at;

	memcpy(arguments, fixed, sizeof(fixed));
	arguments[k++] = tree->base;
	arguments[k++] = "--";
	for (int i = 0; i < changes->n_large; i++)
		arguments[k++] = psprintf(":(exclude,literal,top)%s",
								  changes->large[i]);
	process.limit = tree->limits->total;
	if (!run_git(&process, tree, tree->top, arguments, k))
	{
		for (int i = 0; i < changes->n_kept; i++)
			leave_out(tree, changes->kept[i], -1, process.cut ?
					  "the patch would be too large" :
					  "git could not tell its changes");
		free_process(&process);
		return;
	}

	/* One section a file, in the order of the names; no line inside begins so */
	at = process.output.data;
	while (*at != '\0')
	{
		const char *end = process.output.data + process.output.len;
		const char *next = at;

		do
		{
			next = memchr(next, '\n', end - next);
			next = next == NULL ? end : next + 1;
		} while (next < end && strncmp(next, "diff --git ", 11) != 0);
		file++;
		if (is_utf8(at, next - at))
			appendBinaryPQExpBuffer(patch, at, next - at);
		else if (file < changes->n_kept)
			append_binary_diff(tree, patch, changes->kept[file]);
		at = next;
	}
	free_process(&process);
}

/* What changed, by size: into changes, whose texts point into the names */
static void
sort_changes(Tree *tree, const PQExpBufferData *names, Changes *changes)
{
	int			room = 0;

	for (char *name = names->data; name < names->data + names->len;
		 name += strlen(name) + 1)
	{
		char	   *path = psprintf("%s/%s", tree->top, name);
		struct stat status;

		if (lstat(path, &status) == 0 && status.st_size > tree->limits->file
			&& changes->n_large < LARGE_FILES)
		{
			leave_out(tree, name, status.st_size, "changed, too large");
			changes->large[changes->n_large++] = name;
		}
		else
		{
			if (changes->n_kept == room)
			{
				room = Max(256, 2 * room);
				changes->kept = pg_realloc(changes->kept,
										   sizeof(char *) * room);
			}
			changes->kept[changes->n_kept++] = name;
		}
		pg_free(path);
	}
}

/* The patch, NULL if the working tree is as committed; the caller frees it. */
static char *
make_patch(Tree *tree)
{
	static const char *const fixed[] = {DIFF_OPTIONS, "--name-only", "-z"};
	const char *arguments[lengthof(fixed) + 1];
	Process		process = {0};
	PQExpBufferData patch;
	Changes		changes = {0};

	memcpy(arguments, fixed, sizeof(fixed));
	arguments[lengthof(fixed)] = tree->base;
	if (!run_git(&process, tree, tree->top, arguments, lengthof(arguments)))
	{
		leave_out(tree, ".", -1, "git could not tell the changes");
		free_process(&process);
		return NULL;
	}
	initPQExpBuffer(&patch);
	sort_changes(tree, &process.output, &changes);
	if (changes.n_kept > 0)
		append_diff(tree, &patch, &changes);
	free_process(&process);
	pg_free(changes.kept);
	if (patch.len > tree->limits->total)
	{
		leave_out(tree, ".", patch.len, "the patch is too large");
		resetPQExpBuffer(&patch);
	}
	if (patch.len == 0)
	{
		termPQExpBuffer(&patch);
		return NULL;
	}
	return patch.data;
}

/* A copy of the index and a file of attributes; false when there is no room */
static bool
make_scratch(Tree *tree, const char *index, char *directory)
{
	char	   *path;
	size_t		size;
	char	   *data;
	int			fd;
	bool		good;

	if (mkdtemp(directory) == NULL)
		return false;
	path = *index == '/' ? pg_strdup(index) :
		psprintf("%s/%s", tree->top, index);
	data = read_file(path, (size_t) 1 << 30, &size);
	tree->index = psprintf("GIT_INDEX_FILE=%s/index", directory);
	tree->attributes = psprintf("%s/attributes", directory);
	fd = open(tree->attributes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	good = fd >= 0 && write_all(fd, "* -diff\n", 8);
	if (fd >= 0)
		close(fd);
	/* A repository without an index has nothing added */
	if (data != NULL)
	{
		char	   *copy = psprintf("%s/index", directory);

		fd = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		good = good && fd >= 0 && write_all(fd, data, size);
		if (fd >= 0)
			close(fd);
		pg_free(copy);
	}
	free(data);
	pg_free(path);
	return good;
}

static void
remove_scratch(const char *directory)
{
	static const char *const files[] = {"index", "index.lock", "attributes"};

	for (int i = 0; i < lengthof(files); i++)
	{
		char	   *path = psprintf("%s/%s", directory, files[i]);

		unlink(path);
		pg_free(path);
	}
	rmdir(directory);
}

/* The repository's address without a password in it */
static char *
clean_address(char *address)
{
	char	   *scheme = strstr(address, "://");
	char	   *at;

	if (scheme == NULL)
		return address;
	at = strchr(scheme + 3, '@');
	if (at != NULL && at < scheme + 3 + strcspn(scheme + 3, "/"))
		return psprintf("%.*s%s", (int) (scheme + 3 - address), address,
						at + 1);
	return address;
}

static void
set_text(json_t *object, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, key, json_text(value));
}

/*
 * Where we are in a repository, in one call of git: the working tree, where
 * in it, the index, and what HEAD is, which a new repository cannot tell.
 * The texts point into one that stays. False: this is no repository.
 */
static bool
locate(Tree *tree, char **prefix, char **index, char **head)
{
	static const char *const questions[] = {"rev-parse", "--show-toplevel",
	"--show-prefix", "--git-path", "index", "--symbolic-full-name", "HEAD"};
	Process		process = {0};
	char	   *rest;

	/* Without a commit the last question is answered by an error */
	if (!run_git(&process, NULL, NULL, questions, lengthof(questions))
		&& process.output.len == 0)
	{
		free_process(&process);
		return false;
	}
	rest = pg_strdup(process.output.data);
	free_process(&process);
	tree->top = strsep(&rest, "\n");
	*prefix = strsep(&rest, "\n");
	*index = strsep(&rest, "\n");
	*head = strsep(&rest, "\n");
	return *index != NULL && *tree->top == '/';
}

/*
 * Into source, as log_source() takes it: repository, commit, branch, patch,
 * and beside them where in the tree the command is called (toplevel, prefix),
 * and what the patch leaves out. Outside of a repository, or without git,
 * source says so and no more.
 */
void
describe_repository(json_t *source, const PatchLimits *limits)
{
	char	   *scratch = psprintf("%s/mlmeta-XXXXXX",
								   getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	Tree		tree = {0};
	char	   *commit;
	char	   *remote;
	char	   *branch;
	char	   *prefix;
	char	   *index;
	char	   *patch;

	if (!have_program("git"))
	{
		set_text(source, "no_repository", "git is not installed");
		return;
	}
	if (!locate(&tree, &prefix, &index, &branch))
	{
		set_text(source, "no_repository", "not in a git repository");
		return;
	}
	commit = ASK(NULL, "rev-parse", "--verify", "--quiet", "HEAD^{commit}");
	if (commit == NULL)
		branch = ASK(NULL, "symbolic-ref", "--quiet", "HEAD");
	if (branch != NULL && strncmp(branch, "refs/heads/", 11) == 0)
		branch += 11;
	else
		branch = NULL;
	remote = ASK(NULL, "config", "--get", "remote.origin.url");
	set_text(source, "repository", remote == NULL ? tree.top :
			 clean_address(remote));
	set_text(source, "commit", commit);
	set_text(source, "branch", branch);
	set_text(source, "toplevel", tree.top);
	set_text(source, "prefix", prefix);

	tree.base = commit == NULL ? EMPTY_TREE : commit;
	tree.limits = limits;
	tree.left_out = json_array();
	if (make_scratch(&tree, index, scratch))
	{
		add_untracked(&tree);
		patch = make_patch(&tree);
		if (patch != NULL)
			json_object_set_new(source, "patch", json_string_nocheck(patch));
		json_object_set_new(source, "dirty",
							json_boolean(patch != NULL || tree.n_left_out > 0));
	}
	else
		leave_out(&tree, ".", -1, "there is no room for a copy of the index");
	remove_scratch(scratch);
	if (tree.n_left_out > 0)
	{
		json_object_set_new(source, "left_out", tree.left_out);
		json_object_set_new(source, "left_out_count",
							json_integer(tree.n_left_out));
	}
	else
		json_decref(tree.left_out);
}
