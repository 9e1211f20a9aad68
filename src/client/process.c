/*-------------------------------------------------------------------------
 *
 * process.c
 *		Other programs that are asked something.
 *
 *-------------------------------------------------------------------------
 */
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit status of a child that could not execute its program */
#define CANNOT_EXECUTE	127

static void
become_program(const Process *process, int in, int out)
{
	sigset_t	none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	if (!process->show_errors)
	{
		int			null = open("/dev/null", O_WRONLY);

		if (null >= 0)
			dup2(null, STDERR_FILENO);
	}
	for (char *const *e = process->environment; e != NULL && *e != NULL; e++)
		putenv(*e);
	if (process->directory == NULL || chdir(process->directory) == 0)
		execvp(process->arguments[0], process->arguments);
	_exit(CANNOT_EXECUTE);
}

/* Write and read until both ends are done; ends the child beyond its limits. */
static void
talk(Process *process, pid_t pid, int in, int out)
{
	double		deadline = process->timeout > 0 ?
		monotonic_seconds() + process->timeout : 0;
	size_t		written = 0;
	char		chunk[65536];

	fcntl(in, F_SETFL, O_NONBLOCK);
	for (;;)
	{
		struct pollfd fds[2] = {{out, POLLIN}, {in, POLLOUT}};
		int			wait = -1;

		if (in >= 0 && written >= process->input_size)
		{
			close(in);
			in = -1;
			fds[1].fd = -1;
		}
		if (deadline > 0)
			wait = (int) Max((deadline - monotonic_seconds()) * 1000, 0);
		if (poll(fds, 2, wait) < 0 && errno != EINTR)
			break;
		if (deadline > 0 && monotonic_seconds() >= deadline)
		{
			process->cut = true;
			break;
		}
		if (fds[1].revents != 0)
		{
			ssize_t		n = write(in, process->input + written,
								  process->input_size - written);

			if (n > 0)
				written += n;
			else if (n < 0 && errno != EAGAIN && errno != EINTR)
				written = process->input_size;
		}
		if (fds[0].revents != 0)
		{
			ssize_t		n = read(out, chunk, sizeof(chunk));

			if (n == 0)
				break;
			if (n > 0)
				appendBinaryPQExpBuffer(&process->output, chunk, n);
			if (process->limit > 0 && process->output.len > process->limit)
			{
				process->cut = true;
				break;
			}
		}
	}
	if (in >= 0)
		close(in);
	close(out);
	if (process->cut)
		kill(pid, SIGKILL);
}

/*
 * Run a program to its end and take its output. True if it ended by itself
 * with status 0; process->output is to be freed in any case.
 */
bool
run_process(Process *process)
{
	int			to_child[2];
	int			from_child[2];
	pid_t		pid;

	initPQExpBuffer(&process->output);
	process->status = -1;
	process->cut = false;
	if (pipe2(to_child, O_CLOEXEC) < 0)
		return false;
	if (pipe2(from_child, O_CLOEXEC) < 0)
	{
		close(to_child[0]);
		close(to_child[1]);
		return false;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become_program(process, to_child[0], from_child[1]);
	close(to_child[0]);
	close(from_child[1]);
	if (pid < 0)
	{
		close(to_child[1]);
		close(from_child[0]);
		return false;
	}
	talk(process, pid, to_child[1], from_child[0]);
	while (waitpid(pid, &process->status, 0) < 0 && errno == EINTR)
		;
	return !process->cut && WIFEXITED(process->status)
		&& WEXITSTATUS(process->status) == 0
		&& !PQExpBufferBroken(&process->output);
}

void
free_process(Process *process)
{
	termPQExpBuffer(&process->output);
}

/* Whether a program of that name is in PATH */
bool
have_program(const char *name)
{
	const char *path = getenv("PATH");
	bool		found = false;

	for (const char *at = path == NULL ? "" : path; !found;)
	{
		int			size = (int) strcspn(at, ":");
		char	   *file = psprintf("%.*s/%s", size, at, name);

		found = access(file, X_OK) == 0;
		pg_free(file);
		if (at[size] == '\0')
			break;
		at += size + 1;
	}
	return found;
}
