/* System calls that no agent needs. Prints a line for each: its name, and `done`, the error or the signal.
 * Each is made in a process of its own. Run without a box only in a mount namespace of its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process like us that waits to be looked into. */
static pid_t other;
static char value[8] = "unknown";

static long io_uring(void)
{
	char parameters[120] = {0};

	return syscall(SYS_io_uring_setup, 8, parameters);
}
static long unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long unshare_net(void) { return unshare(CLONE_NEWNET); }
static long unshare_pid(void) { return unshare(CLONE_NEWPID); }
static long unshare_cgroup(void) { return unshare(CLONE_NEWCGROUP); }
static long unshare_time(void) { return unshare(0x80); }
static long clone_user(void)
{
	long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (child == 0)
		_exit(0);
	return child;
}
static long clone3_user(void)
{
	unsigned long long args[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
	long child = syscall(SYS_clone3, args, sizeof args);

	if (child == 0)
		_exit(0);
	return child;
}
static long set_namespace(void) { return setns(open("/proc/self/ns/net", O_RDONLY), 0); }
static long mount_tmpfs(void) { return mount("none", "folder", "tmpfs", 0, 0); }
static long mount_bind(void) { return mount("/", "folder", 0, MS_BIND, 0); }
static long unmount(void) { return umount2("/proc", MNT_DETACH); }
static long mount_new(void) { return syscall(SYS_fsopen, "tmpfs", 0); }
static long mount_clone(void) { return syscall(SYS_open_tree, AT_FDCWD, "/", 1); }
static long change_root(void) { return chroot("."); }
static long bpf_map(void)
{
	unsigned attributes[32] = {2 /* array */, 4, 4, 1};

	return syscall(SYS_bpf, 0 /* BPF_MAP_CREATE */, attributes, sizeof attributes);
}
static long packet(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static long vsock(void) { return socket(AF_VSOCK, SOCK_STREAM, 0); }
static long raw_ip(void) { return socket(AF_INET, SOCK_RAW, 1); }
static long raw_ip6(void) { return socket(AF_INET6, SOCK_RAW, 58); }
static long packet_inet(void) { return socket(AF_INET, SOCK_PACKET, 0); }
static long netlink(void) { return socket(AF_NETLINK, SOCK_RAW, 12 /* netfilter */); }
static long crypto(void) { return socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0); }
static long trace_attach(void) { return ptrace(PTRACE_ATTACH, other, 0, 0); }
static long trace_seize(void) { return ptrace(PTRACE_SEIZE, other, 0, 0); }
static long trace_me(void) { return ptrace(PTRACE_TRACEME, 0, 0, 0); }
static long read_memory(void)
{
	char got[8];
	struct iovec to = {got, 8}, from = {value, 8};

	return process_vm_readv(other, &to, 1, &from, 1, 0);
}
static long write_memory(void)
{
	struct iovec from = {"changed", 8}, to = {value, 8};

	return process_vm_writev(other, &from, 1, &to, 1, 0);
}
static long memory_file(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/mem", other);
	fd = open(path, O_RDWR);
	return fd < 0 ? -1 : pwrite(fd, "changed", 8, (off_t)value);
}
static long steal_descriptor(void)
{
	int process = syscall(SYS_pidfd_open, other, 0);

	return process < 0 ? -1 : syscall(SYS_pidfd_getfd, process, 0, 0);
}
static long compare(void) { return syscall(SYS_kcmp, getpid(), other, 0, 0, 0); }
static long own_listener(void)
{
	struct sock_filter all = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	struct sock_fprog program = {1, &all};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}
static long keys(void) { return syscall(SYS_keyctl, 0, -3, 1); }
static long add_key(void) { return syscall(SYS_add_key, "user", "x", "y", 1, -3); }
static long faults(void) { return syscall(SYS_userfaultfd, 0); }
static long perf(void)
{
	struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attributes};

	return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}
static long fanotify(void) { return syscall(SYS_fanotify_init, 0, 0); }
static long handle(void)
{
	struct {
		struct file_handle head;
		char more[128];
	} found = {.head.handle_bytes = 128};
	int id;

	if (name_to_handle_at(AT_FDCWD, ".", &found.head, &id, 0))
		return -1;
	return open_by_handle_at(AT_FDCWD, &found.head, O_RDONLY);
}
static long host_name(void)
{
	char name[65] = "";

	return gethostname(name, 64) ? -1 : sethostname(name, strlen(name));
}
static long clock_set(void) { return syscall(SYS_settimeofday, 0, 0); }
static long port_io(void) { return syscall(SYS_iopl, 3); }
static long kernel_log(void) { return syscall(SYS_syslog, 10, 0, 0); }
static long executable_data(void) { return personality(READ_IMPLIES_EXEC); }
static long char_device(void) { return mknod("device", S_IFCHR | 0600, makedev(1, 1)); }
static long block_device(void)
{
	struct stat about;

	return stat(".", &about) ? -1 : mknod("disk", S_IFBLK | 0600, about.st_dev);
}
static long file_flags(void)
{
	int fd = open("data", O_RDONLY), flags = 0;

	if (ioctl(fd, 0x80086601, &flags))
		return -1;
	return ioctl(fd, 0x40086602, &flags);
}
static long set_attribute(void) { return syscall(SYS_setxattr, "data", "user.x", "y", 1, 0); }
static long lease(void) { return fcntl(open("data", O_RDONLY), F_SETLEASE, F_RDLCK); }
static long secret_memory(void) { return syscall(SYS_memfd_secret, 0); }
static long openat2_(void)
{
	unsigned long long how[3] = {0, 0, 0};

	return syscall(SYS_openat2, AT_FDCWD, "data", how, sizeof how);
}
static long compat_pid(void)
{
	long got = 20;

	__asm__ volatile("int $0x80" : "+a"(got) : : "memory", "r8", "r9", "r10", "r11");
	if ((int)got > 0)
		return got;
	errno = got ? -(int)got : ENOSYS;
	return -1;
}

#define CALL(function) {#function, function}
static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
	CALL(io_uring), CALL(unshare_user), CALL(unshare_mount), CALL(unshare_net), CALL(unshare_pid),
	CALL(unshare_cgroup), CALL(unshare_time), CALL(clone_user), CALL(clone3_user), CALL(set_namespace),
	CALL(mount_tmpfs), CALL(mount_bind), CALL(mount_new), CALL(mount_clone),
	CALL(change_root), CALL(bpf_map), CALL(packet), CALL(vsock), CALL(raw_ip), CALL(raw_ip6),
	CALL(packet_inet), CALL(netlink), CALL(crypto), CALL(trace_attach), CALL(trace_seize), CALL(trace_me),
	CALL(read_memory), CALL(write_memory), CALL(memory_file), CALL(steal_descriptor), CALL(compare),
	CALL(own_listener), CALL(keys), CALL(add_key), CALL(faults), CALL(perf), CALL(fanotify), CALL(handle),
	CALL(host_name), CALL(clock_set), CALL(port_io), CALL(kernel_log), CALL(executable_data),
	CALL(char_device), CALL(block_device), CALL(file_flags), CALL(set_attribute), CALL(lease),
	CALL(secret_memory), CALL(openat2_), CALL(compat_pid),
	/* The last one: without a box /proc is then gone. */
	CALL(unmount),
};

int main(void)
{
	for (size_t call = 0; call < sizeof calls / sizeof *calls; call++) {
		int status = 0;
		pid_t child;

		other = fork();
		if (other == 0) {
			pause();
			_exit(0);
		}
		child = fork();
		if (child == 0)
			_exit(calls[call].call() >= 0 ? 0 : errno);
		if (other < 0 || child < 0 || waitpid(child, &status, 0) != child)
			return 3;
		kill(other, SIGKILL);
		waitpid(other, 0, 0);
		if (WIFSIGNALED(status))
			printf("%s signal %d\n", calls[call].name, WTERMSIG(status));
		else if (WEXITSTATUS(status))
			printf("%s errno %d\n", calls[call].name, WEXITSTATUS(status));
		else
			printf("%s done\n", calls[call].name);
		fflush(stdout);
	}
	unlink("device");
	unlink("disk");
	return 0;
}
