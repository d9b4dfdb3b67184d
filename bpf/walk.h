/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* From an open file to the kernel's own path of it, whatever the caller's memory says. */
#ifndef PATHWARDEN_WALK_H
#define PATHWARDEN_WALK_H

/* Steps towards the root, mounts crossed included. */
#define STEPS_MAX 48
#define NAME_BYTES_MAX 255
/* Pointers from here on are error codes: the mount namespace of what the kernel mounts for itself. */
#define FIRST_ERROR_POINTER ((unsigned long)-4095)

struct walked {
	__u32 len;
	__u32 origin;
};

/* One name and a slash behind what is there already; the length afterwards. */
static __always_inline __u32 put_name(struct scratch *to, __u32 len, struct dentry *dentry)
{
	__u64 hash_len = BPF_CORE_READ(dentry, d_name.hash_len);
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	__u32 name_len = hash_len >> 32;

	if (name_len > NAME_BYTES_MAX)
		name_len = NAME_BYTES_MAX;
	len &= PATH_BYTES_MAX - 1;
	if (bpf_probe_read_kernel(&to->bytes[len], name_len, name))
		return len;
	to->bytes[len + name_len] = '/';
	return len + name_len + 1;
}

static __always_inline __u32 end_of_walk(struct mount *mount)
{
	unsigned long space = (unsigned long)BPF_CORE_READ(mount, mnt_ns);

	return !space || space >= FIRST_ERROR_POINTER ? ORIGIN_DETACHED : ORIGIN_WALKED;
}

struct walking {
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *top;
	struct walked so_far;
};

/* Over the edge of a mount; 1 when there is nothing above. */
static __always_inline long cross_mount(struct walking *state)
{
	struct mount *mount = state->mount;
	struct mount *above = BPF_CORE_READ(mount, mnt_parent);

	if (above == mount || !above) {
		state->so_far.origin = end_of_walk(mount);
		return 1;
	}
	state->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
	state->mount = above;
	state->top = BPF_CORE_READ(above, mnt.mnt_root);
	return 0;
}

static long step(__u32 index, struct walking *state)
{
	struct scratch *to = room();
	struct dentry *dentry = state->dentry;
	struct dentry *above;

	if (dentry == state->top)
		return cross_mount(state);
	if (!to || state->so_far.len >= PATH_BYTES_MAX)
		return 1;
	above = BPF_CORE_READ(dentry, d_parent);
	state->so_far.len = put_name(to, state->so_far.len, dentry);
	if (above == dentry || !above) {
		state->so_far.origin = ORIGIN_DETACHED;
		return 1;
	}
	state->dentry = above;
	return 0;
}

/* Names of the way from the file to the root, last component first, each with a slash behind it. */
static __noinline int walk(struct file *file, struct walked *out)
{
	struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	struct walking state = { .so_far.origin = ORIGIN_TAIL };
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	int unlinked = !BPF_CORE_READ(dentry, d_hash.pprev);

	state.dentry = dentry;
	state.mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	state.top = BPF_CORE_READ(vfsmount, mnt_root);
	if (BPF_CORE_READ(dentry, d_parent) == dentry)
		unlinked = 0;
	bpf_loop(STEPS_MAX, step, &state, 0);
	if (unlinked && state.so_far.origin == ORIGIN_WALKED)
		state.so_far.origin = ORIGIN_DETACHED;
	*out = state.so_far;
	return 0;
}

/* What an open descriptor of the current task stands for; null when it stands for nothing. */
static __always_inline struct file *file_of(struct task_struct *task, __s64 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **slots = BPF_CORE_READ(table, fd);
	struct file *file = 0;

	if (fd < 0 || fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	return file;
}

/* What the caller's memory says, now; 0 bytes when it is not there. The final zero is not counted. */
static __always_inline __u32 put_named(struct scratch *to, __u32 at, unsigned long from)
{
	long len;

	at &= PATH_ROOM - 1;
	len = bpf_probe_read_user_str(&to->bytes[at], PATH_BYTES_MAX, (void *)from);
	if (len <= 1)
		return 0;
	return (len - 1) & (PATH_BYTES_MAX - 1);
}

#endif
