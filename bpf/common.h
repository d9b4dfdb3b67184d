/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* The maps, who belongs to the session, and how an event leaves the kernel. */
#ifndef PATHWARDEN_COMMON_H
#define PATHWARDEN_COMMON_H

/* A path is read in pieces of at most 255 bytes, so the last one may begin just below the limit. */
#define PATH_ROOM 8192
/* Bytes of arguments that are hashed at once. */
#define CHUNK_BYTES 1024

const volatile struct identity identity SEC(".rodata.identity") = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

/*
 * Where a raw tracepoint puts an event together: too large for the stack. These programs run with
 * preemption off and from no interrupt, so one place per processor is enough. Programs of the cgroup can
 * be preempted and must not use it.
 */
struct scratch {
	union {
		struct head head;
		struct exec_event exec;
		struct open_event open;
		struct mutation_event mutation;
	};
	__u8 bytes[2 * PATH_ROOM];
	__u64 chunk[CHUNK_BYTES / 8];
};

_Static_assert(__builtin_offsetof(struct scratch, bytes) == BYTES_AT, "as wire.h says");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline struct scratch *room(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

static __always_inline struct config *settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline int in_session(void)
{
	return bpf_get_current_ancestor_cgroup_id(identity.level) == identity.session;
}

static __always_inline void count_lost(void)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&lost, &zero);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline void fill_head(struct head *head, __u32 kind)
{
	__u64 ids = bpf_get_current_pid_tgid();

	head->at_ns = bpf_ktime_get_boot_ns();
	head->cgroup = bpf_get_current_cgroup_id();
	head->kind = kind;
	head->pid = ids >> 32;
	head->tid = (__u32)ids;
	head->reserved = 0;
}

/* Nobody is woken: a wake-up per event costs more than the event. User space looks every few ms. */
static __always_inline void emit(void *event, __u64 size)
{
	if (bpf_ringbuf_output(&events, event, size, BPF_RB_NO_WAKEUP))
		count_lost();
}

#endif
