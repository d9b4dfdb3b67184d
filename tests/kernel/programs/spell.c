/* Every way we know to name a forbidden file. Prints a line for each: its name, and `leaked` or the error.
 *
 *     spell BASE       with BASE/s/secret the file (it begins with S) and BASE/w, where we are, ours
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"

static const char *base;

static const char *join(const char *before, const char *after)
{
	static char text[8][4096];
	static int next;
	char *here = text[next++ % 8];

	snprintf(here, sizeof *text, "%s%s%s", before, base, after);
	return here;
}

static void say(const char *name, int fd)
{
	char letter = 0;
	int error = errno;

	if (fd < 0)
		printf("%s errno %d\n", name, error);
	else if (read(fd, &letter, 1) == 1 && letter == 'S')
		printf("%s leaked\n", name);
	else
		printf("%s other\n", name);
	if (fd >= 0)
		close(fd);
}

static void by_path(const char *name, const char *path)
{
	say(name, open(path, O_RDONLY));
}

/* 32-bit programs have a gate of their own, with other numbers. It takes addresses below 4 GB only. */
static int open_compat(const char *path)
{
	char *low = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long got = 5;

	if (low == MAP_FAILED)
		return -1;
	strcpy(low, path);
	__asm__ volatile("int $0x80" : "+a"(got) : "b"(low), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
	if ((int)got >= 0)
		return (int)got;
	errno = -(int)got;
	return -1;
}

static void in_child(const char *name, int (*opens)(const char *), const char *path)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		say(name, opens(path));
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s killed\n", name);
}

static int open_x32(const char *path)
{
	return syscall(0x40000000 | SYS_open, path, O_RDONLY);
}

static int open_handle(const char *path)
{
	struct {
		struct file_handle head;
		char more[128];
	} handle = {.head.handle_bytes = 128};
	int mount, id, fd;

	if (name_to_handle_at(AT_FDCWD, path, &handle.head, &id, 0))
		return -1;
	mount = open(".", O_RDONLY);
	fd = open_by_handle_at(mount, &handle.head, O_RDONLY);
	close(mount);
	return fd;
}

static int open_how(const char *path)
{
	unsigned long long how[3] = {0, 0, 0};

	return syscall(SYS_openat2, AT_FDCWD, path, how, sizeof how);
}

/* What was created, moved or changed is for the one who looks at BASE/s afterwards to see. */
static void change(const char *name, int result)
{
	if (result < 0)
		printf("%s errno %d\n", name, errno);
	else
		printf("%s leaked\n", name);
}

static int bind_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), result;

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	result = bind(fd, (struct sockaddr *)&address, sizeof address);
	if (fd >= 0)
		close(fd);
	return result;
}

static void changes(void)
{
	char secret[4096];

	snprintf(secret, sizeof secret, "%s/s/secret", base);
	change("truncate", truncate(secret, 0));
	change("open_trunc", open(secret, O_WRONLY | O_TRUNC));
	change("open_append", open(secret, O_WRONLY | O_APPEND));
	change("creat", creat(join("", "/s/new"), 0600));
	change("tmpfile", open(join("", "/s"), O_TMPFILE | O_RDWR, 0600));
	change("mkdir", mkdir(join("", "/s/folder"), 0700));
	change("mkfifo", mkfifo(join("", "/s/fifo"), 0600));
	change("symlink", symlink("/etc/hosts", join("", "/s/link")));
	change("bind", bind_at("../s/socket"));
	change("chmod", chmod(secret, 0777));
	change("fchmod_opath", fchmodat(open(join("", "/s"), O_PATH), "secret", 0777, 0));
	change("chown", chown(secret, 1, 1));
	change("utimes", utimensat(AT_FDCWD, secret, 0, 0));
	change("rename_in", rename("given", join("", "/s/given")));
	change("rename_away", rename(join("", "/s/other"), "stolen"));
	change("exchange", syscall(SYS_renameat2, AT_FDCWD, join("", "/s/third"), AT_FDCWD, "exchanged", 2));
	change("link_in", link("data", join("", "/s/linked")));
	change("link_away", link(secret, "stolen_link"));
	change("link_symlink", linkat(AT_FDCWD, "link", AT_FDCWD, "stolen_link2", AT_SYMLINK_FOLLOW));
	change("link_proc_fd", linkat(AT_FDCWD, "/proc/self/cwd/../s/secret", AT_FDCWD, "stolen_link3", AT_SYMLINK_FOLLOW));
	change("unlink", unlink(join("", "/s/victim")));
	change("unlink_dotdot", unlink("../s/victim2"));
	change("rmdir", rmdir(join("", "/s/empty")));
	change("write_symlink", open("link", O_WRONLY));
	change("creat_symlink", open("dangling", O_CREAT | O_WRONLY, 0600));
}

int main(int argc, char **argv)
{
	char text[64];
	int fd;

	read_arguments(&argc, &argv);
	if (argc < 2)
		return 2;
	base = argv[1];
	if (argc > 2) {
		changes();
		return 0;
	}
	by_path("plain", join("", "/s/secret"));
	by_path("dotdot", "../s/secret");
	by_path("deep_dotdot", "folder/../../s/./secret");
	by_path("slashes", join("//", "///s//secret"));
	by_path("symlink", "link");
	by_path("symlink_relative", "link_relative");
	by_path("symlink_chain", "link_chain");
	by_path("symlink_folder", "link_folder/secret");
	by_path("hard_link", "old");
	by_path("proc_root", join("/proc/self/root", "/s/secret"));
	by_path("proc_thread", join("/proc/thread-self/root", "/s/secret"));
	by_path("proc_root_1", join("/proc/1/root", "/s/secret"));
	by_path("proc_cwd", "/proc/self/cwd/../s/secret");
	by_path("proc_task", join("/proc/self/task/../root", "/s/secret"));
	fd = open(base, O_PATH | O_DIRECTORY);
	say("dirfd_relative", openat(fd, "s/secret", O_RDONLY));
	snprintf(text, sizeof text, "/dev/fd/%d/s/secret", fd);
	by_path("dev_fd_folder", text);
	snprintf(text, sizeof text, "/proc/self/fd/%d/s/secret", fd);
	by_path("proc_fd_folder", text);
	fd = open("link", O_PATH);
	snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
	by_path("reopen_opath", text);
	snprintf(text, sizeof text, "/dev/fd/%d", fd);
	by_path("reopen_dev_fd", text);
	say("read_write", open("link", O_RDWR));
	if (!chdir("../s"))
		by_path("chdir", "secret");
	else
		say("chdir", -1);
	if (chdir(join("", "/w")))
		return 3;
	in_child("compat_gate", open_compat, join("", "/s/secret"));
	in_child("x32_gate", open_x32, join("", "/s/secret"));
	in_child("file_handle", open_handle, join("", "/s/secret"));
	in_child("openat2", open_how, join("", "/s/secret"));
	return 0;
}
