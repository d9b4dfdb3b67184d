/* Every way we know to run what may not be run: BASE/s/program, which ends with 20, and scripts beside it.
 *
 *     execs BASE PYTHON
 *
 * Prints a line for each: its name, and `ran`, the signal, or how it ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"

static const char *base, *python;
static char program[4096], script[4096], python_script[4096], library[4200], copy[4096], hashbang[4096];

static void quiet(void)
{
	int null = open("/dev/null", O_WRONLY);

	if (null >= 0)
		dup2(null, 2);
}

static void plain(void) { execl(program, "program", (char *)0); }
static void relative(void) { execl("../s/program", "program", (char *)0); }
static void through_link(void) { execl("link_program", "program", (char *)0); }
static void hard_link(void) { execl("old_program", "program", (char *)0); }
static void shebang(void) { execl(hashbang, "hashbang", (char *)0); }
static void loader(void) { execl("/lib64/ld-linux-x86-64.so.2", "ld", program, (char *)0); }
static void bash_script(void) { execl("/usr/bin/bash", "bash", script, (char *)0); }
static void bash_source(void)
{
	char text[4200];

	snprintf(text, sizeof text, ". %s", script);
	execl("/usr/bin/bash", "bash", "-c", text, (char *)0);
}
static void bash_input(void)
{
	char text[4200];

	snprintf(text, sizeof text, "bash < %s", script);
	execl("/usr/bin/bash", "bash", "-c", text, (char *)0);
}
static void python_file(void) { execl(python, "python3", python_script, (char *)0); }
static void python_import(void)
{
	char text[4300];

	snprintf(text, sizeof text, "import sys; sys.path.insert(0, '%s/s'); import script", base);
	execl(python, "python3", "-c", text, (char *)0);
}
static void preload(void)
{
	char *argv[] = {"true", 0}, *environment[] = {library, 0};

	execve("/usr/bin/true", argv, environment);
}
static void by_descriptor(void)
{
	int fd = open(program, O_PATH);
	char *argv[] = {"program", 0}, *none[] = {0};

	syscall(SYS_execveat, fd, "", argv, none, AT_EMPTY_PATH);
}
static void by_proc_fd(void)
{
	char text[64];
	int fd = open(program, O_PATH);

	snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
	execl(text, "program", (char *)0);
}
static void by_folder(void)
{
	int fd = open("..", O_PATH | O_DIRECTORY);
	char *argv[] = {"program", 0}, *none[] = {0};

	syscall(SYS_execveat, fd, "s/program", argv, none, 0);
}
static int in_memory(void)
{
	static char bytes[1 << 16];
	int from = open(copy, O_RDONLY), to = syscall(SYS_memfd_create, "x", 0);
	ssize_t got;

	while (from >= 0 && to >= 0 && (got = read(from, bytes, sizeof bytes)) > 0)
		if (write(to, bytes, got) != got)
			return -1;
	close(from);
	return to;
}
static void memory_descriptor(void)
{
	char *argv[] = {"program", 0}, *none[] = {0};

	syscall(SYS_execveat, in_memory(), "", argv, none, AT_EMPTY_PATH);
}
static void memory_proc_fd(void)
{
	char text[64];

	snprintf(text, sizeof text, "/proc/self/fd/%d", in_memory());
	execl(text, "program", (char *)0);
}
static void shared_memory(void)
{
	/* A file in /dev/shm, of bytes that may be run in the workspace. */
	static char bytes[1 << 20];
	int from = open(copy, O_RDONLY), to = open("/dev/shm/pathwarden-test-program", O_CREAT | O_WRONLY, 0700);
	ssize_t got = read(from, bytes, sizeof bytes);

	if (to < 0 || write(to, bytes, got) != got)
		_exit(98);
	close(to);
	execl("/dev/shm/pathwarden-test-program", "program", (char *)0);
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
	{"plain", plain}, {"relative", relative}, {"symlink", through_link}, {"hard_link", hard_link},
	{"shebang", shebang}, {"loader", loader}, {"bash_script", bash_script}, {"bash_source", bash_source},
	{"bash_input", bash_input}, {"python_script", python_file}, {"python_import", python_import},
	{"preload", preload}, {"execveat", by_descriptor}, {"proc_fd", by_proc_fd}, {"dirfd", by_folder},
	{"memfd", memory_descriptor}, {"memfd_proc", memory_proc_fd}, {"dev_shm", shared_memory},
};

int main(int argc, char **argv)
{
	read_arguments(&argc, &argv);
	if (argc < 3)
		return 2;
	base = argv[1];
	python = argv[2];
	snprintf(program, sizeof program, "%s/s/program", base);
	snprintf(script, sizeof script, "%s/s/script.sh", base);
	snprintf(python_script, sizeof python_script, "%s/s/script.py", base);
	snprintf(library, sizeof library, "LD_PRELOAD=%s/s/library.so", base);
	snprintf(copy, sizeof copy, "%s/w/copy", base);
	snprintf(hashbang, sizeof hashbang, "%s/w/hashbang", base);
	for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0) {
			quiet();
			ways[way].run();
			_exit(errno == EPERM || errno == EACCES ? 90 : 91);
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			return 3;
		if (WIFSIGNALED(status))
			printf("%s signal %d\n", ways[way].name, WTERMSIG(status));
		else if (WEXITSTATUS(status) == 20)
			printf("%s ran\n", ways[way].name);
		else
			printf("%s status %d\n", ways[way].name, WEXITSTATUS(status));
		fflush(stdout);
	}
	unlink("/dev/shm/pathwarden-test-program");
	return 0;
}
