/*-------------------------------------------------------------------------
 *
 * child.c
 *		The command that is run: its start, its output, its end.
 *
 * The child keeps our standard input, terminal and process group: what is
 * typed reaches it as if we were not there. Where our output is a terminal,
 * its is one, too, or it would print in blocks and without colours.
 *
 *-------------------------------------------------------------------------
 */
#include "child.h"

#include <dirent.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Bytes that wait in the channel before who writes has to */
#define CHANNEL_ROOM	(1024 * 1024)

/* Signals that are passed on, when they were meant for us alone */
static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1,
SIGUSR2, SIGALRM};

/* A FIFO in a directory of our own; without one there is no such channel. */
static void
make_channel(Child *child)
{
	const char *places[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"),
	"/tmp"};

	child->log = -1;
	for (int i = 0; i < lengthof(places) && child->log_path == NULL; i++)
	{
		char	   *directory;
		char	   *path;

		if (places[i] == NULL || *places[i] == '\0')
			continue;
		directory = psprintf("%s/mlmeta-XXXXXX", places[i]);
		if (mkdtemp(directory) == NULL)
			continue;
		path = psprintf("%s/log", directory);
		/* Open for writing as well: it never ends while we are there */
		if (mkfifo(path, 0600) == 0)
			child->log = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (child->log < 0)
		{
			unlink(path);
			rmdir(directory);
			continue;
		}
		/* Room for what comes between two looks; less if we may not */
		fcntl(child->log, F_SETPIPE_SZ, CHANNEL_ROOM);
		child->log_directory = directory;
		child->log_path = path;
	}
	if (child->log_path == NULL)
		pg_log_warning("MLMETA_LOG is not available: no FIFO can be made");
}

/* Before any thread is started: signals come by a file from here on. */
void
child_prepare(Child *child)
{
	sigset_t	ours;

	memset(child, 0, sizeof(Child));
	child->out = child->err = -1;
	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGWINCH);
	for (int i = 0; i < lengthof(passed_on); i++)
		sigaddset(&ours, passed_on[i]);
	sigprocmask(SIG_BLOCK, &ours, &child->before);
	child->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	make_channel(child);
}

/* A terminal for the child that passes bytes as they are */
static bool
open_terminal(int *ours, int *theirs)
{
	struct winsize size;
	struct termios settings;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0
		|| openpty(ours, theirs, NULL, NULL, &size) < 0)
		return false;
	if (tcgetattr(*theirs, &settings) == 0)
	{
		cfmakeraw(&settings);
		tcsetattr(*theirs, TCSANOW, &settings);
	}
	fcntl(*ours, F_SETFD, FD_CLOEXEC);
	fcntl(*theirs, F_SETFD, FD_CLOEXEC);
	return true;
}

static void
become_command(const Child *child, char *const *command, int out, int err,
			   int report)
{
	sigset_t	none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execvp(command[0], command);
	/* Who reads this knows that there is no child */
	{
		int			error = errno;
		ssize_t		ignored = write(report, &error, sizeof(error));

		(void) ignored;
	}
	_exit(EXIT_NO_COMMAND);
}

/*
 * Start the command. False, with exec_error set, when it cannot be executed.
 */
bool
child_start(Child *child, char *const *command)
{
	int			out[2] = {-1, -1};
	int			err[2] = {-1, -1};
	int			report[2];
	ssize_t		n;

	child->terminal = isatty(STDOUT_FILENO) && open_terminal(&out[0], &out[1]);
	if ((!child->terminal && pipe2(out, O_CLOEXEC) < 0)
		|| pipe2(report, O_CLOEXEC) < 0)
		pg_fatal("a pipe cannot be made: %m");
	if (child->terminal && isatty(STDERR_FILENO))
		err[1] = out[1];
	else if (pipe2(err, O_CLOEXEC) < 0)
		pg_fatal("a pipe cannot be made: %m");

	if (child->log_path != NULL)
		setenv("MLMETA_LOG", child->log_path, 1);
	fflush(NULL);
	child->pid = fork();
	if (child->pid < 0)
		pg_fatal("the command cannot be started: %m");
	if (child->pid == 0)
		become_command(child, command, out[1], err[1], report[1]);
	close(report[1]);
	close(out[1]);
	if (err[1] != out[1])
		close(err[1]);
	child->out = out[0];
	child->err = err[0];
	fcntl(child->out, F_SETFL, O_NONBLOCK);
	if (child->err >= 0)
		fcntl(child->err, F_SETFL, O_NONBLOCK);
	do
		n = read(report[0], &child->exec_error, sizeof(child->exec_error));
	while (n < 0 && errno == EINTR);
	close(report[0]);
	return n != sizeof(child->exec_error);
}

static void
look_for_end(Child *child)
{
	struct rusage usage;

	if (child->ended || wait4(child->pid, &child->status, WNOHANG, &usage)
		!= child->pid)
		return;
	child->ended = true;
	child->cpu_user = usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6;
	child->cpu_system = usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
	child->memory_max = (int64) usage.ru_maxrss * 1024;
}

/* Act on the signals that have come. */
void
child_signal(Child *child)
{
	struct signalfd_siginfo info;

	while (read(child->signals, &info, sizeof(info)) == sizeof(info))
	{
		struct winsize size;

		if (info.ssi_signo == SIGCHLD)
			look_for_end(child);
		else if (info.ssi_signo == SIGWINCH)
		{
			if (child->terminal && child->out >= 0
				&& ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
				ioctl(child->out, TIOCSWINSZ, &size);
		}
		/* The terminal has sent it to the child as well */
		else if (info.ssi_code != SI_KERNEL && !child->ended)
			kill(child->pid, (int) info.ssi_signo);
	}
	look_for_end(child);
}

/* The child is over: its channel goes, and signals are what they were. */
void
child_clean_up(Child *child)
{
	close(child->signals);
	sigprocmask(SIG_SETMASK, &child->before, NULL);
	if (child->log >= 0)
		close(child->log);
	if (child->log_path != NULL)
	{
		unlink(child->log_path);
		rmdir(child->log_directory);
	}
}

/* Usage ------------------------------------------------------------------- */

typedef struct ProcessLine
{
	pid_t		pid;
	pid_t		parent;
	int64		ticks;
	int64		pages;
	bool		counted;
} ProcessLine;

/* /proc/PID/stat; the name in it may hold anything, blanks and brackets too */
static bool
read_process(pid_t pid, ProcessLine *line)
{
	char		path[64];
	char	   *text;
	char	   *rest;
	long long	user,
				system,
				user_of_children,
				system_of_children,
				pages;
	int			parent;
	bool		good;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
	text = read_file(path, 4096, NULL);
	rest = text == NULL ? NULL : strrchr(text, ')');
	good = rest != NULL
		&& sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
				  " %lld %lld %lld %lld %*d %*d %*d %*d %*u %*u %lld",
				  &parent, &user, &system, &user_of_children,
				  &system_of_children, &pages) == 6;
	free(text);
	if (good)
	{
		line->pid = pid;
		line->parent = parent;
		line->ticks = user + system + user_of_children + system_of_children;
		line->pages = pages;
		line->counted = false;
	}
	return good;
}

static void
add_io(pid_t pid, Usage *usage)
{
	char		path[64];
	char	   *text;
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/io", (int) pid);
	text = read_file(path, 4096, NULL);
	if (text == NULL)
		return;
	if ((at = strstr(text, "read_bytes: ")) != NULL)
		usage->read_bytes += atoll(at + 12);
	if ((at = strstr(text, "\nwrite_bytes: ")) != NULL)
		usage->written_bytes += atoll(at + 14);
	free(text);
}

/*
 * What a process and all below it take now; false where there is no /proc.
 */
bool
take_usage(pid_t pid, Usage *usage)
{
	DIR		   *directory = opendir("/proc");
	struct dirent *entry;
	ProcessLine *lines = NULL;
	int			n = 0;
	int			room = 0;
	bool		more = true;
	static long ticks = 0;

	memset(usage, 0, sizeof(Usage));
	if (directory == NULL)
		return false;
	if (ticks == 0)
		ticks = sysconf(_SC_CLK_TCK);
	while ((entry = readdir(directory)) != NULL)
	{
		if (!isdigit((unsigned char) entry->d_name[0]))
			continue;
		if (n == room)
		{
			room = Max(256, 2 * room);
			lines = pg_realloc(lines, sizeof(ProcessLine) * room);
		}
		if (read_process((pid_t) atol(entry->d_name), &lines[n]))
			n++;
	}
	closedir(directory);

	/* Children have higher numbers than their parents but for a wrap */
	while (more)
	{
		more = false;
		for (int i = 0; i < n; i++)
		{
			bool		ours = lines[i].pid == pid;

			if (lines[i].counted)
				continue;
			for (int k = 0; k < n && !ours; k++)
				ours = lines[k].counted && lines[k].pid == lines[i].parent;
			if (!ours)
				continue;
			lines[i].counted = true;
			more = true;
			usage->processes++;
			usage->cpu_seconds += (double) lines[i].ticks / ticks;
			usage->memory_bytes += lines[i].pages * sysconf(_SC_PAGESIZE);
			add_io(lines[i].pid, usage);
		}
	}
	pg_free(lines);
	return usage->processes > 0;
}
