/* Forks for ever, or as often as is said: then prints how often it could. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <signal.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	int most = argc > 1 ? atoi(argv[1]) : 0, made = 0;
	pid_t *children;

	if (!most) {
		printf("bombing\n");
		fflush(stdout);
		for (;;)
			if (fork() < 0)
				usleep(500);
	}
	children = calloc(most, sizeof *children);
	while (made < most && (children[made] = fork()) >= 0) {
		if (children[made] == 0) {
			pause();
			_exit(0);
		}
		made++;
	}
	for (int child = 0; child < made; child++) {
		kill(children[child], SIGKILL);
		waitpid(children[child], 0, 0);
	}
	printf("{\"made\":%d}\n", made);
	return 0;
}
