/* A busy agent. What it does again and again, each about every millisecond, it counts in a shared file, with
 * the time: the counts go on when writing is forbidden, because the file is mapped already.
 *
 *     victim COUNTERS LISTENER-PORT STREAM-PORT
 *
 * Works in the folder where it is started. COUNTERS is there and large enough.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As verbs.py reads it. */
struct slot {
	uint64_t done, last_done_us, failed, first_failed_us, error, pid;
};

enum { CONNECT, STREAM, APPEND, CREATE, RENAME, FOLDER, MODE, SIZE, EXEC, READ, COMPUTE, ORPHAN, SLOTS };

static struct slot *slots;
static int listener, stream;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time.tv_sec * 1000000ull + time.tv_nsec / 1000;
}

/* The time of what succeeded is when it began: what had begun before it was forbidden may end. */
static void went(int which, uint64_t began, int result, int error)
{
	struct slot *slot = &slots[which];
	static __thread int failing;

	slot->pid = getpid();
	if (result) {
		slot->last_done_us = began;
		slot->done++;
		failing = 0;
		return;
	}
	if (!failing)
		slot->first_failed_us = now();
	failing = 1;
	slot->error = error;
	slot->failed++;
}

static int opened(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int connects(void)
{
	struct linger hard = {1, 0};
	int fd = opened(listener);

	if (fd < 0)
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(fd);
	return 1;
}

/* Numbers in order, on one connection. What does not fit now is sent first the next time. */
static int streams(void)
{
	static int fd = -1;
	static uint64_t number;
	static size_t left;
	ssize_t sent;

	if (fd < 0)
		fd = opened(stream);
	if (!left) {
		number++;
		left = sizeof number;
	}
	sent = send(fd, (char *)&number + sizeof number - left, left, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return 0;
	left -= sent;
	return 1;
}

static int appends(void)
{
	static int fd = -1;
	static unsigned long number = 1;
	char line[32];
	int size = snprintf(line, sizeof line, "%010lu\n", number);

	if (fd < 0)
		fd = open("log", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	if (write(fd, line, size) != size)
		return 0;
	number++;
	return 1;
}

static int creates(void)
{
	static int there;

	if (!there) {
		int fd = open("created", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

		if (fd < 0)
			return 0;
		close(fd);
		there = 1;
	}
	if (unlink("created"))
		return 0;
	there = 0;
	return 1;
}

static int renames(void)
{
	static int which;

	if (which ? rename("second", "first") : rename("first", "second"))
		return 0;
	which = !which;
	return 1;
}

static int folders(void)
{
	static int there;

	if (!there && mkdir("folder", 0700))
		return 0;
	there = 1;
	if (rmdir("folder"))
		return 0;
	there = 0;
	return 1;
}

static int modes(void)
{
	static int which;

	which = !which;
	return chmod("data", which ? 0600 : 0640) == 0;
}

static int sizes(void)
{
	static int size;

	size = (size + 1) % 100;
	return truncate("sized", size) == 0;
}

static int execs(void)
{
	static volatile int failed;
	int status;
	pid_t child;

	failed = 0;
	child = vfork();
	if (child == 0) {
		execl("/bin/true", "true", (char *)0);
		failed = errno;
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 0;
	errno = failed;
	return status == 0;
}

static int reads(void)
{
	char letter;
	int fd = open("data", O_RDONLY | O_CLOEXEC), got;

	if (fd < 0)
		return 0;
	got = read(fd, &letter, 1) == 1;
	close(fd);
	return got;
}

static int computes(void)
{
	for (volatile int turns = 0; turns < 1000; turns++)
		;
	return 1;
}

static int (*const acts[SLOTS])(void) = {
	connects, streams, appends, creates, renames, folders, modes, sizes, execs, reads, computes, computes,
};

static void *repeat(void *which)
{
	int slot = (int)(intptr_t)which;

	for (;;) {
		uint64_t began = now();
		int result;

		errno = 0;
		result = acts[slot]();
		went(slot, began, result, errno);
		usleep(1000);
	}
	return 0;
}

/* A process with one thread for each of these. */
static void process(int from, int to)
{
	if (fork())
		return;
	for (int slot = from; slot < to; slot++) {
		pthread_t thread;

		if (pthread_create(&thread, 0, repeat, (void *)(intptr_t)slot))
			_exit(3);
	}
	repeat((void *)(intptr_t)to);
}

int main(int argc, char **argv)
{
	int fd = argc > 3 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return 2;
	slots = mmap(0, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (slots == MAP_FAILED)
		return 3;
	listener = atoi(argv[2]);
	stream = atoi(argv[3]);
	process(CONNECT, STREAM);
	process(APPEND, SIZE);
	process(EXEC, EXEC);
	process(READ, COMPUTE);
	if (fork() == 0) {
		setsid();
		if (fork())
			_exit(0);
		repeat((void *)(intptr_t)ORPHAN);
	}
	for (;;)
		wait(0) < 0 ? pause() : 0;
}
