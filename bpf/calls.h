/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* Which system calls are looked at when they return, and where their arguments stand. x86-64. */
#ifndef PATHWARDEN_CALLS_H
#define PATHWARDEN_CALLS_H

#define CALLS 512
/* Of thread_info.status: the call came by the gate of 32-bit programs, with its numbers. */
#define STATUS_COMPAT 0x2

enum shape {
	SHAPE_NONE = 0,
	SHAPE_OPEN,      /* path, flags */
	SHAPE_CREAT,     /* path */
	SHAPE_OPENAT,    /* base, path, flags */
	SHAPE_OPENAT2,   /* base, path, flags in memory */
	SHAPE_HANDLE,    /* mount, handle, flags */
	SHAPE_PATH,      /* path */
	SHAPE_TWO,       /* path, path */
	SHAPE_AT,        /* base, path */
	SHAPE_TWO_AT,    /* base, path, base, path */
	SHAPE_TARGET_AT, /* text, base, path */
	SHAPE_FD,        /* descriptor */
	SHAPE_CONNECT,   /* descriptor */
};

const __u8 shapes[CALLS] = {
	[2] = SHAPE_OPEN,        /* open */
	[42] = SHAPE_CONNECT,    /* connect */
	[76] = SHAPE_PATH,       /* truncate */
	[77] = SHAPE_FD,         /* ftruncate */
	[82] = SHAPE_TWO,        /* rename */
	[83] = SHAPE_PATH,       /* mkdir */
	[84] = SHAPE_PATH,       /* rmdir */
	[85] = SHAPE_CREAT,      /* creat */
	[86] = SHAPE_TWO,        /* link */
	[87] = SHAPE_PATH,       /* unlink */
	[88] = SHAPE_TWO,        /* symlink */
	[90] = SHAPE_PATH,       /* chmod */
	[91] = SHAPE_FD,         /* fchmod */
	[92] = SHAPE_PATH,       /* chown */
	[93] = SHAPE_FD,         /* fchown */
	[94] = SHAPE_PATH,       /* lchown */
	[133] = SHAPE_PATH,      /* mknod */
	[257] = SHAPE_OPENAT,    /* openat */
	[258] = SHAPE_AT,        /* mkdirat */
	[259] = SHAPE_AT,        /* mknodat */
	[260] = SHAPE_AT,        /* fchownat */
	[263] = SHAPE_AT,        /* unlinkat */
	[264] = SHAPE_TWO_AT,    /* renameat */
	[265] = SHAPE_TWO_AT,    /* linkat */
	[266] = SHAPE_TARGET_AT, /* symlinkat */
	[268] = SHAPE_AT,        /* fchmodat */
	[304] = SHAPE_HANDLE,    /* open_by_handle_at */
	[316] = SHAPE_TWO_AT,    /* renameat2 */
	[437] = SHAPE_OPENAT2,   /* openat2 */
	[452] = SHAPE_AT,        /* fchmodat2 */
};

/* The number that a 64-bit program would have used. */
const __u16 from_compat[CALLS] = {
	[5] = 2, [8] = 85, [9] = 86, [10] = 87, [14] = 133, [15] = 90, [16] = 94, [38] = 82,
	[39] = 83, [40] = 84, [83] = 88, [92] = 76, [93] = 77, [94] = 91, [95] = 93, [182] = 92,
	[193] = 76, [194] = 77, [198] = 94, [207] = 93, [212] = 92, [295] = 257, [296] = 258,
	[297] = 259, [298] = 260, [301] = 263, [302] = 264, [303] = 265, [304] = 266, [306] = 268,
	[342] = 304, [353] = 316, [362] = 42, [437] = 437, [452] = 452,
};

struct call {
	__u32 nr;
	__u32 shape;
	__u64 args[4];
	__s64 ret;
};

/* Whether it is a call that is looked at; then all that is known of it. */
static __always_inline int read_call(struct task_struct *task, struct pt_regs *regs, struct call *call)
{
	int compat = BPF_CORE_READ(task, thread_info.status) & STATUS_COMPAT;
	__u32 nr = BPF_CORE_READ(regs, orig_ax);

	if (nr >= CALLS)
		return 0;
	if (compat)
		nr = from_compat[nr];
	if (nr >= CALLS)
		return 0;
	call->nr = nr;
	call->shape = shapes[nr];
	if (call->shape == SHAPE_NONE)
		return 0;
	if (compat) {
		call->args[0] = (__u32)BPF_CORE_READ(regs, bx);
		call->args[1] = (__u32)BPF_CORE_READ(regs, cx);
		call->args[2] = (__u32)BPF_CORE_READ(regs, dx);
		call->args[3] = (__u32)BPF_CORE_READ(regs, si);
	} else {
		call->args[0] = BPF_CORE_READ(regs, di);
		call->args[1] = BPF_CORE_READ(regs, si);
		call->args[2] = BPF_CORE_READ(regs, dx);
		call->args[3] = BPF_CORE_READ(regs, r10);
	}
	return 1;
}

#endif
