/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The few fields of the kernel's own structs that the programs read. Offsets are not ours: each struct
 * is relocated against the running kernel when the object is loaded (CO-RE), so only the names count.
 */
#ifndef PATHWARDEN_KERNEL_H
#define PATHWARDEN_KERNEL_H

#define RELOCATED __attribute__((preserve_access_index))

struct qstr {
	/* The hash below, the length in the upper half. */
	__u64 hash_len;
	const unsigned char *name;
} RELOCATED;

struct super_block {
	__u32 s_dev;
} RELOCATED;

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	long long i_ctime_sec;
	__u32 i_ctime_nsec;
} RELOCATED;

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
} RELOCATED;

struct dentry {
	/* Linked nowhere once the name is gone. */
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
} RELOCATED;

struct vfsmount {
	struct dentry *mnt_root;
} RELOCATED;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	void *mnt_ns;
} RELOCATED;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} RELOCATED;

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	struct inode *f_inode;
	struct path f_path;
} RELOCATED;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} RELOCATED;

struct files_struct {
	struct fdtable *fdt;
} RELOCATED;

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
} RELOCATED;

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
} RELOCATED;

struct thread_info {
	__u32 status;
} RELOCATED;

struct task_struct {
	struct thread_info thread_info;
	struct mm_struct *mm;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct files_struct *files;
	struct signal_struct *signal;
} RELOCATED;

struct linux_binprm {
	struct file *file;
} RELOCATED;

struct pt_regs {
	unsigned long bx;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long r10;
	unsigned long orig_ax;
} RELOCATED;

#endif
