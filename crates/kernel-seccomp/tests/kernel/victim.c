/* What an agent may do, one mode per test. Compiled by the tests; prints what it saw. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <pthread.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static long s(long r) { return r; }
static void say(const char *what, long r, int e) {
    printf("%s = %ld %s\n", what, r, r < 0 ? strerrorname_np(e) : "ok");
    fflush(stdout);
}
#define T(expr) do { errno = 0; long r_ = s(expr); say(#expr, r_, errno); } while (0)
static void fd_say(const char *what, int fd, int e) {
    if (fd < 0) { say(what, -1, e); return; }
    struct stat st;
    fstat(fd, &st);
    int fl = fcntl(fd, F_GETFL) & ~(O_NOFOLLOW | O_DIRECTORY);
    printf("%s = fd mode %o size %ld flags %o cloexec %d\n", what, st.st_mode,
           S_ISREG(st.st_mode) ? (long)st.st_size : 0L, fl, fcntl(fd, F_GETFD));
    fflush(stdout);
    close(fd);
}
#define F(expr) do { errno = 0; int r_ = (expr); fd_say(#expr, r_, errno); } while (0)
static void mtime(const char *p, int follow) {
    struct stat st;
    if (fstatat(AT_FDCWD, p, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW)) { say(p, -1, errno); return; }
    printf("%s mtime %ld.%09ld atime %ld\n", p, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_atim.tv_sec);
}
static char big[5000], name256[300];

static void opens(void) {
    int dfd = open("dir", O_RDONLY | O_DIRECTORY);
    F(open("a.txt", O_WRONLY));
    F(open("a.txt", O_RDWR | O_CLOEXEC));
    F(open("a.txt", O_RDONLY | O_CREAT, 0600));
    F(open("new1", O_WRONLY | O_CREAT, 0666));
    F(open("new2", O_WRONLY | O_CREAT | O_EXCL, 0777));
    F(open("new2", O_WRONLY | O_CREAT | O_EXCL, 0777));
    F(open("new3", O_RDONLY | O_CREAT, 04755));
    F(open("link", O_WRONLY | O_APPEND));
    F(open("link", O_WRONLY | O_NOFOLLOW));
    F(open("link", O_WRONLY | O_NOFOLLOW | O_CREAT, 0600));
    F(open("dangling", O_WRONLY));
    F(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644));
    F(open("dangling", O_WRONLY | O_CREAT, 0644));
    F(open("chain", O_WRONLY | O_CREAT, 0640));
    F(open("loop", O_WRONLY));
    F(open("abs", O_WRONLY));
    F(open("dirlink/x", O_WRONLY));
    F(open("dirlink/../a.txt", O_WRONLY));
    F(open("./dir/.././/a.txt", O_WRONLY));
    F(open("../../../../../../../../../../dev/null", O_WRONLY));
    F(open("a.txt/", O_WRONLY));
    F(open("a.txt/x", O_WRONLY));
    F(open("a.txt/.", O_WRONLY));
    F(open("a.txt/..", O_WRONLY));
    F(open("dir", O_WRONLY));
    F(open("dir/", O_WRONLY | O_CREAT, 0644));
    F(open("newdir/", O_WRONLY | O_CREAT, 0644));
    F(open("dir", O_RDONLY | O_CREAT, 0644));
    F(open("dir", O_RDONLY | O_CREAT | O_DIRECTORY, 0644));
    F(open("dir", O_RDWR | O_TMPFILE, 0644));
    F(open("dir", O_RDONLY | O_TMPFILE, 0644));
    F(open("a.txt", O_RDWR | O_TMPFILE, 0644));
    F(open("nodir", O_RDWR | O_TMPFILE, 0644));
    F(open(".", O_WRONLY));
    F(open("/", O_WRONLY | O_CREAT, 0644));
    F(open("..", O_RDONLY | O_CREAT | O_EXCL, 0644));
    F(open("", O_WRONLY));
    F(open("", O_WRONLY | O_CREAT, 0600));
    F(open((char *)8, O_WRONLY));
    F(open(big, O_WRONLY));
    F(open(name256, O_WRONLY | O_CREAT, 0644));
    F(open("ro.txt", O_WRONLY));
    F(open("ro.txt", O_RDONLY | O_TRUNC));
    F(open("rootdir/new", O_WRONLY | O_CREAT, 0644));
    F(open("secretdir/x", O_WRONLY));
    F(open("secretdir/new", O_WRONLY | O_CREAT, 0644));
    F(open("trunc.txt", O_WRONLY | O_TRUNC));
    F(openat(dfd, "x", O_WRONLY));
    F(openat(dfd, "y", O_WRONLY | O_CREAT, 0600));
    F(openat(dfd, "../a.txt", O_WRONLY));
    F(openat(999, "x", O_WRONLY));
    F(openat(-5, "x", O_WRONLY));
    F(openat(999, "/dev/null", O_WRONLY));
    int afd = open("a.txt", O_RDONLY);
    F(openat(afd, "x", O_WRONLY));
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", afd);
    F(open(self, O_RDWR));
    F(open(self, O_RDWR | O_NOFOLLOW));
    snprintf(self, sizeof self, "/dev/fd/%d", afd);
    F(open(self, O_WRONLY));
    snprintf(self, sizeof self, "/proc/thread-self/fd/%d", dfd);
    strcat(self, "/x");
    F(open(self, O_WRONLY));
    F(open("/proc/self/cwd/a.txt", O_WRONLY));
    F(open("/proc/self/comm", O_WRONLY));
    F(open("/proc/self/fd/999", O_WRONLY));
    F(open("/proc/self/root/dev/null", O_WRONLY));
    F(open("/proc/1/oom_score_adj", O_WRONLY | O_NOFOLLOW));
    F(open("/dev/null", O_RDWR));
    F(open("/dev/zero", O_RDWR | O_CREAT, 0644));
    F(open("fifo", O_WRONLY | O_NONBLOCK));
    F(open("fifo", O_RDWR));
    F(open("sock", O_WRONLY));
    F(creat("created", 0664));
    F(open("/dev/tty", O_RDWR));
    umask(077);
    F(open("masked", O_WRONLY | O_CREAT, 0666));
    umask(0);
    F(open("unmasked", O_WRONLY | O_CREAT, 0666));
    umask(022);
    F(open("setgid/new", O_WRONLY | O_CREAT, 0644));
    F(open("sticky/other", O_WRONLY));
    close(afd); close(dfd);
}

static void names(void) {
    int dfd = open("dir", O_RDONLY | O_DIRECTORY);
    T(mkdir("m1", 0777)); T(mkdir("m1", 0777)); T(mkdir("m1/deep/er", 0777)); T(mkdir("m2/", 0700));
    T(mkdir("dangling", 0755)); T(mkdir(".", 0755)); T(mkdir("/", 0755)); T(mkdir("", 0755));
    T(mkdir("m1/..", 0755)); T(mkdirat(dfd, "sub", 01777)); T(mkdir("rootdir/no", 0755));
    T(mkdir("a.txt/no", 0755)); T(mkdir((char *)4096, 0755)); T(mkdir("setgid/sub", 0755));
    T(mkdir(name256, 0755)); T(mkdir(big, 0755));
    T(unlink("u1")); T(unlink("u1")); T(unlink("link2")); T(unlink("empty")); T(unlink("u2/")); T(unlink("."));
    T(unlink("/")); T(unlink("dirlink/u3")); T(unlink("rootdir/f")); T(unlink("sticky/other"));
    T(unlinkat(dfd, "u4", 0)); T(unlinkat(dfd, "x", AT_REMOVEDIR)); T(unlinkat(dfd, "x", 0x55));
    T(rmdir("empty")); T(rmdir("full")); T(rmdir(".")); T(rmdir("dir/..")); T(rmdir("/")); T(rmdir("dirlink"));
    T(rmdir("dirlink/")); T(rmdir("empty2/")); T(unlinkat(AT_FDCWD, "empty3", AT_REMOVEDIR));
    T(rename("r1", "r1b")); T(rename("r1", "r1c")); T(rename("r2", "a.txt")); T(rename("r1b", "dir/r1b"));
    T(rename("full", "full2/")); T(rename("b.txt", "b2/")); T(rename("dir", "dir/inside"));
    T(rename(".", "q")); T(rename("b.txt", ".")); T(rename("/", "q")); T(rename("link3", "link4"));
    T(rename("b.txt", "empty4")); T(rename("empty4", "b.txt")); T(rename("b.txt", "rootdir/b"));
    T(rename("b.txt", "/dev/shm/../../proc/x"));
    T(renameat(dfd, "r4", AT_FDCWD, "r4b"));
    T(renameat2(AT_FDCWD, "b.txt", AT_FDCWD, "c.txt", RENAME_NOREPLACE));
    T(renameat2(AT_FDCWD, "b.txt", AT_FDCWD, "c.txt", RENAME_EXCHANGE));
    T(renameat2(AT_FDCWD, "b.txt", AT_FDCWD, "none", RENAME_EXCHANGE));
    T(renameat2(AT_FDCWD, "b.txt", AT_FDCWD, "c.txt", RENAME_EXCHANGE | RENAME_NOREPLACE));
    T(renameat2(AT_FDCWD, "b.txt", AT_FDCWD, "c.txt", 0x80));
    T(link("b.txt", "l1")); T(link("b.txt", "l1")); T(link("link", "l2")); T(link("dir", "l3")); T(link("b.txt", "l4/"));
    T(linkat(AT_FDCWD, "link", AT_FDCWD, "l5", AT_SYMLINK_FOLLOW)); T(linkat(AT_FDCWD, "b.txt", dfd, "l6", 0));
    T(linkat(AT_FDCWD, "dangling", AT_FDCWD, "l7", AT_SYMLINK_FOLLOW)); T(linkat(AT_FDCWD, "b.txt", AT_FDCWD, "l8", 7));
    T(link("ro.txt", "l9")); T(link("secretdir/x", "l10")); T(link("none", "l11")); T(link("b.txt", "dir")); T(link("b.txt", "/proc/x"));
    int tfd = open("dir", O_TMPFILE | O_RDWR, 0644);
    T(s(write(tfd, "tmp", 3)));
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", tfd);
    T(linkat(AT_FDCWD, self, AT_FDCWD, "l12", AT_SYMLINK_FOLLOW));
    T(linkat(tfd, "", AT_FDCWD, "l13", AT_EMPTY_PATH)); T(linkat(tfd, "", AT_FDCWD, "l14", 0));
    T(symlink("some text", "s1")); T(symlink("x", "s1")); T(symlink("", "s2")); T(symlink("x", "s3/")); T(symlink("x", ""));
    T(symlinkat("/abs/text", dfd, "s4")); T(symlink("x", "rootdir/s")); T(symlink(big, "s5")); T(symlink((char *)1, "s6"));
    T(mknod("n1", S_IFIFO | 0666, 0)); T(mknod("n2", 0644, 0)); T(mknod("n3", S_IFSOCK | 0600, 0)); T(mknod("n1", S_IFREG | 0644, 0));
    T(mknod("n4", S_IFDIR | 0755, 0)); T(mkfifoat(dfd, "n5", 0640)); T(mknod("n6", S_IFLNK | 0644, 0)); T(mknod("rootdir/n7", S_IFREG | 0644, 0));
    umask(027);
    T(mkdir("mm", 0777)); T(mknod("mn", S_IFIFO | 0666, 0));
    umask(022);
    close(dfd);
    mkdir("gone", 0755);
    if (chdir("gone") == 0) {
        T(rmdir("../gone")); T(mkdir("x", 0755)); F(open("y", O_WRONLY | O_CREAT, 0644)); T(symlink("a", "z"));
        T(chdir(".."));
    }
}

static void attributes(void) {
    int dfd = open("dir", O_RDONLY | O_DIRECTORY), afd = open("a.txt", O_RDONLY), wfd = open("w.txt", O_RDWR), pfd = open("a.txt", O_PATH);
    struct timespec ts[2] = {{1000, 5}, {2000, 7}}, omit[2] = {{0, UTIME_OMIT}, {3000, 9}}, bad[2] = {{0, 2000000000}, {0, 0}};
    struct timeval tv[2] = {{4000, 6}, {5000, 8}}, badv[2] = {{0, 1000000}, {0, 0}};
    struct utimbuf ub = {6000, 7000};
    T(chmod("a.txt", 0640)); T(chmod("link", 0600)); T(chmod("dir", 02755)); T(chmod("none", 0600)); T(chmod("ro.txt", 0666)); T(chmod("rootdir/", 0777));
    T(fchmod(afd, 0604)); T(fchmod(999, 0600)); T(fchmod(pfd, 0600)); T(fchmodat(dfd, "x", 0711, 0)); T(chmod("a.txt/", 0600));
    T(s(syscall(452, dfd, "x", 0701, 0))); T(s(syscall(452, AT_FDCWD, "link", 0701, AT_SYMLINK_NOFOLLOW)));
    T(s(syscall(452, pfd, "", 0644, AT_EMPTY_PATH))); T(s(syscall(452, afd, "", 0646, 0))); T(s(syscall(452, afd, "", 0646, 0x8)));
    T(chmod("foreign.txt", 02777)); T(chmod("/proc/self/fd/999", 0600));
    T(chown("a.txt", -1, -1)); T(chown("a.txt", 0, 0)); T(chown("a.txt", getuid(), getgid())); T(lchown("link", -1, getgid())); T(lchown("dangling", getuid(), -1)); T(chown("dangling", -1, -1));
    T(fchown(afd, -1, getgid())); T(fchown(pfd, -1, -1)); T(fchownat(dfd, "x", getuid(), -1, 0)); T(fchownat(afd, "", -1, getgid(), AT_EMPTY_PATH));
    T(fchownat(dfd, "none", -1, -1, 0)); T(fchownat(dfd, "x", -1, -1, 0x4000000)); T(chown("suid", -1, getgid())); T(chown("ro.txt", getuid(), -1)); T(chown("a.txt", -1, 65533));
    T(truncate("a.txt", 3)); T(truncate("a.txt", 100)); T(truncate("a.txt", -1)); T(truncate("dir", 0)); T(truncate("none", 0)); T(truncate("ro.txt", 0)); T(truncate("fifo", 0)); T(truncate("link", 7));
    T(ftruncate(wfd, 5)); T(ftruncate(afd, 5)); T(ftruncate(wfd, -3)); T(ftruncate(999, 1)); T(ftruncate(pfd, 1)); T(truncate("/proc/self/fd/999", 1));
    T(fallocate(wfd, 0, 0, 8192)); T(fallocate(wfd, FALLOC_FL_KEEP_SIZE, 0, 100)); T(fallocate(afd, 0, 0, 10)); T(fallocate(wfd, 0, -1, 10)); T(fallocate(wfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
    int pipes[2];
    T(pipe(pipes)); T(ftruncate(pipes[1], 0)); T(fallocate(pipes[1], 0, 0, 1)); T(fchmod(pipes[0], 0600));
    int mem = memfd_create("m", 0);
    T(ftruncate(mem, 4096));
    T(utime("b.txt", &ub)); mtime("b.txt", 1); T(s(syscall(SYS_utimes, "b.txt", tv))); mtime("b.txt", 1); T(s(syscall(SYS_utimes, "b.txt", badv)));
    T(s(syscall(SYS_futimesat, dfd, "x", tv))); mtime("dir/x", 1); T(s(syscall(SYS_futimesat, afd, 0, tv))); mtime("a.txt", 1);
    T(utimensat(dfd, "x", ts, 0)); mtime("dir/x", 1); T(utimensat(AT_FDCWD, "link", ts, AT_SYMLINK_NOFOLLOW)); mtime("link", 0); T(futimens(afd, omit)); mtime("a.txt", 1);
    T(utimensat(AT_FDCWD, "b.txt", bad, 0)); T(s(syscall(SYS_utimensat, AT_FDCWD, 0, ts, 0))); T(s(syscall(SYS_utimensat, afd, 0, ts, AT_SYMLINK_NOFOLLOW)));
    T(s(syscall(SYS_utimensat, pfd, 0, ts, 0))); T(utimensat(pfd, "", ts, AT_EMPTY_PATH)); mtime("a.txt", 1);
    T(utime("ro.txt", 0)); T(utime("ro.txt", &ub)); T(utime("shared.txt", 0)); T(utime("shared.txt", &ub)); T(s(syscall(SYS_utime, "b.txt", 5)));
    T(utimensat(AT_FDCWD, "none", 0, 0)); T(utimensat(AT_FDCWD, "b.txt", 0, 0x99));
}

static void refused(void) {
    struct io_uring_params p; memset(&p, 0, sizeof p);
    unsigned long how[3] = {O_RDONLY, 0, 0}; struct timex_ { char b[256]; } tx; memset(&tx, 0, sizeof tx);
    struct timespec now; clock_gettime(CLOCK_REALTIME, &now);
    T(syscall(SYS_io_uring_setup, 1, &p)); T(syscall(SYS_io_uring_enter, 0, 0, 0, 0, 0, 0)); T(syscall(SYS_io_uring_register, 0, 0, 0, 0));
    T(syscall(437, AT_FDCWD, "/", how, 24)); T(syscall(435, 0, 0)); T(syscall(SYS_ptrace, 0, 0, 0, 0)); T(syscall(SYS_process_vm_readv, getpid(), 0, 0, 0, 0, 0)); T(syscall(SYS_process_vm_writev, getpid(), 0, 0, 0, 0, 0));
    T(syscall(438, 0, 0, 0)); T(syscall(SYS_bpf, 0, 0, 0)); T(syscall(SYS_perf_event_open, 0, 0, 0, 0, 0)); T(syscall(SYS_userfaultfd, 0)); T(syscall(SYS_kexec_load, 0, 0, 0, 0)); T(syscall(SYS_kexec_file_load, 0, 0, 0, 0, 0));
    T(syscall(SYS_init_module, 0, 0, 0)); T(syscall(SYS_finit_module, 0, 0, 0)); T(syscall(SYS_delete_module, 0, 0)); T(syscall(SYS_mount, 0, 0, 0, 0, 0)); T(syscall(SYS_umount2, 0, 0)); T(syscall(SYS_pivot_root, 0, 0)); T(syscall(SYS_chroot, "/"));
    T(syscall(430, 0, 0)); T(syscall(431, 0, 0, 0, 0, 0)); T(syscall(432, 0, 0, 0)); T(syscall(433, 0, 0, 0)); T(syscall(428, 0, 0, 0)); T(syscall(429, 0, 0, 0, 0, 0)); T(syscall(442, 0, 0, 0, 0, 0)); T(syscall(467, 0, 0, 0, 0, 0));
    T(syscall(SYS_setns, 0, 0)); T(syscall(SYS_unshare, CLONE_NEWUSER)); T(syscall(SYS_unshare, CLONE_NEWNS | CLONE_FS)); T(syscall(SYS_unshare, 0x80)); T(syscall(SYS_unshare, CLONE_FS | CLONE_FILES));
    T(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)); T(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); T(syscall(SYS_keyctl, 0)); T(syscall(SYS_add_key, 0)); T(syscall(SYS_request_key, 0));
    T(syscall(SYS_open_by_handle_at, 0, 0, 0)); T(syscall(SYS_quotactl, 0, 0, 0, 0)); T(syscall(443, 0, 0, 0, 0)); T(syscall(SYS_swapon, 0, 0)); T(syscall(SYS_swapoff, 0)); T(syscall(SYS_reboot, 0, 0, 0, 0)); T(syscall(SYS_acct, 0));
    T(syscall(SYS_settimeofday, 0, 0)); T(syscall(SYS_clock_settime, CLOCK_REALTIME, &now)); T(syscall(SYS_clock_adjtime, 0, &tx)); T(syscall(SYS_adjtimex, &tx)); T(syscall(SYS_sethostname, "x", 1)); T(syscall(SYS_setdomainname, "x", 1));
    T(syscall(SYS_iopl, 0)); T(syscall(SYS_ioperm, 0, 0, 0)); T(syscall(SYS_lookup_dcookie, 0, 0, 0)); T(syscall(SYS_nfsservctl, 0, 0, 0)); T(syscall(SYS_vhangup)); T(syscall(SYS_syslog, 10, 0, 0)); T(syscall(SYS_fanotify_init, 0, 0)); T(syscall(SYS_fanotify_mark, 0, 0, 0, 0, 0));
    T(syscall(447, 0)); T(syscall(SYS_kcmp, 0, 0, 0, 0, 0)); T(syscall(SYS_modify_ldt, 0, 0, 0)); T(syscall(134, 0)); T(syscall(156, 0)); T(syscall(469, 0, 0, 0, 0, 0)); T(syscall(440, 0, 0, 0, 0, 0)); T(syscall(448, 0, 0));
    F(socket(AF_PACKET, SOCK_RAW, 0)); F(socket(AF_VSOCK, SOCK_STREAM, 0)); F(socket(AF_ALG, SOCK_SEQPACKET, 0)); F(socket(44, SOCK_RAW, 0)); F(socket(AF_NETLINK, SOCK_RAW, 9)); F(socket(AF_INET, SOCK_RAW, 1)); F(socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, 58)); F(socket(AF_INET, SOCK_PACKET, 0)); F(socket(AF_BLUETOOTH, SOCK_RAW, 0));
    int sp[2];
    T(socketpair(AF_TIPC, SOCK_STREAM, 0, sp));
    T(personality(0x0400000)); T(personality(READ_IMPLIES_EXEC)); T(syscall(SYS_seccomp, 1, 8, 0)); T(prctl(PR_SET_MM, PR_SET_MM_ARG_START, 0, 0, 0));
    char c = 'x'; int fd = open("a.txt", O_RDONLY), flags = 0;
    T(ioctl(0, TIOCSTI, &c)); T(ioctl(0, 0x541c, &c)); T(ioctl(0, TIOCSETD, &flags)); T(syscall(SYS_ioctl, 0, 0xdead00005412UL, &c)); T(ioctl(fd, FS_IOC_SETFLAGS, &flags)); T(ioctl(fd, 0x401c5820, &flags)); T(fcntl(fd, F_SETLEASE, F_RDLCK));
    T(setxattr("a.txt", "user.x", "y", 1, 0)); T(lsetxattr("a.txt", "user.x", "y", 1, 0)); T(fsetxattr(fd, "user.x", "y", 1, 0)); T(removexattr("a.txt", "user.x")); T(lremovexattr("a.txt", "user.x")); T(fremovexattr(fd, "user.x")); T(syscall(463, 0, 0, 0, 0, 0, 0)); T(syscall(466, 0, 0, 0, 0));
    T(mknod("dev", S_IFCHR | 0666, 0x103)); T(mknod("dev", S_IFBLK | 0666, 0x800)); T(mknodat(AT_FDCWD, "dev", S_IFCHR | 0666, 0x103));
    T(syscall(0x40000000 | 39)); T(syscall(0x40000000 | 257, AT_FDCWD, "a.txt", O_RDWR));
    printf("-- allowed\n");
    F(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); F(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0)); F(socket(AF_UNIX, SOCK_SEQPACKET, 0)); F(socket(AF_NETLINK, SOCK_RAW, 0)); T(socketpair(AF_UNIX, SOCK_STREAM, 0, sp));
    T(personality(0xffffffff)); T(personality(0)); T(personality(ADDR_NO_RANDOMIZE)); F(memfd_create("x", 0)); T(fcntl(fd, F_GETLEASE) >= 0 ? 0 : -1); T(ioctl(fd, FS_IOC_GETFLAGS, &flags)); T(prctl(PR_SET_NAME, "v"));
    T(mkfifo("rf", 0600)); fflush(stdout);
    pid_t kid = fork();
    if (kid == 0) { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory"); printf("i386 call came back\n"); fflush(stdout); _exit(7); }
    int st = 0; waitpid(kid, &st, 0);
    printf("i386 child: signal %d exit %d\n", WIFSIGNALED(st) ? WTERMSIG(st) : 0, WIFEXITED(st) ? WEXITSTATUS(st) : -1);
}

/* One thread flips the path's bytes while the other calls. */
static char shared[256]; static volatile int stop_flag; static const char *good, *secret;
static void *flip(void *x) { (void)x; size_t n = strlen(good) + 1; while (!stop_flag) { memcpy(shared, secret, n); sched_yield(); memcpy(shared, good, n); sched_yield(); } return 0; }
static void *spin(void *x) { (void)x; size_t n = strlen(good) + 1; while (!stop_flag) { memcpy(shared, secret, n); memcpy(shared, good, n); } return 0; }

static void race_open(int count) {
    pthread_t t; struct stat sst; stat(secret, &sst);
    memcpy(shared, good, strlen(good) + 1);
    pthread_create(&t, 0, spin, 0);
    long ok = 0, no = 0, leaks = 0;
    for (int i = 0; i < count; i++) {
        int fd = open(shared, O_RDWR);
        if (fd < 0) { no++; continue; }
        struct stat st; fstat(fd, &st); ok++;
        if (st.st_ino == sst.st_ino) leaks++;
        close(fd);
    }
    stop_flag = 1; pthread_join(t, 0);
    printf("opened %ld refused %ld secrets %ld\n", ok, no, leaks);
}
static void race_unlink(int count) {
    pthread_t t; memcpy(shared, good, strlen(good) + 1);
    pthread_create(&t, 0, flip, 0);
    long ok = 0, no = 0, lost = 0;
    for (int i = 0; i < count; i++) {
        close(open(good, O_WRONLY | O_CREAT, 0644));
        if (unlink(shared) == 0) ok++; else no++;
        if (access(secret, F_OK)) lost++;
    }
    stop_flag = 1; pthread_join(t, 0);
    printf("unlinked %ld refused %ld secrets lost %ld\n", ok, no, lost);
}
static int cmp(const void *a, const void *b) { long d = *(const long *)a - *(const long *)b; return d < 0 ? -1 : d > 0; }
static void speed(int count) {
    long *ns = calloc(count, sizeof *ns);
    for (int i = 0; i < count; i++) {
        struct timespec a, b; clock_gettime(CLOCK_MONOTONIC, &a);
        int fd = open(good, O_RDWR); clock_gettime(CLOCK_MONOTONIC, &b);
        if (fd < 0) { perror("open"); return; }
        close(fd);
        ns[i] = (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec;
    }
    qsort(ns, count, sizeof *ns, cmp);
    printf("median %ld p90 %ld\n", ns[count / 2], ns[count * 9 / 10]);
}
static void *writer(void *x) { (void)x; int fd = open("fifo", O_WRONLY); printf("writer %s\n", fd >= 0 ? "open" : strerrorname_np(errno)); fflush(stdout); if (fd >= 0) { dprintf(fd, "through"); close(fd); } return 0; }
static void fifo(void) {
    pthread_t t; pthread_create(&t, 0, writer, 0);
    int fd = open("fifo", O_RDONLY); char buf[16] = {0};
    long n = read(fd, buf, 15);
    printf("read %ld %s flags %o\n", n, buf, fcntl(fd, F_GETFL) & O_NONBLOCK);
    pthread_join(t, 0);
    close(fd); errno = 0; fd = open("fifo", O_WRONLY);
    printf("alone %d %s\n", fd, strerrorname_np(errno));
}
static int connect_to(int family, int type, const void *a, socklen_t n) { int fd = socket(family, type, 0); int r = connect(fd, a, n); int e = errno; close(fd); errno = e; return r; }
static void connects(int port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(0x7f000001)}}, shut = in;
    shut.sin_port = htons(1);
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "served"}, none = {.sun_family = AF_UNIX, .sun_path = "none"}, rel = {.sun_family = AF_UNIX, .sun_path = "dir/../servedlink"}, plain = {.sun_family = AF_UNIX, .sun_path = "a.txt"};
    T(connect_to(AF_INET, SOCK_STREAM, &in, sizeof in)); T(connect_to(AF_INET, SOCK_STREAM, &shut, sizeof shut)); T(connect_to(AF_INET, SOCK_DGRAM, &shut, sizeof shut)); T(connect_to(AF_INET, SOCK_STREAM, &in, 5)); T(connect_to(AF_INET, SOCK_STREAM, (void *)16, sizeof in)); T(connect_to(AF_INET, SOCK_STREAM, &in, -1)); T(connect_to(AF_INET, SOCK_STREAM, &in, 500));
    T(connect_to(AF_UNIX, SOCK_STREAM, &un, sizeof un)); T(connect_to(AF_UNIX, SOCK_STREAM, &none, sizeof none)); T(connect_to(AF_UNIX, SOCK_STREAM, &rel, sizeof rel)); T(connect_to(AF_UNIX, SOCK_DGRAM, &un, sizeof un)); T(connect_to(AF_UNIX, SOCK_STREAM, &plain, sizeof plain));
    struct sockaddr_un abs = {.sun_family = AF_UNIX}; memcpy(abs.sun_path, "\0nobody-here", 12);
    T(connect_to(AF_UNIX, SOCK_STREAM, &abs, 2 + 12)); T(connect(999, (void *)&in, sizeof in)); T(connect(1, (void *)&in, sizeof in));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); errno = 0; int r = connect(fd, (void *)&in, sizeof in);
    printf("nonblocking %s flags %o\n", r == 0 ? "ok" : strerrorname_np(errno), fcntl(fd, F_GETFL) & O_NONBLOCK);
    fd = socket(AF_UNIX, SOCK_STREAM, 0); T(connect(fd, (void *)&un, sizeof un)); struct ucred c; socklen_t l = sizeof c; char b[64] = {0};
    (void)c; (void)l; long n = read(fd, b, 63); printf("peer saw %.*s\n", (int)n, b); printf("blocking still %o\n", fcntl(fd, F_GETFL) & O_NONBLOCK);
}
static void tricks(void) {
    /* each opens the same file by another road */
    int dfd = open("dir", O_RDONLY | O_DIRECTORY), afd = open("a.txt", O_RDONLY); char p[128];
    F(open("a.txt", O_WRONLY)); F(open("link", O_WRONLY)); F(open("abs", O_WRONLY)); F(open("dir/../a.txt", O_WRONLY)); F(open("dirlink/../a.txt", O_WRONLY)); F(openat(dfd, "../link", O_WRONLY));
    snprintf(p, sizeof p, "/proc/self/fd/%d", afd); F(open(p, O_WRONLY)); snprintf(p, sizeof p, "/dev/fd/%d", afd); F(open(p, O_WRONLY)); snprintf(p, sizeof p, "/proc/%d/fd/%d", getpid(), afd); F(open(p, O_WRONLY));
    snprintf(p, sizeof p, "/proc/self/fd/%d/../link", dfd); F(open(p, O_WRONLY)); F(open("/proc/self/cwd/link", O_WRONLY)); F(open("/proc/thread-self/cwd/a.txt", O_WRONLY)); F(open("proclink/cwd/a.txt", O_WRONLY));
    dup2(afd, 0); F(open("/dev/stdin", O_WRONLY)); snprintf(p, sizeof p, "/proc/self/task/%d/cwd/./a.txt", getpid()); F(open(p, O_RDWR));
    char *cwd = getcwd(0, 0); snprintf(p, sizeof p, "/proc/self/root%s/a.txt", cwd); F(open(p, O_WRONLY));
}
int main(int argc, char **argv) {
    memset(big, 'a', sizeof big - 1); memset(name256, 'n', 256);
    const char *mode = argc > 1 ? argv[1] : ""; int n = argc > 2 ? atoi(argv[2]) : 0;
    good = argc > 3 ? argv[3] : ""; secret = argc > 4 ? argv[4] : "";
    umask(022);
    if (!strcmp(mode, "opens")) opens();
    else if (!strcmp(mode, "names")) names();
    else if (!strcmp(mode, "attributes")) attributes();
    else if (!strcmp(mode, "refused")) refused();
    else if (!strcmp(mode, "race-open")) race_open(n);
    else if (!strcmp(mode, "race-unlink")) race_unlink(n);
    else if (!strcmp(mode, "speed")) speed(n);
    else if (!strcmp(mode, "fifo")) fifo();
    else if (!strcmp(mode, "connects")) connects(n);
    else if (!strcmp(mode, "tricks")) tricks();
    else if (!strcmp(mode, "wait")) { T(mkdir("waited", 0755)); }
    else if (!strcmp(mode, "many")) { for (int i = 0; i < n; i++) open("/dev/null", O_WRONLY); F(open("/dev/null", O_WRONLY)); }
    else if (!strcmp(mode, "signals")) {
        struct sigaction sa = {.sa_handler = (void (*)(int))(void *)getpid, .sa_flags = *good == 'r' ? SA_RESTART : 0}; sigaction(SIGALRM, &sa, 0);
        struct itimerval it = {{0, 200}, {0, 200}}; setitimer(ITIMER_REAL, &it, 0);
        int bad = 0, interrupted = 0; char d[32];
        for (int i = 0; i < n; i++) {
            snprintf(d, sizeof d, "d%d", i);
            while (mkdir(d, 0755)) { if (errno == EINTR) interrupted++; else { bad++; break; } }
            while (rmdir(d)) { if (errno == EINTR) interrupted++; else { bad++; break; } }
        }
        printf("bad %d\ninterrupted %d\n", bad, interrupted);
    } else if (!strcmp(mode, "exec")) { char *a[] = {"zero", "one", "two words", 0}; execv(good, a); perror("exec"); }
    else if (!strcmp(mode, "cmdline")) { char b[4096]; int fd = open("/proc/self/cmdline", O_RDONLY); long k = read(fd, b, sizeof b); for (long i = 0; i < k; i++) printf("%02x", (unsigned char)b[i]); printf("\n"); }
    return 0;
}
