/* Leaves a grandchild in a session of its own, which tries to read a file.
 *
 *     daemon MARKER SECRET RESULT [stay]      (from the file `arguments`)
 *
 * The grandchild writes what it saw into RESULT and lives on under the name MARKER. We end as soon as it has
 * written; with `stay` we live on as well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"

static void tell(const char *secret, const char *result)
{
	char text[64], letter = 0;
	int fd = open(secret, O_RDONLY), error = errno, to;
	char partial[4096];

	if (fd >= 0 && read(fd, &letter, 1) == 1)
		snprintf(text, sizeof text, "read %c\n", letter);
	else
		snprintf(text, sizeof text, "errno %d\n", error);
	snprintf(partial, sizeof partial, "%s.part", result);
	to = open(partial, O_CREAT | O_WRONLY, 0600);
	if (to < 0 || write(to, text, strlen(text)) < 0)
		_exit(3);
	close(to);
	rename(partial, result);
}

int main(int argc, char **argv)
{
	const char *program = argv[0];
	int is_grandchild = argc > 1;

	argc = 1;
	read_arguments(&argc, &argv);
	if (argc < 4)
		return 2;
	if (is_grandchild) {
		tell(argv[2], argv[3]);
		for (;;)
			pause();
	}
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			execl(program, argv[1], "grandchild", (char *)0);
			_exit(3);
		}
		_exit(0);
	}
	wait(0);
	while (access(argv[3], F_OK))
		usleep(1000);
	printf("ready\n");
	fflush(stdout);
	while (argc > 4)
		pause();
	return 0;
}
