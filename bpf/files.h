/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * Files: what was opened and changed, seen when the call returns. On the way in, a path can stand in a
 * page that is not in memory, where a program of the kernel cannot read it; on the way out an open file
 * tells its own path.
 */
#ifndef PATHWARDEN_FILES_H
#define PATHWARDEN_FILES_H

#define ERROR_PERM (-1)
#define ERROR_ACCESS (-13)
#define ERROR_READ_ONLY (-30)
/* O_CREAT | O_WRONLY | O_TRUNC */
#define CREAT_FLAGS 01101

static __always_inline void put_path(struct scratch *out, struct open_event *event,
				     struct file *file)
{
	struct walked way = {};

	event->ino = BPF_CORE_READ(file, f_inode, i_ino);
	event->dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	event->mode = BPF_CORE_READ(file, f_inode, i_mode);
	event->file_mode = BPF_CORE_READ(file, f_mode);
	walk(file, &way);
	event->origin = way.origin;
	event->path_len = way.len;
}

static __always_inline void on_open(struct task_struct *task, struct scratch *out,
				    struct call *call)
{
	struct open_event *event = &out->open;
	int at = call->shape == SHAPE_OPENAT || call->shape == SHAPE_OPENAT2;
	struct file *file = 0;

	if (call->ret < 0 && call->ret != ERROR_PERM && call->ret != ERROR_ACCESS &&
	    call->ret != ERROR_READ_ONLY)
		return;
	fill_head(&event->head, KIND_OPEN);
	event->ret = call->ret;
	event->nr = call->nr;
	event->ino = 0;
	event->dev = 0;
	event->mode = 0;
	event->file_mode = 0;
	event->path_len = 0;
	event->origin = ORIGIN_NONE;
	event->flags_known = call->shape != SHAPE_OPENAT2;
	event->flags = 0;
	if (call->shape == SHAPE_OPEN)
		event->flags = call->args[1];
	else if (call->shape == SHAPE_CREAT)
		event->flags = CREAT_FLAGS;
	else if (call->shape == SHAPE_OPENAT || call->shape == SHAPE_HANDLE)
		event->flags = call->args[2];
	if (call->ret >= 0)
		file = file_of(task, call->ret);
	if (file) {
		put_path(out, event, file);
	} else if (call->shape != SHAPE_HANDLE) {
		event->path_len = put_named(out, 0, at ? call->args[1] : call->args[0]);
		event->origin = event->path_len ? ORIGIN_NAMED : ORIGIN_NONE;
	}
	emit(out, offsetof(struct scratch, bytes) + (event->path_len & (PATH_ROOM - 1)));
}

/* The descriptor is still open, as a rule: its path is the kernel's own. */
static __always_inline void put_descriptor(struct task_struct *task, struct scratch *out,
					   struct mutation_event *event, int fd)
{
	struct file *file = file_of(task, fd);
	struct walked way = {};

	event->base[0] = fd;
	if (!file)
		return;
	walk(file, &way);
	event->path_len[0] = way.len;
	event->origin[0] = way.origin;
}

static __always_inline void put_names(struct scratch *out, struct mutation_event *event,
				      __u64 first, __u64 second, int two)
{
	event->path_len[0] = put_named(out, 0, first);
	event->origin[0] = event->path_len[0] ? ORIGIN_NAMED : ORIGIN_NONE;
	if (!two)
		return;
	event->path_len[1] = put_named(out, event->path_len[0], second);
	event->origin[1] = event->path_len[1] ? ORIGIN_NAMED : ORIGIN_NONE;
}

static __always_inline void on_mutation(struct task_struct *task, struct scratch *out,
					struct call *call)
{
	struct mutation_event *event = &out->mutation;
	__u64 *args = call->args;
	__u64 first = args[0], second = 0;
	int two = call->shape == SHAPE_TWO || call->shape == SHAPE_TWO_AT ||
		  call->shape == SHAPE_TARGET_AT;

	fill_head(&event->head, KIND_MUTATION);
	event->ret = call->ret;
	event->nr = call->nr;
	event->base[0] = -100; /* AT_FDCWD */
	event->base[1] = -100;
	event->path_len[0] = 0;
	event->path_len[1] = 0;
	event->origin[0] = ORIGIN_NONE;
	event->origin[1] = two ? ORIGIN_NONE : ORIGIN_ABSENT;
	event->reserved = 0;
	if (call->shape == SHAPE_TWO) {
		second = args[1];
	} else if (call->shape == SHAPE_AT) {
		event->base[0] = args[0];
		first = args[1];
	} else if (call->shape == SHAPE_TWO_AT) {
		event->base[0] = args[0];
		first = args[1];
		event->base[1] = args[2];
		second = args[3];
	} else if (call->shape == SHAPE_TARGET_AT) {
		event->base[1] = args[1];
		second = args[2];
	}
	if (call->shape == SHAPE_FD)
		put_descriptor(task, out, event, args[0]);
	else
		put_names(out, event, first, second, two);
	emit(out, offsetof(struct scratch, bytes) +
			  ((event->path_len[0] + event->path_len[1]) & (2 * PATH_ROOM - 1)));
}

static __always_inline void on_connected(struct call *call)
{
	struct connected_event event = {};

	fill_head(&event.head, KIND_CONNECTED);
	event.ret = call->ret;
	event.fd = call->args[0];
	emit(&event, sizeof(event));
}

SEC("raw_tp/sys_exit")
int on_sys_exit(struct bpf_raw_tracepoint_args *context)
{
	struct task_struct *task;
	struct scratch *out;
	struct call call = {};

	if (!in_session())
		return 0;
	task = (void *)bpf_get_current_task();
	if (!read_call(task, (void *)context->args[0], &call))
		return 0;
	call.ret = context->args[1];
	if (call.shape == SHAPE_CONNECT) {
		on_connected(&call);
		return 0;
	}
	out = room();
	if (!out) {
		count_lost();
		return 0;
	}
	if (call.shape <= SHAPE_HANDLE)
		on_open(task, out, &call);
	else
		on_mutation(task, out, &call);
	return 0;
}

#endif
