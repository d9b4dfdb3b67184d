/*
 * How long single calls take, in ns: the median of rounds. The port of a listener that may be reached stands
 * in the file `arguments`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15 };

extern char **environ;
static struct sockaddr_in peer;

static void open_read(void)
{
	close(open("/etc/hostname", O_RDONLY | O_CLOEXEC));
}

static void open_write(void)
{
	close(open("written", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void make_and_unlink(void)
{
	close(open("made", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	unlink("made");
}

static void reach(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		exit(1);
	close(fd);
}

static void start(void)
{
	char *argv[] = { "true", NULL };
	pid_t child;

	if (posix_spawn(&child, "/bin/true", NULL, NULL, argv, environ))
		exit(1);
	waitpid(child, NULL, 0);
}

static void about(void)
{
	struct stat found;

	stat("/etc/hostname", &found);
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static void measure(const char *name, void (*call)(void), int times)
{
	double took[ROUNDS];

	for (int i = 0; i < times; i++)
		call();
	for (int round = 0; round < ROUNDS; round++) {
		double began = now();

		for (int i = 0; i < times; i++)
			call();
		took[round] = (now() - began) / times;
	}
	qsort(took, ROUNDS, sizeof(*took), by_value);
	printf("%s %.0f\n", name, took[ROUNDS / 2]);
}

int main(void)
{
	FILE *arguments = fopen("arguments", "r");
	int port;

	if (!arguments || fscanf(arguments, "%d", &port) != 1)
		return 1;
	peer.sin_family = AF_INET;
	peer.sin_port = htons(port);
	inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr);
	measure("stat", about, 20000);
	measure("open_to_read", open_read, 20000);
	measure("open_to_write", open_write, 2000);
	measure("create_and_unlink", make_and_unlink, 1000);
	measure("connect", reach, 500);
	measure("start_a_program", start, 100);
	return 0;
}
