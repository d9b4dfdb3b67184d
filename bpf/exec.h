/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * Processes: fork, exec, exit, and which exec was approved.
 *
 * An approval is given to a thread before its execve goes on, by what was read from its memory. Other
 * threads can change that memory afterwards. So the check is repeated here, on what the kernel copied:
 * the new memory belongs to nobody else yet, and none of the new program has run.
 */
#ifndef PATHWARDEN_EXEC_H
#define PATHWARDEN_EXEC_H

#define SIGNAL_KILL 9
#define CHUNKS_MAX (TAIL_BYTES_MAX / CHUNK_BYTES)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct approval);
} approvals SEC(".maps");

/*
 * SipHash-2-4 with words of eight bytes, the last one filled up with zeros, then the length as one more
 * word. Keyed, because whoever changes the arguments would otherwise choose them to collide.
 */
struct hashing {
	__u64 v[4];
	__u64 from;
	__u32 left;
	__u32 failed;
};

static __always_inline __u64 rotl(__u64 word, int by)
{
	return word << by | word >> (64 - by);
}

static __always_inline void sip_round(__u64 *v)
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static __always_inline void sip_word(__u64 *v, __u64 word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static long hash_chunk(__u32 index, struct hashing *state)
{
	struct scratch *work = room();
	__u32 size = state->left;
	__u64 v[4];
	__u32 at;

	if (!work) {
		state->failed = 1;
		return 1;
	}
	if (!size)
		return 1;
	if (size > CHUNK_BYTES)
		size = CHUNK_BYTES;
	if (bpf_probe_read_user(work->chunk, size, (void *)state->from)) {
		state->failed = 1;
		return 1;
	}
	v[0] = state->v[0];
	v[1] = state->v[1];
	v[2] = state->v[2];
	v[3] = state->v[3];
	for (at = 0; at < CHUNK_BYTES / 8; at++) {
		__u64 word = work->chunk[at];
		__u32 rest;

		if (at * 8 >= size)
			break;
		rest = size - at * 8;
		if (rest < 8)
			word &= (1ull << rest * 8) - 1;
		sip_word(v, word);
	}
	state->v[0] = v[0];
	state->v[1] = v[1];
	state->v[2] = v[2];
	state->v[3] = v[3];
	state->from += size;
	state->left -= size;
	return 0;
}

/* The fault, or 0 when these bytes of the current memory hash to what was approved. */
static __always_inline __u32 compare_hash(__u64 from, __u32 len, __u64 wanted)
{
	struct hashing state = {
		.v = {
			identity.key[0] ^ 0x736f6d6570736575ull,
			identity.key[1] ^ 0x646f72616e646f6dull,
			identity.key[0] ^ 0x6c7967656e657261ull,
			identity.key[1] ^ 0x7465646279746573ull,
		},
		.from = from,
		.left = len,
	};

	bpf_loop(CHUNKS_MAX, hash_chunk, &state, 0);
	if (state.failed || state.left)
		return EXEC_UNREADABLE;
	sip_word(state.v, len);
	state.v[2] ^= 0xff;
	sip_round(state.v);
	sip_round(state.v);
	sip_round(state.v);
	sip_round(state.v);
	if ((state.v[0] ^ state.v[1] ^ state.v[2] ^ state.v[3]) != wanted)
		return EXEC_OTHER_ARGV;
	return 0;
}

/*
 * Whether a file is what it was when it was approved. Nobody can write to it from here on, and nobody but
 * the kernel sets this time. Bit 31 says that somebody has looked at it.
 */
static __always_inline int is_unchanged(const struct approval *given, struct inode *inode)
{
	return !given->changed_sec ||
	       (BPF_CORE_READ(inode, i_ctime_sec) == given->changed_sec &&
		(BPF_CORE_READ(inode, i_ctime_nsec) & 0x7fffffff) == given->changed_nsec);
}

/* The fault, or 0 when the thread that was `tid` has been allowed exactly this. */
static __always_inline __u32 judge_exec(__u32 tid, struct inode *inode, __u64 start, __u64 end)
{
	struct approval *given = bpf_map_lookup_elem(&approvals, &tid);
	__u64 total = end - start;

	if (!given)
		return EXEC_UNAPPROVED;
	if (given->ino != BPF_CORE_READ(inode, i_ino))
		return EXEC_OTHER_INODE;
	if (given->dev && given->dev != BPF_CORE_READ(inode, i_sb, s_dev))
		return EXEC_OTHER_DEVICE;
	if (!is_unchanged(given, inode))
		return EXEC_OTHER_CONTENT;
	if (given->tail_len > total || (given->whole && given->tail_len != total))
		return EXEC_OTHER_EXTENT;
	if (given->tail_len > TAIL_BYTES_MAX)
		return EXEC_TOO_LONG;
	return compare_hash(end - given->tail_len, given->tail_len, given->hash);
}

static __always_inline void emit_exec(struct task_struct *task, struct scratch *out,
				      struct file *file, __u64 start, __u64 total)
{
	struct exec_event *event = &out->exec;
	struct walked way = {};
	__u32 len = total > ARGV_BYTES_MAX ? ARGV_BYTES_MAX : total;
	__u64 size;

	event->parent = BPF_CORE_READ(task, real_parent, tgid);
	event->argv_total = total;
	event->reserved = 0;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	walk(file, &way);
	event->origin = way.origin;
	event->path_len = way.len & (PATH_ROOM - 1);
	if (bpf_probe_read_user(&out->bytes[event->path_len & (PATH_ROOM - 1)], len, (void *)start))
		len = 0;
	event->argv_len = len;
	size = offsetof(struct scratch, bytes) + (event->path_len & (PATH_ROOM - 1)) + len;
	emit(out, size);
}

SEC("raw_tp/sched_process_fork")
int on_fork(struct bpf_raw_tracepoint_args *context)
{
	struct task_struct *child = (void *)context->args[1];
	struct fork_event event = {};

	if (!in_session())
		return 0;
	fill_head(&event.head, KIND_FORK);
	event.child_pid = BPF_CORE_READ(child, tgid);
	event.child_tid = BPF_CORE_READ(child, pid);
	emit(&event, sizeof(event));
	return 0;
}

SEC("raw_tp/sched_process_exec")
int on_exec(struct bpf_raw_tracepoint_args *context)
{
	struct task_struct *task = (void *)context->args[0];
	__u32 old_tid = context->args[1];
	struct linux_binprm *program = (void *)context->args[2];
	struct config *set;
	struct scratch *out;
	struct inode *inode;
	struct file *file;
	__u64 start, end;
	__u32 fault = 0;

	if (!in_session())
		return 0;
	file = BPF_CORE_READ(program, file);
	inode = BPF_CORE_READ(file, f_inode);
	start = BPF_CORE_READ(task, mm, arg_start);
	end = BPF_CORE_READ(task, mm, arg_end);
	set = settings();
	if (!set || set->enforce_exec)
		fault = judge_exec(old_tid, inode, start, end);
	if (fault && bpf_send_signal(SIGNAL_KILL))
		bpf_send_signal_thread(SIGNAL_KILL);
	bpf_map_delete_elem(&approvals, &old_tid);
	out = room();
	if (!out) {
		count_lost();
		return 0;
	}
	fill_head(&out->head, fault ? KIND_EXEC_REFUSED : KIND_EXEC);
	out->exec.ino = BPF_CORE_READ(inode, i_ino);
	out->exec.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	out->exec.old_tid = old_tid;
	out->exec.fault = fault;
	emit_exec(task, out, file, start, end - start);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int on_exit(struct bpf_raw_tracepoint_args *context)
{
	struct task_struct *task = (void *)context->args[0];
	struct exit_event event = {};
	__u32 tid;

	if (!in_session())
		return 0;
	fill_head(&event.head, KIND_EXIT);
	event.code = BPF_CORE_READ(task, exit_code);
	event.last = BPF_CORE_READ(task, signal, live.counter) == 0;
	tid = event.head.tid;
	/* The next thread of this number starts with nothing. */
	bpf_map_delete_elem(&approvals, &tid);
	emit(&event, sizeof(event));
	return 0;
}

#endif
