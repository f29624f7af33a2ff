/*
 * Frames of an AF_XDP socket on a veth pair, in copy mode; the program in the driver hands over every frame.
 *
 *   xdp walk|fill LENGTH FRAMES
 *
 * FRAMES frames (fewer than the ring holds) are sent on the other end; then the receive ring is walked, and each buffer
 * goes back by the fill ring. walk: that is timed, the work of the reader. fill: the sending is timed.
 */
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include "real.h"

#define SIZE 4096u
#define CHUNK 2048u

struct ring {
	uint32_t *producer, *consumer;
	void *entries;
};

static int xsk, sender, filling;
static uint32_t length;
static long frames;
static uint8_t *umem;
static struct ring rx, fill;
static volatile unsigned long sum;

static int bpf(int command, union bpf_attr *attr)
{
	int fd = (int)syscall(SYS_bpf, command, attr, sizeof *attr);

	if (fd < 0) die("bpf");
	return fd;
}

static void option(int name, uint32_t value)
{
	if (setsockopt(xsk, SOL_XDP, name, &value, sizeof value)) die("setsockopt");
}

static struct ring map_ring(struct xdp_ring_offset *at, size_t entry, off_t page)
{
	char *base = mmap(NULL, at->desc + SIZE * entry, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, xsk, page);
	struct ring r;

	if (base == MAP_FAILED) die("mmap");
	r.producer = (void *)(base + at->producer);
	r.consumer = (void *)(base + at->consumer);
	r.entries = base + at->desc;
	return r;
}

static void open_socket(void)
{
	struct xdp_umem_reg memory = { .len = (uint64_t)SIZE * CHUNK, .chunk_size = CHUNK };
	struct sockaddr_xdp at = { .sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY };
	struct xdp_mmap_offsets offsets;
	socklen_t bytes = sizeof offsets;

	xsk = socket(AF_XDP, SOCK_RAW, 0);
	if (xsk < 0) die("AF_XDP");
	umem = mmap(NULL, memory.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	memory.addr = (uint64_t)(uintptr_t)umem;
	if (setsockopt(xsk, SOL_XDP, XDP_UMEM_REG, &memory, sizeof memory)) die("XDP_UMEM_REG");
	option(XDP_UMEM_FILL_RING, SIZE);
	option(XDP_UMEM_COMPLETION_RING, SIZE);
	option(XDP_RX_RING, SIZE);
	if (getsockopt(xsk, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &bytes)) die("XDP_MMAP_OFFSETS");
	fill = map_ring(&offsets.fr, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING);
	rx = map_ring(&offsets.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING);
	at.sxdp_ifindex = if_nametoindex("vb");
	if (bind(xsk, (struct sockaddr *)&at, sizeof at)) die("bind");
	for (uint32_t i = 0; i < SIZE; i++) ((uint64_t *)fill.entries)[i] = (uint64_t)i * CHUNK;
	__atomic_store_n(fill.producer, SIZE, __ATOMIC_RELEASE);
}

static struct bpf_insn insn(uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	return (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm };
}

/* return bpf_redirect_map(map, ctx->rx_queue_index, XDP_PASS) */
static void attach(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_XSKMAP, .key_size = 4, .value_size = 4, .max_entries = 1 };
	int map = bpf(BPF_MAP_CREATE, &attr), program;
	uint32_t key = 0, value = (uint32_t)xsk;
	struct bpf_insn code[] = {
		insn(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct xdp_md, rx_queue_index), 0),
		insn(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, map),
		insn(0, 0, 0, 0, 0),
		insn(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, XDP_PASS),
		insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map),
		insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	memset(&attr, 0, sizeof attr);
	attr.map_fd = (uint32_t)map;
	attr.key = (uint64_t)(uintptr_t)&key;
	attr.value = (uint64_t)(uintptr_t)&value;
	bpf(BPF_MAP_UPDATE_ELEM, &attr);
	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uint64_t)(uintptr_t)code;
	attr.insn_cnt = sizeof code / sizeof code[0];
	attr.license = (uint64_t)(uintptr_t)"Dual MIT/GPL";
	program = bpf(BPF_PROG_LOAD, &attr);
	memset(&attr, 0, sizeof attr);
	attr.link_create.prog_fd = (uint32_t)program;
	attr.link_create.target_ifindex = if_nametoindex("vb");
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = XDP_FLAGS_DRV_MODE;
	bpf(BPF_LINK_CREATE, &attr);
}

static void walk(void)
{
	struct pollfd ready = { .fd = xsk, .events = POLLIN };
	unsigned long seen = 0;
	long got = 0;

	while (got < frames) {
		uint32_t from = *rx.consumer, to = __atomic_load_n(rx.producer, __ATOMIC_ACQUIRE);
		uint32_t put = *fill.producer;

		if (from == to && poll(&ready, 1, 1000) <= 0) die("frames are missing");
		for (; from != to; from++, got++) {
			struct xdp_desc *d = (struct xdp_desc *)rx.entries + (from & (SIZE - 1));

			seen += d->len + umem[d->addr];
			((uint64_t *)fill.entries)[put++ & (SIZE - 1)] = d->addr & ~(uint64_t)(CHUNK - 1);
		}
		__atomic_store_n(rx.consumer, from, __ATOMIC_RELEASE);
		__atomic_store_n(fill.producer, put, __ATOMIC_RELEASE);
	}
	sum += seen;
}

static double receive(void)
{
	double took = 0;

	if (filling) watch_start();
	send_frames(sender, length, frames);
	if (filling) took = watch_stop(frames);
	/* Asleep this processor would lose its caches. */
	while (__atomic_load_n(rx.producer, __ATOMIC_ACQUIRE) - *rx.consumer < (uint32_t)frames)
		;
	if (!filling) watch_start();
	walk();
	return filling ? took : watch_stop(frames);
}

int main(int argc, char **argv)
{
	if (argc < 4) return 2;
	filling = argv[1][0] == 'f';
	length = (uint32_t)atoi(argv[2]);
	frames = atol(argv[3]);
	if (frames >= SIZE) return 2;
	own_namespace();
	make_veth();
	make_frame();
	sender = open_sender("va");
	open_socket();
	attach();
	return converse_rounds(receive);
}
