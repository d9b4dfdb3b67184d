/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel does for one session: it reports what the processes below one cgroup do, refuses the
 * connections that nobody allowed, and ends a program that starts without an approval.
 *
 * crates/kernel-bpf compiles this one file, embeds the object, and is its other side.
 */
#include <linux/bpf.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "kernel.h"
#include "wire.h"
#include "common.h"
#include "walk.h"
#include "exec.h"
#include "calls.h"
#include "files.h"
#include "egress.h"

/*
 * The kernel lends helpers such as bpf_probe_read_kernel only to programs under a licence that it counts
 * as compatible with the GPL, and Apache-2.0 is none for it. So the files of this folder, and no others,
 * may be used under BSD-2-Clause or GPL-2.0 as well.
 */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
