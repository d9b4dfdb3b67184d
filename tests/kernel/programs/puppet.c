/* Does what it is told to, line by line, and says how it went: `ok` with a word, or the name of the error.
 *
 *     open PATH   write PATH   append PATH   create PATH   unlink PATH   mkdir PATH
 *     pin PATH   connect PORT [ADDRESS]   unix PATH   exec PATH [ARGUMENT]   kill PID SIGNAL   put PATH TEXT   pid   quit
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(long result)
{
	if (result < 0)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("ok %ld\n", result);
	fflush(stdout);
}

static void opened(const char *path, int flags)
{
	unsigned char letter = 0;
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0 && (flags & O_ACCMODE) == O_RDONLY && read(fd, &letter, 1) < 0)
		letter = 0;
	say(fd < 0 ? -1 : letter);
	if (fd >= 0)
		close(fd);
}

static long put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long wrote;

	if (fd < 0)
		return -1;
	wrote = write(fd, text, strlen(text));
	close(fd);
	return wrote;
}

static long reach(const char *port, const char *where)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error, result;

	inet_pton(AF_INET, where ? where : "127.0.0.1", &address.sin_addr);
	result = connect(fd, (struct sockaddr *)&address, sizeof address);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

static long reach_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error, result;

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	result = connect(fd, (struct sockaddr *)&address, sizeof address);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

/* The exit status, or the error of execve. */
static long run(const char *path, const char *argument)
{
	static volatile int failed;
	int status;
	pid_t child;

	failed = 0;
	child = vfork();
	if (child == 0) {
		execl(path, path, argument, (char *)0);
		failed = errno;
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	if (failed) {
		errno = failed;
		return -1;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(void)
{
	char line[8192];

	while (fgets(line, sizeof line, stdin)) {
		char *word = strtok(line, " \n"), *first = strtok(0, " \n"), *second = strtok(0, "\n");

		if (!word || !strcmp(word, "quit"))
			break;
		else if (!strcmp(word, "pid"))
			say(getpid());
		else if (!first)
			return 2;
		else if (!strcmp(word, "open"))
			opened(first, O_RDONLY);
		else if (!strcmp(word, "pin"))
			say(open(first, O_PATH | O_CLOEXEC));
		else if (!strcmp(word, "write"))
			opened(first, O_WRONLY);
		else if (!strcmp(word, "append"))
			opened(first, O_WRONLY | O_APPEND);
		else if (!strcmp(word, "create"))
			opened(first, O_WRONLY | O_CREAT | O_EXCL);
		else if (!strcmp(word, "unlink"))
			say(unlink(first));
		else if (!strcmp(word, "mkdir"))
			say(mkdir(first, 0700));
		else if (!strcmp(word, "connect"))
			say(reach(first, second));
		else if (!strcmp(word, "unix"))
			say(reach_unix(first));
		else if (!strcmp(word, "exec"))
			say(run(first, second));
		else if (!strcmp(word, "kill"))
			say(kill(atoi(first), second ? atoi(second) : 0));
		else if (!strcmp(word, "put"))
			say(put(first, second ? second : ""));
		else
			return 2;
	}
	return 0;
}
