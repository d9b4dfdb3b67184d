/* Opens files by turns, while two processes burn what the processors have.
 *
 *     busy TIMES FOLDER SECRET
 *
 * Every second open is of a file of FOLDER that was not there before, the others of SECRET.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "arguments.h"

int main(int argc, char **argv)
{
	int times, good = 0, bad = 0, leaked = 0, refused = 0, error = 0;
	pid_t burners[2];

	read_arguments(&argc, &argv);
	if (argc < 4)
		return 2;
	times = atoi(argv[1]);
	for (int burner = 0; burner < 2; burner++) {
		burners[burner] = fork();
		if (burners[burner] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (volatile unsigned long turns = 0;; turns++)
				;
		}
	}
	for (int n = 0; n < times; n++) {
		char path[4096];
		int fd;

		snprintf(path, sizeof path, "%s/%d", argv[2], n / 2);
		fd = open(n % 2 ? argv[3] : path, O_RDONLY | O_CLOEXEC);
		if (n % 2)
			*(fd < 0 ? &refused : &leaked) += 1;
		else
			*(fd < 0 ? &bad : &good) += 1;
		if (fd < 0 && n % 2 == 0)
			error = errno;
		if (fd >= 0)
			close(fd);
	}
	kill(burners[0], SIGKILL);
	kill(burners[1], SIGKILL);
	printf("{\"good\":%d,\"bad\":%d,\"refused\":%d,\"leaked\":%d,\"errno\":%d}\n", good, bad, refused, leaked, error);
	return 0;
}
