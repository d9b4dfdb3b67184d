/* Two threads, one of which changes an argument of a system call while the other makes it.
 *
 *     race KIND TRIES ALLOWED FORBIDDEN OUT [PLANTED]
 *
 * ALLOWED and FORBIDDEN differ in one byte, or are ports, so that every moment shows one of the two whole.
 * OUT is where things are moved to. PLANTED is given where the forbidden file is ours to plant again: the
 * same program without a box. Prints one JSON object: how often what was done was which.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"

static char path[4096];
static char *allowed, *forbidden, *out;
static int planted;
static size_t at;
static struct sockaddr_in address = {.sin_family = AF_INET};
static unsigned short ports[2];
static volatile int stop, flipping, links;
static unsigned long seen_allowed, leaked, refused, killed;
static int last_error;

static void *flip(void *what)
{
	unsigned random = 2463534242u;
	int which = 0;

	(void)what;
	flipping = 1;
	while (!stop) {
		which = !which;
		if (links) {
			/* One of the two names is a folder, the other a symbolic link to a forbidden one. */
			syscall(SYS_renameat2, AT_FDCWD, allowed, AT_FDCWD, forbidden, 2 /* EXCHANGE */);
		} else {
			*(volatile char *)&path[at] = which ? forbidden[at] : allowed[at];
			*(volatile unsigned short *)&address.sin_port = ports[which];
		}
		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		for (unsigned spin = random % 256; spin && !stop; spin--)
			__asm__ volatile("pause");
	}
	return 0;
}

static void make(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	if (fd >= 0) {
		if (write(fd, text, 1) != 1)
			exit(3);
		close(fd);
	}
}

static void fault(void)
{
	refused++;
	last_error = errno;
}

/* By the first letter of a file: the forbidden one begins with S, the allowed one with A. */
static void count_letter(int fd)
{
	char letter = 0;

	if (read(fd, &letter, 1) == 1 && letter == 'S')
		leaked++;
	else
		seen_allowed++;
	close(fd);
}

static void try_read(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fault();
	else
		count_letter(fd);
}

static void try_link_read(void)
{
	char inside[4200];
	int fd;

	snprintf(inside, sizeof inside, "%s/data", allowed);
	fd = open(inside, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fault();
	else
		count_letter(fd);
}

static void try_write(void)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fault();
	else
		count_letter(fd);
}

static void try_create(void)
{
	char link[64], true_path[4096] = "";
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0) {
		fault();
		return;
	}
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (readlink(link, true_path, sizeof true_path - 1) < 0)
		exit(3);
	close(fd);
	if (!strcmp(true_path, forbidden))
		leaked++;
	else
		seen_allowed++;
	unlink(true_path);
}

static void try_unlink(void)
{
	if (access(allowed, F_OK))
		make(allowed, "A");
	if (planted && access(forbidden, F_OK))
		make(forbidden, "S");
	if (unlink(path))
		fault();
	else if (!access(allowed, F_OK))
		leaked++;
	else
		seen_allowed++;
}

static char letter_of(const char *name)
{
	char letter = 0;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, &letter, 1) != 1)
		letter = 0;
	close(fd);
	return letter;
}

static void try_rename(void)
{
	if (rename(path, out)) {
		fault();
	} else if (access(allowed, F_OK)) {
		seen_allowed++;
		rename(out, allowed);
	} else {
		leaked++;
		rename(out, forbidden);
	}
}

static void try_link(void)
{
	if (link(path, out)) {
		fault();
		return;
	}
	if (letter_of(out) == 'A')
		seen_allowed++;
	else
		leaked++;
	unlink(out);
}

static void run(const char *program, char **argv)
{
	char *none[] = {0};
	int status;
	pid_t child = vfork();

	if (child == 0) {
		execve(program, argv, none);
		last_error = errno;
		_exit(99);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		exit(3);
	if (WIFSIGNALED(status))
		killed++;
	else if (WEXITSTATUS(status) == 10)
		seen_allowed++;
	else if (WEXITSTATUS(status) == 20)
		leaked++;
	else
		refused++;
}

static void try_exec(void)
{
	char *argv[] = {"program", 0};

	run(path, argv);
}

static void try_argv(void)
{
	char *argv[] = {"bash", "-c", path, 0};

	run("/usr/bin/bash", argv);
}

static void try_connect(void)
{
	struct linger hard = {1, 0};
	struct sockaddr_in peer;
	socklen_t size = sizeof peer;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		exit(3);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	if (connect(fd, (struct sockaddr *)&address, sizeof address))
		fault();
	else if (!getpeername(fd, (struct sockaddr *)&peer, &size) && peer.sin_port == ports[1])
		leaked++;
	else
		seen_allowed++;
	close(fd);
}

static void try_send(void)
{
	static int fd = -1;

	if (fd < 0) {
		struct sockaddr_in first = address;
		int asked = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		/* Who is asked about when a socket is connected is known afterwards. */
		first.sin_port = ports[0];
		if (connect(asked, (struct sockaddr *)&first, sizeof first) || send(asked, "x", 1, 0) != 1)
			fault();
		close(asked);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	if (sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address) != 1)
		fault();
	else
		seen_allowed++; /* who it was, the receivers count */
}

static const struct {
	const char *name;
	void (*try)(void);
} kinds[] = {
	{"read", try_read}, {"write", try_write}, {"create", try_create}, {"unlink", try_unlink},
	{"rename", try_rename}, {"link", try_link}, {"symlink", try_link_read}, {"exec", try_exec},
	{"argv", try_argv}, {"connect", try_connect}, {"send", try_send},
};

int main(int argc, char **argv)
{
	void (*attempt)(void) = 0;
	pthread_t thread;
	long tries;

	read_arguments(&argc, &argv);
	if (argc < 6)
		return 2;
	for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
		if (!strcmp(argv[1], kinds[kind].name))
			attempt = kinds[kind].try;
	tries = atol(argv[2]);
	allowed = argv[3];
	forbidden = argv[4];
	out = argv[5];
	planted = argc > 6;
	links = !strcmp(argv[1], "symlink");
	ports[0] = htons(atoi(allowed));
	ports[1] = htons(atoi(forbidden));
	address.sin_port = ports[0];
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!attempt || strlen(allowed) >= sizeof path)
		return 2;
	strcpy(path, allowed);
	while (!links && allowed[at] && allowed[at] == forbidden[at])
		at++;
	if (pthread_create(&thread, 0, flip, 0))
		return 3;
	while (!flipping)
		usleep(100);
	for (long done = 0; done < tries; done++)
		attempt();
	stop = 1;
	pthread_join(thread, 0);
	printf("{\"tries\":%ld,\"allowed\":%lu,\"leaked\":%lu,\"refused\":%lu,\"killed\":%lu,\"errno\":%d}\n",
	       tries, seen_allowed, leaked, refused, killed, last_error);
	return 0;
}
