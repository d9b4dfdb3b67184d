/* Opens files by a path that stands in a page which is not in memory.
 *
 *     absent TIMES FILE-WITH-THE-PATH
 *
 * Prints how often the page was absent just before the call, how often the file was opened, how often its
 * first letter was S, and the last error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arguments.h"

int main(int argc, char **argv)
{
	int times, file, absent = 0, opened = 0, secret = 0, error = 0;

	read_arguments(&argc, &argv);
	if (argc < 3)
		return 2;
	times = atoi(argv[1]);
	file = open(argv[2], O_RDONLY);
	if (file < 0)
		return 3;
	for (int n = 0; n < times; n++) {
		unsigned char resident = 1;
		char letter = 0;
		const char *path = mmap(0, 4096, PROT_READ, MAP_PRIVATE, file, 0);
		int fd;

		if (path == MAP_FAILED)
			return 3;
		posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
		if (!mincore((void *)path, 4096, &resident) && !(resident & 1))
			absent++;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			error = errno;
		} else {
			opened++;
			secret += read(fd, &letter, 1) == 1 && letter == 'S';
			close(fd);
		}
		munmap((void *)path, 4096);
	}
	printf("{\"times\":%d,\"absent\":%d,\"opened\":%d,\"leaked\":%d,\"errno\":%d}\n", times, absent, opened,
	       secret, error);
	return 0;
}
