/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* Sockets: what may be reached, and how much went where. */
#ifndef PATHWARDEN_EGRESS_H
#define PATHWARDEN_EGRESS_H

#define FAMILY_IPV4 2
#define FAMILY_IPV6 10
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define TYPE_STREAM 1
#define TYPE_DATAGRAM 2
#define MAPPED_PREFIX bpf_htonl(0xffff)
/* Of the second 16 bits of an IPv4 header's third word: where in the packet this piece belongs. */
#define FRAGMENT_OFFSET 0x1fff

enum answer {
	ANSWER_REFUSE = 0,
	ANSWER_ALLOW = 1,
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct flow);
	__type(value, struct judgement);
} verdicts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8);
} cut SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow);
	__type(value, struct volume);
} traffic SEC(".maps");

/* What one thread may connect to, once: it was decided while the thread waits, whatever the epoch is now. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct destination);
} passes SEC(".maps");

static __always_inline int has_pass(struct destination *to)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct destination *pass = bpf_map_lookup_elem(&passes, &tid);
	int is_meant;

	if (!pass)
		return 0;
	is_meant = pass->port == to->port && pass->addr[0] == to->addr[0] &&
		   pass->addr[1] == to->addr[1] && pass->addr[2] == to->addr[2] &&
		   pass->addr[3] == to->addr[3];
	bpf_map_delete_elem(&passes, &tid);
	return is_meant;
}

/* Reached whatever is taken: who governs the session. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct destination);
	__type(value, __u8);
} exempt SEC(".maps");

static __always_inline int is_exempt(struct destination *to)
{
	return bpf_map_lookup_elem(&exempt, to) != 0;
}

static __always_inline int is_cut(__u64 tool)
{
	return tool && bpf_map_lookup_elem(&cut, &tool);
}

static __always_inline __u32 judge(struct destination *to, int connects)
{
	__u64 tool = bpf_get_current_ancestor_cgroup_id(identity.level + 1);
	struct config *set = settings();
	struct judgement *known;
	struct flow flow = {};

	if (is_exempt(to))
		return VERDICT_ALLOWED;
	if (!set || (set->egress != EGRESS_OPEN && set->egress != EGRESS_DECIDED))
		return VERDICT_NO_EGRESS;
	if (is_cut(tool))
		return VERDICT_CUT;
	if (to->protocol != PROTOCOL_TCP && to->protocol != PROTOCOL_UDP)
		return VERDICT_PROTOCOL;
	if (set->egress == EGRESS_OPEN || (connects && has_pass(to)))
		return VERDICT_ALLOWED;
	flow.cgroup = tool ? tool : identity.session;
	flow.remote = *to;
	known = bpf_map_lookup_elem(&verdicts, &flow);
	if (!known)
		return VERDICT_UNKNOWN;
	if (known->epoch != set->epoch)
		return VERDICT_LAPSED;
	return known->allow == 1 ? VERDICT_ALLOWED : VERDICT_DENIED;
}

static __always_inline int decide(struct destination *to, int connects)
{
	struct connect_event event = {};

	event.to = *to;
	event.verdict = judge(to, connects);
	fill_head(&event.head, KIND_CONNECT);
	emit(&event, sizeof(event));
	return event.verdict == VERDICT_ALLOWED ? ANSWER_ALLOW : ANSWER_REFUSE;
}

static __always_inline int decide_ipv4(struct bpf_sock_addr *context, int connects)
{
	struct destination to = {};

	to.addr[2] = MAPPED_PREFIX;
	to.addr[3] = context->user_ip4;
	to.port = bpf_ntohs(context->user_port);
	to.protocol = context->protocol;
	return decide(&to, connects);
}

static __always_inline int decide_ipv6(struct bpf_sock_addr *context, int connects)
{
	struct destination to = {};

	to.addr[0] = context->user_ip6[0];
	to.addr[1] = context->user_ip6[1];
	to.addr[2] = context->user_ip6[2];
	to.addr[3] = context->user_ip6[3];
	to.port = bpf_ntohs(context->user_port);
	to.protocol = context->protocol;
	return decide(&to, connects);
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *context)
{
	return decide_ipv4(context, 1);
}

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *context)
{
	return decide_ipv6(context, 1);
}

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *context)
{
	return decide_ipv4(context, 0);
}

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *context)
{
	return decide_ipv6(context, 0);
}

/*
 * A Unix socket is reached by its path, which lies in the caller's memory: whoever decides about it reaches
 * it in the caller's stead, and nobody inside does so itself.
 */
SEC("cgroup/connect_unix")
int on_connect_unix(struct bpf_sock_addr *context)
{
	return in_session() ? ANSWER_REFUSE : ANSWER_ALLOW;
}

SEC("cgroup/sendmsg_unix")
int on_sendmsg_unix(struct bpf_sock_addr *context)
{
	return in_session() ? ANSWER_REFUSE : ANSWER_ALLOW;
}

/*
 * Only sockets whose every destination the programs above are asked about: no raw ones, no ping, no
 * MPTCP. The kernel asks this only of IPv4 and IPv6 sockets; packet sockets and those of virtual machines
 * are the system call filter's.
 */
SEC("cgroup/sock_create")
int on_sock_create(struct bpf_sock *context)
{
	__u32 type = context->type, protocol = context->protocol;

	if (context->family != FAMILY_IPV4 && context->family != FAMILY_IPV6)
		return ANSWER_REFUSE;
	if (type == TYPE_STREAM && (protocol == 0 || protocol == PROTOCOL_TCP))
		return ANSWER_ALLOW;
	if (type == TYPE_DATAGRAM && (protocol == 0 || protocol == PROTOCOL_UDP))
		return ANSWER_ALLOW;
	return ANSWER_REFUSE;
}

/* The other end of a packet; 0 when it is no IP packet that can be read. */
static __always_inline int read_remote(struct __sk_buff *packet, struct destination *remote,
				       int outward)
{
	__u32 after = 0;
	__u8 version = 0;
	__u16 piece = 0;

	if (bpf_skb_load_bytes(packet, 0, &version, 1))
		return 0;
	if (version >> 4 == 4) {
		after = (version & 15) * 4;
		remote->addr[2] = MAPPED_PREFIX;
		if (bpf_skb_load_bytes(packet, 6, &piece, 2) ||
		    bpf_skb_load_bytes(packet, 9, &remote->protocol, 1) ||
		    bpf_skb_load_bytes(packet, outward ? 16 : 12, &remote->addr[3], 4))
			return 0;
	} else if (version >> 4 == 6) {
		after = 40;
		if (bpf_skb_load_bytes(packet, 6, &remote->protocol, 1) ||
		    bpf_skb_load_bytes(packet, outward ? 24 : 8, remote->addr, 16))
			return 0;
	} else {
		return 0;
	}
	if (piece & bpf_htons(FRAGMENT_OFFSET))
		return 1;
	if (remote->protocol == PROTOCOL_TCP || remote->protocol == PROTOCOL_UDP) {
		__u16 port = 0;

		if (bpf_skb_load_bytes(packet, after + (outward ? 2 : 0), &port, 2))
			return 0;
		remote->port = bpf_ntohs(port);
	}
	return 1;
}

static __always_inline struct volume *volume_of(struct flow *flow)
{
	struct volume *found = bpf_map_lookup_elem(&traffic, flow);
	struct volume none = {};
	struct flow rest = {};

	if (found)
		return found;
	bpf_map_update_elem(&traffic, flow, &none, BPF_NOEXIST);
	found = bpf_map_lookup_elem(&traffic, flow);
	if (found)
		return found;
	/* No room: user space has made one place for all the rest. */
	rest.cgroup = identity.session;
	return bpf_map_lookup_elem(&traffic, &rest);
}

static __always_inline void count(struct __sk_buff *packet, struct flow *flow, int outward)
{
	struct volume *volume = volume_of(flow);

	if (!volume)
		return;
	__sync_fetch_and_add(outward ? &volume->bytes_out : &volume->bytes_in, packet->len);
	__sync_fetch_and_add(&volume->packets, 1);
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *packet)
{
	__u64 tool = bpf_skb_ancestor_cgroup_id(packet, identity.level + 1);
	struct config *set = settings();
	struct flow flow = {};

	flow.cgroup = tool ? tool : identity.session;
	if (!read_remote(packet, &flow.remote, 1))
		return ANSWER_REFUSE;
	if (is_exempt(&flow.remote)) {
		count(packet, &flow, 1);
		return ANSWER_ALLOW;
	}
	if (!set || (set->egress != EGRESS_OPEN && set->egress != EGRESS_DECIDED) || is_cut(tool))
		return ANSWER_REFUSE;
	if (set->egress == EGRESS_DECIDED && flow.remote.protocol != PROTOCOL_TCP &&
	    flow.remote.protocol != PROTOCOL_UDP)
		return ANSWER_REFUSE;
	count(packet, &flow, 1);
	return ANSWER_ALLOW;
}

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *packet)
{
	__u64 tool = bpf_skb_ancestor_cgroup_id(packet, identity.level + 1);
	struct flow flow = {};

	flow.cgroup = tool ? tool : identity.session;
	if (read_remote(packet, &flow.remote, 0))
		count(packet, &flow, 0);
	return ANSWER_ALLOW;
}

#endif
