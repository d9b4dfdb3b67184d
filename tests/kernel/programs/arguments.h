/* Arguments from a file: what stands in a command line is decided when the program starts, and it is not to
 * fail there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lines of the file `arguments` in the folder where we are, behind the program's own name. */
static inline void read_arguments(int *argc, char ***argv)
{
	static char *found[32], line[8192];
	FILE *file;

	if (*argc > 1)
		return;
	file = fopen("arguments", "r");
	if (!file)
		exit(4);
	found[0] = (*argv)[0];
	for (*argc = 1; *argc < 31 && fgets(line, sizeof line, file); (*argc)++)
		found[*argc] = strdup(strtok(line, "\n"));
	fclose(file);
	*argv = found;
}
