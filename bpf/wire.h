/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * What passes between the programs and user space. The other side is crates/kernel-bpf: layouts, numbers
 * and limits here are said again there, in decode.rs and wire.rs; a size that differs fails its tests.
 */
#ifndef PATHWARDEN_WIRE_H
#define PATHWARDEN_WIRE_H

/* Bytes of a path that are kept. */
#define PATH_BYTES_MAX 4096
/* Where paths and arguments begin in the events that have any. */
#define BYTES_AT 96
/* Bytes of a program's arguments that an event carries. */
#define ARGV_BYTES_MAX 1024
/* Bytes of arguments that an approval can cover; more is refused. */
#define TAIL_BYTES_MAX (128 * 1024)

enum kind {
	KIND_FORK = 1,
	KIND_EXEC = 2,
	KIND_EXEC_REFUSED = 3,
	KIND_EXIT = 4,
	KIND_OPEN = 5,
	KIND_MUTATION = 6,
	KIND_CONNECT = 7,
	KIND_CONNECTED = 8,
};

/* Where a path comes from. */
enum origin {
	ORIGIN_NONE = 0,     /* no path: unreadable, or none was named */
	ORIGIN_WALKED = 1,   /* the kernel's own, from the root of the mount namespace */
	ORIGIN_TAIL = 2,     /* the same, but only its last components: too deep or too long */
	ORIGIN_DETACHED = 3, /* the same, of something that no path leads to from that root */
	ORIGIN_NAMED = 4,    /* what stood in the caller's memory after the call */
	ORIGIN_ABSENT = 5,   /* the call takes no second path */
};

/* Why a program may not start. */
enum exec_fault {
	EXEC_UNAPPROVED = 1,
	EXEC_OTHER_INODE = 2,
	EXEC_OTHER_DEVICE = 3,
	EXEC_OTHER_EXTENT = 4,
	EXEC_TOO_LONG = 5,
	EXEC_UNREADABLE = 6,
	EXEC_OTHER_ARGV = 7,
	EXEC_OTHER_CONTENT = 8,
};

enum egress {
	EGRESS_OPEN = 0,
	EGRESS_DECIDED = 1,
	EGRESS_NONE = 2,
};

enum verdict {
	VERDICT_ALLOWED = 0,
	VERDICT_NO_EGRESS = 1,
	VERDICT_CUT = 2,
	VERDICT_UNKNOWN = 3,
	VERDICT_LAPSED = 4,
	VERDICT_DENIED = 5,
	VERDICT_PROTOCOL = 6,
};

/* What user space sets before the programs are loaded. */
struct identity {
	__u64 session;
	__u64 key[2];
	__u32 level;
	__u32 reserved;
};

/* What user space sets while they run. */
struct config {
	__u32 egress;
	__u32 epoch;
	__u32 enforce_exec;
	__u32 reserved;
};

struct approval {
	__u64 ino;
	__u64 hash;
	__u32 dev; /* 0: any */
	__u32 tail_len;
	__u32 whole;
	__u32 changed_nsec;
	__s64 changed_sec; /* 0: whenever */
};

struct destination {
	__u32 addr[4]; /* network order; IPv4 as ::ffff:a.b.c.d */
	__u16 port;    /* host order */
	__u8 protocol;
	__u8 reserved;
};

struct judgement {
	__u32 epoch;
	__u32 allow;
};

/* Of the session's own processes, or of one tool, and the other end. */
struct flow {
	__u64 cgroup;
	struct destination remote;
	__u32 reserved;
};

struct volume {
	__u64 bytes_out;
	__u64 bytes_in;
	__u64 packets;
};

struct head {
	__u64 at_ns;
	__u64 cgroup;
	__u32 kind;
	__u32 pid;
	__u32 tid;
	__u32 reserved;
};

struct fork_event {
	struct head head;
	__u32 child_pid;
	__u32 child_tid;
};

struct exit_event {
	struct head head;
	__s32 code;
	__u32 last;
};

struct exec_event {
	struct head head;
	__u64 ino;
	__u64 argv_total;
	__u32 dev;
	__u32 old_tid;
	__u32 parent;
	__u32 fault;
	char comm[16];
	__u32 origin;
	__u32 path_len;
	__u32 argv_len;
	__u32 reserved;
	/* path, argv */
};

struct open_event {
	struct head head;
	__u64 ino;
	__s64 ret;
	__u32 dev;
	__u32 mode;
	__u32 nr;
	__u32 flags;
	__u32 flags_known;
	__u32 file_mode;
	__u32 origin;
	__u32 path_len;
	/* path */
};

struct mutation_event {
	struct head head;
	__s64 ret;
	__u32 nr;
	__s32 base[2];
	__u32 origin[2];
	__u32 path_len[2];
	__u32 reserved;
	/* path, path */
};

struct connect_event {
	struct head head;
	struct destination to;
	__u32 verdict;
};

struct connected_event {
	struct head head;
	__s64 ret;
	__s32 fd;
	__u32 reserved;
};

#endif
