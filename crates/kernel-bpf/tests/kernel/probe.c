/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests let run inside a session, one thing per word. Prints what came of it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char **words;

static int is(const char *word)
{
	return !strcmp(words[1], word);
}

static void say(const char *what, long ret)
{
	printf("%s %ld\n", what, ret < 0 ? -(long)errno : ret);
	fflush(stdout);
}

/* The path in a page that is not in memory when the call comes. */
static void hidden(const char *page, const char *path)
{
	unsigned char resident = 1;
	int fd = open(page, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *at;

	if (write(fd, path, strlen(path) + 1) < 0 || fsync(fd) || ftruncate(fd, 4096) || fsync(fd))
		exit(2);
	at = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	mincore(at, 4096, &resident);
	say("resident", resident & 1);
	say("open", syscall(SYS_open, at, O_RDONLY));
}

static void openat2_for_writing(const char *path)
{
	struct open_how how = { .flags = O_RDWR };

	say("open", syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
}

/* By the gate for 32-bit programs: another numbering of the calls. */
static void compat(const char *path)
{
	char *low = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long ret;

	strcpy(low, path);
	asm volatile("int $0x80" : "=a"(ret) : "a"(5), "b"(low), "c"(0), "d"(0) : "memory");
	printf("open %ld\n", ret);
}

static void unlinked(const char *path)
{
	char again[64];
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	unlink(path);
	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	say("open", syscall(SYS_openat, AT_FDCWD, again, O_RDONLY));
}

static void mutate(const char *folder)
{
	int fd;

	if (chdir(folder))
		exit(2);
	say("mkdir", syscall(SYS_mkdir, "made", 0700));
	fd = open("made/file", O_RDWR | O_CREAT, 0600);
	say("rename", syscall(SYS_rename, "made/file", "made/other"));
	say("fchmod", syscall(SYS_fchmod, fd, 0640));
	say("linkat", syscall(SYS_linkat, AT_FDCWD, "made/other", AT_FDCWD, "made/twin", 0));
	say("symlinkat", syscall(SYS_symlinkat, "target", AT_FDCWD, "made/link"));
	say("unlinkat", syscall(SYS_unlinkat, AT_FDCWD, "absent", 0));
	say("truncate", syscall(SYS_truncate, "made/other", 5));
	say("rename", syscall(SYS_rename, "made/other", (char *)8));
}

static int reach(const char *how, const char *host, const char *port)
{
	struct sockaddr_in six_or_four = {};
	struct sockaddr_in6 six = {};
	int v6 = !!strchr(host, ':'), udp = *how == 'u';
	int fd = socket(v6 ? AF_INET6 : AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	void *to = v6 ? (void *)&six : (void *)&six_or_four;
	socklen_t len = v6 ? sizeof(six) : sizeof(six_or_four);

	six_or_four.sin_family = AF_INET;
	six_or_four.sin_port = htons(atoi(port));
	inet_pton(AF_INET, host, &six_or_four.sin_addr);
	six.sin6_family = AF_INET6;
	six.sin6_port = htons(atoi(port));
	inet_pton(AF_INET6, host, &six.sin6_addr);
	if (udp)
		say("send", sendto(fd, "x", 1, 0, to, len));
	else
		say("connect", connect(fd, to, len));
	return fd;
}

/* Sends every byte that comes in, and says what was answered before. */
static void talk(int fd)
{
	char byte;

	while (read(0, &byte, 1) == 1)
		say("sent", send(fd, &byte, 1, 0));
}

static void fetch(int fd, long want)
{
	char bytes[65536];
	long got = 0, n;

	while (got < want && (n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		got += n;
	say("got", got);
}

static void sockets(void)
{
	say("tcp", socket(AF_INET, SOCK_STREAM, 0));
	say("udp6", socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
	say("raw", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	say("raw6", socket(AF_INET6, SOCK_RAW, IPPROTO_RAW));
	say("ping", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	say("mptcp", socket(AF_INET, SOCK_STREAM, 262));
	say("unix", socket(AF_UNIX, SOCK_STREAM, 0));
}

/* The arguments of a relay: never zero, and different from each other. */
static char *filler(long len)
{
	char *bytes = malloc(len + 1);
	unsigned int state = len;
	long i;

	for (i = 0; i < len; i++) {
		state = state * 1103515245u + 12345u;
		bytes[i] = (state >> 16) % 255 + 1;
	}
	bytes[len] = 0;
	return bytes;
}

/* Turns into itself with so many bytes of filler, whenever a number comes in. */
static void relay(void)
{
	char line[32];
	size_t at = 0;

	printf("up\n");
	fflush(stdout);
	while (at < sizeof(line) - 1 && read(0, line + at, 1) == 1 && line[at] != '\n')
		at++;
	line[at] = 0;
	if (!at)
		return;
	execl("/proc/self/exe", words[0], "relay", filler(atol(line)), NULL);
	say("exec", -1);
}

static void *turn(void *unused)
{
	char byte;

	printf("tid %ld\n", syscall(SYS_gettid));
	fflush(stdout);
	if (read(0, &byte, 1) != 1)
		exit(2);
	execv(words[2], words + 2);
	exit(3);
	return unused;
}

static void flood(const char *path, long count)
{
	while (count--)
		close(syscall(SYS_open, path, O_RDONLY));
}

int main(int count, char **given)
{
	words = given;
	if (count < 2)
		return 2;
	if (is("hidden"))
		hidden(given[2], given[3]);
	else if (is("openat2"))
		openat2_for_writing(given[2]);
	else if (is("open"))
		say("open", syscall(SYS_openat, AT_FDCWD, given[2], strtol(given[3], 0, 8), 0600));
	else if (is("compat"))
		compat(given[2]);
	else if (is("unlinked"))
		unlinked(given[2]);
	else if (is("nobody")) {
		if (setuid(65534))
			return 2;
		say("open", syscall(SYS_open, given[2], O_RDONLY));
	} else if (is("mutate"))
		mutate(given[2]);
	else if (is("tcp") || is("udp"))
		reach(given[1], given[2], given[3]);
	else if (is("talk"))
		talk(reach("tcp", given[2], given[3]));
	else if (is("fetch"))
		fetch(reach("tcp", given[2], given[3]), atol(given[4]));
	else if (is("sockets"))
		sockets();
	else if (is("relay"))
		relay();
	else if (is("turn")) {
		pthread_t thread;

		pthread_create(&thread, 0, turn, 0);
		pthread_join(thread, 0);
	} else if (is("flood"))
		flood(given[2], atol(given[3]));
	else
		return 2;
	return 0;
}
