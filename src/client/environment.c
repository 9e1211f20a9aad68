/*-------------------------------------------------------------------------
 *
 * environment.c
 *		What a command runs in: host, packages, lock files, variables.
 *
 * Only what is cheaply known: directories are read, no interpreter is
 * started. (Python alone takes a tenth of a second to list its packages.)
 *
 *-------------------------------------------------------------------------
 */
#include "environment.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "digest.h"
#include "process.h"

/* Seconds that nvidia-smi may take */
#define GPU_TIMEOUT	5

/* Most packages of a language that are recorded */
#define PACKAGE_LIMIT	5000

/* Variables that change what a training does */
static const char *const usual_variables[] = {"CUDA_VISIBLE_DEVICES",
	"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
	"PYTHONHASHSEED", "PYTHONPATH", "CUBLAS_WORKSPACE_CONFIG",
	"TF_DETERMINISTIC_OPS", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV",
	"CONDA_DEFAULT_ENV", "R_LIBS", "R_LIBS_USER", "SLURM_JOB_ID", "RANK",
"WORLD_SIZE", NULL};

/* Files that pin versions */
static const char *const lock_files[] = {"requirements.txt", "uv.lock",
	"poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml",
	"environment.yml", "conda-lock.yml", "pixi.lock", "renv.lock",
	"package-lock.json", "yarn.lock", "pnpm-lock.yaml", "Cargo.lock", "go.sum",
"Manifest.toml", "flake.lock"};

static void
set_text(json_t *object, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, key, json_text(value));
}

/* The value behind "KEY:" or "KEY=" in a small file, which the caller frees */
static char *
value_in_file(const char *path, const char *key, char mark)
{
	char	   *text = read_file(path, 65536, NULL);
	size_t		size = strlen(key);
	char	   *found = NULL;

	for (char *line = text; line != NULL && *line != '\0';)
	{
		size_t		length = strcspn(line, "\n");

		if (strncmp(line, key, size) == 0)
		{
			char	   *value = line + size + strspn(line + size, " \t");

			if (*value == mark)
			{
				char	   *end = line + length;

				value += 1 + strspn(value + 1, " \t\"");
				while (end > value && strchr(" \t\"\r", end[-1]) != NULL)
					end--;
				found = psprintf("%.*s", (int) Max(end - value, 0), value);
				break;
			}
		}
		line += length + (line[length] == '\n');
	}
	free(text);
	return found;
}

/* Host -------------------------------------------------------------------- */

static json_t *
list_gpus(void)
{
	static char *const ask[] = {"nvidia-smi",
		"--query-gpu=name,memory.total,driver_version",
	"--format=csv,noheader", NULL};
	Process		process = {.arguments = ask,.timeout = GPU_TIMEOUT};
	json_t	   *gpus = NULL;

	if (!have_program("nvidia-smi"))
		return NULL;
	if (run_process(&process))
	{
		char	   *rest = process.output.data;
		char	   *line;

		gpus = json_array();
		while ((line = strsep(&rest, "\n")) != NULL)
		{
			if (*line != '\0')
				json_array_append_new(gpus, json_text(line));
		}
	}
	free_process(&process);
	return gpus;
}

static json_t *
describe_host(void)
{
	json_t	   *host = json_object();
	struct utsname name;
	json_t	   *gpus = list_gpus();

	if (uname(&name) == 0)
	{
		char	   *kernel = psprintf("%s %s", name.sysname, name.release);

		set_text(host, "name", name.nodename);
		set_text(host, "kernel", kernel);
		set_text(host, "machine", name.machine);
		pg_free(kernel);
	}
	set_text(host, "system", value_in_file("/etc/os-release", "PRETTY_NAME",
										   '='));
	set_text(host, "cpu", value_in_file("/proc/cpuinfo", "model name", ':'));
	json_object_set_new(host, "cpus",
						json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_set_new(host, "memory_bytes",
						json_integer((json_int_t) sysconf(_SC_PHYS_PAGES)
									 * sysconf(_SC_PAGESIZE)));
	if (gpus != NULL)
		json_object_set_new(host, "gpus", gpus);
	return host;
}

/* Python ------------------------------------------------------------------ */

/* numpy-1.26.4.dist-info in a directory of packages: {"numpy": "1.26.4"} */
static void
list_site(json_t *packages, const char *path)
{
	DIR		   *directory = opendir(path);
	struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL
		   && json_object_size(packages) < PACKAGE_LIMIT)
	{
		char	   *suffix = strstr(entry->d_name, ".dist-info");
		char	   *dash;

		if (suffix == NULL)
			suffix = strstr(entry->d_name, ".egg-info");
		dash = suffix == NULL ? NULL : strchr(entry->d_name, '-');
		if (dash == NULL || dash > suffix)
			continue;
		*dash = '\0';
		*suffix = '\0';
		if (json_object_get(packages, entry->d_name) == NULL)
			set_text(packages, entry->d_name, dash + 1);
	}
	closedir(directory);
}

/* All lib/pythonX.Y/{site,dist}-packages under a prefix */
static void
list_prefix(json_t *packages, const char *prefix, const char *version)
{
	static const char *const places[] = {"%s/lib/python%s/site-packages",
		"%s/lib/python%s/dist-packages", "%s/lib/python3/dist-packages",
	"%s/local/lib/python%s/dist-packages"};

	for (int i = 0; i < lengthof(places); i++)
	{
		char		path[MAXPGPATH];

		snprintf(path, sizeof(path), places[i], prefix, version);
		list_site(packages, path);
	}
}

/* conda keeps a small JSON file NAME-VERSION-BUILD.json for each package */
static json_t *
list_conda(const char *prefix)
{
	char	   *path = psprintf("%s/conda-meta", prefix);
	DIR		   *directory = opendir(path);
	json_t	   *packages = NULL;
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL)
	{
		char	   *suffix = strstr(entry->d_name, ".json");
		char	   *build;
		char	   *version;

		if (suffix == NULL)
			continue;
		*suffix = '\0';
		build = strrchr(entry->d_name, '-');
		if (build == NULL)
			continue;
		*build = '\0';
		version = strrchr(entry->d_name, '-');
		*build = '-';
		if (version == NULL)
			continue;
		*version = '\0';
		if (packages == NULL)
			packages = json_object();
		set_text(packages, entry->d_name, version + 1);
	}
	if (directory != NULL)
		closedir(directory);
	pg_free(path);
	return packages;
}

/* The file that a command's name stands for; the caller frees it. */
static char *
find_program(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/') != NULL)
		return pg_strdup(name);
	for (const char *at = path == NULL ? "" : path; *at != '\0';)
	{
		int			size = (int) strcspn(at, ":");
		char	   *file = psprintf("%.*s/%s", size, at, name);

		if (access(file, X_OK) == 0)
			return file;
		pg_free(file);
		at += size + (at[size] == ':');
	}
	return NULL;
}

/* Whether one of the command's words has such a suffix */
static bool
has_suffix(char *const *command, const char *suffix)
{
	for (char *const *word = command; *word != NULL; word++)
	{
		size_t		size = strlen(*word);

		if (size > strlen(suffix)
			&& pg_strcasecmp(*word + size - strlen(suffix), suffix) == 0)
			return true;
	}
	return false;
}

static bool
begins_with_any(const char *name, const char *const *prefixes)
{
	for (; *prefixes != NULL; prefixes++)
	{
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	}
	return false;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* The interpreter in a script's first line, if that is what the command is */
static char *
script_interpreter(const char *program)
{
	char	   *line = program == NULL ? NULL : read_file(program, 256, NULL);
	char	   *result = NULL;

	if (line != NULL && line[0] == '#' && line[1] == '!')
	{
		char	   *word = line + 2 + strspn(line + 2, " ");

		word[strcspn(word, "\n")] = '\0';
		if (strncmp(word, "/usr/bin/env ", 13) == 0)
			word += 13 + strspn(word + 13, " ");
		word[strcspn(word, " ")] = '\0';
		result = pg_strdup(word);
	}
	free(line);
	return result;
}

static json_t *
describe_python(char *const *command)
{
	static const char *const names[] = {"python", "pypy", "uv", "poetry",
	"torchrun", "accelerate", "jupyter", "ipython", "pytest", NULL};
	const char *venv = getenv("VIRTUAL_ENV");
	const char *conda = getenv("CONDA_PREFIX");
	const char *home = getenv("HOME");
	char	   *program = find_program(command[0]);
	char	   *interpreter = script_interpreter(program);
	char		real[PATH_MAX];
	const char *python;
	char	   *version = NULL;
	char	   *prefix = NULL;
	json_t	   *result;
	json_t	   *packages;

	if (!begins_with_any(base_name(command[0]), names)
		&& !(interpreter != NULL
			 && begins_with_any(base_name(interpreter), names))
		&& !has_suffix(command, ".py"))
		return NULL;

	result = json_object();
	packages = json_object();
	python = begins_with_any(base_name(command[0]), names) ? command[0] :
		interpreter != NULL ? interpreter : "python3";
	if (strncmp(base_name(python), "python", 6) != 0)
		python = "python3";
	program = find_program(python);
	if (program != NULL)
	{
		char	   *slash = strrchr(program, '/');
		char	   *settings = psprintf("%.*s/../pyvenv.cfg",
										(int) (slash - program), program);

		set_text(result, "executable", program);
		version = value_in_file(settings, "version", '=');
		if (version == NULL)
			version = value_in_file(settings, "version_info", '=');
		if (version != NULL)
			prefix = psprintf("%.*s/..", (int) (slash - program), program);
	}
	if (version == NULL && venv != NULL)
	{
		char	   *settings = psprintf("%s/pyvenv.cfg", venv);

		version = value_in_file(settings, "version", '=');
		prefix = pg_strdup(venv);
	}
	if (version == NULL && program != NULL && strstr(program, "/shims/") != NULL)
	{
		/* pyenv: PREFIX/shims/python stands for PREFIX/versions/X/bin/python */
		char	   *root = psprintf("%.*s", (int) (strstr(program, "/shims/") - program),
									program);
		char	   *chosen = getenv("PYENV_VERSION") != NULL ?
			pg_strdup(getenv("PYENV_VERSION")) :
			read_file(psprintf("%s/version", root), 256, NULL);

		if (chosen != NULL)
		{
			chosen[strcspn(chosen, ":\n")] = '\0';
			version = chosen;
			prefix = psprintf("%s/versions/%s", root, chosen);
		}
	}
	if (version == NULL && program != NULL && realpath(program, real) != NULL)
	{
		/* /usr/bin/python3.11 */
		const char *digits = base_name(real);

		digits += strcspn(digits, "0123456789");
		if (strchr(digits, '.') != NULL)
			version = pg_strdup(digits);
		*strrchr(real, '/') = '\0';
		if (strrchr(real, '/') != NULL)
			*strrchr(real, '/') = '\0';
		prefix = pg_strdup(real);
	}
	set_text(result, "version", version);
	if (version != NULL && prefix != NULL)
	{
		char	   *minor = pg_strdup(version);
		char	   *dot = strchr(minor, '.');

		if (dot != NULL)
			dot[1 + strspn(dot + 1, "0123456789")] = '\0';
		list_prefix(packages, prefix, minor);
		if (home != NULL && venv == NULL)
		{
			char	   *user = psprintf("%s/.local", home);

			list_prefix(packages, user, minor);
		}
	}
	json_object_set_new(result, "packages", packages);
	if (conda != NULL)
	{
		json_t	   *list = list_conda(conda);

		if (list != NULL)
			json_object_set_new(result, "conda", list);
	}
	return result;
}

/* R -------------------------------------------------------------------------- */

static void
list_library(json_t *packages, const char *library)
{
	DIR		   *directory = opendir(library);
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL
		   && json_object_size(packages) < PACKAGE_LIMIT)
	{
		char	   *path = psprintf("%s/%s/DESCRIPTION", library,
									entry->d_name);
		char	   *version = value_in_file(path, "Version", ':');

		if (version != NULL && json_object_get(packages, entry->d_name) == NULL)
			set_text(packages, entry->d_name, version);
		pg_free(version);
		pg_free(path);
	}
	if (directory != NULL)
		closedir(directory);
}

static json_t *
describe_r(char *const *command)
{
	static const char *const names[] = {"Rscript", "littler", NULL};
	static const char *const places[] = {"R_LIBS", "R_LIBS_USER",
	"R_LIBS_SITE"};
	static const char *const homes[] = {"/usr/lib/R", "/usr/local/lib/R",
	"/usr/lib64/R", "/opt/R/lib/R"};
	const char *home = getenv("R_HOME");
	json_t	   *result;
	json_t	   *packages;

	if (!begins_with_any(base_name(command[0]), names)
		&& strcmp(base_name(command[0]), "R") != 0
		&& !has_suffix(command, ".R"))
		return NULL;
	result = json_object();
	packages = json_object();
	for (int i = 0; i < lengthof(places); i++)
	{
		char	   *list = getenv(places[i]) == NULL ? NULL :
			pg_strdup(getenv(places[i]));
		char	   *rest = list;
		char	   *library;

		while (list != NULL && (library = strsep(&rest, ":")) != NULL)
			list_library(packages, library);
		pg_free(list);
	}
	for (int i = 0; home == NULL && i < lengthof(homes); i++)
	{
		if (access(homes[i], R_OK) == 0)
			home = homes[i];
	}
	list_library(packages, "/usr/local/lib/R/site-library");
	list_library(packages, "/usr/lib/R/site-library");
	if (home != NULL)
	{
		char	   *base = psprintf("%s/library", home);
		char	   *description = psprintf("%s/base/DESCRIPTION", base);

		set_text(result, "version", value_in_file(description, "Version",
												  ':'));
		list_library(packages, base);
		pg_free(description);
		pg_free(base);
	}
	json_object_set_new(result, "packages", packages);
	return result;
}

/* ------------------------------------------------------------------------- */

static void
add_lock_files(json_t *locks, const char *directory)
{
	for (int i = 0; i < lengthof(lock_files); i++)
	{
		char	   *path = psprintf("%s/%s", directory, lock_files[i]);
		char		digest[DIGEST_TEXT_SIZE];
		int64		size;

		if (json_object_get(locks, lock_files[i]) == NULL
			&& access(path, R_OK) == 0 && digest_file(path, digest, &size))
			json_object_set_new(locks, lock_files[i], json_string(digest));
		pg_free(path);
	}
}

static void
add_variables(json_t *result, const char *const *names)
{
	for (; names != NULL && *names != NULL; names++)
		set_text(result, *names, getenv(*names));
}

json_t *
describe_environment(char *const *command, const char *toplevel,
					 const char *const *variables)
{
	json_t	   *result = json_object();
	json_t	   *locks = json_object();
	json_t	   *values = json_object();
	json_t	   *python = describe_python(command);
	json_t	   *r = describe_r(command);

	json_object_set_new(result, "host", describe_host());
	if (python != NULL)
		json_object_set_new(result, "python", python);
	if (r != NULL)
		json_object_set_new(result, "r", r);
	add_lock_files(locks, ".");
	if (toplevel != NULL)
		add_lock_files(locks, toplevel);
	json_object_set_new(result, "locks", locks);
	add_variables(values, usual_variables);
	add_variables(values, variables);
	json_object_set_new(result, "variables", values);
	return result;
}
