/* What descriptors lead to.
 *
 *     descriptors NUMBER SECRET DATA
 *
 * NUMBER is one that the caller had open on SECRET. Prints whether it can be read, what else is open, and what
 * a child can hand over: a path to SECRET, and DATA, which may be opened.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"

static void give(int socket, int fd)
{
	char byte = fd >= 0, room[CMSG_SPACE(sizeof fd)] = {0};
	struct iovec text = {&byte, 1};
	struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *head;

		message.msg_control = room;
		message.msg_controllen = sizeof room;
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(head), &fd, sizeof fd);
	}
	if (sendmsg(socket, &message, 0) != 1)
		_exit(3);
}

static int take(int socket)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec text = {&byte, 1};
	struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	int fd = -1;

	if (recvmsg(socket, &message, 0) == 1 && byte && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

static char letter(int fd)
{
	char found = '-';

	return fd >= 0 && pread(fd, &found, 1, 0) == 1 ? found : '-';
}

static int reopened(int fd)
{
	char text[64];

	snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
	return open(text, O_RDONLY);
}

int main(int argc, char **argv)
{
	int pair[2], fd, status;
	struct dirent *entry;
	pid_t child;
	DIR *folder;

	read_arguments(&argc, &argv);
	if (argc < 4)
		return 2;
	printf("inherited %c\n", letter(atoi(argv[1])));
	folder = opendir("/proc/self/fd");
	while (folder && (entry = readdir(folder)))
		if (atoi(entry->d_name) > 2 && atoi(entry->d_name) != dirfd(folder))
			printf("open %s\n", entry->d_name);
	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 3;
	child = fork();
	if (child == 0) {
		give(pair[1], open(argv[2], O_RDONLY));
		give(pair[1], open(argv[2], O_PATH));
		give(pair[1], open(argv[3], O_RDONLY));
		_exit(0);
	}
	close(pair[1]);
	printf("handed_secret %c\n", letter(take(pair[0])));
	fd = take(pair[0]);
	printf("handed_path %c\n", letter(reopened(fd)));
	printf("handed_data %c\n", letter(take(pair[0])));
	waitpid(child, &status, 0);
	return 0;
}
