/*
 * Frames of a TPACKET_V3 ring on a veth pair.
 *
 *   packet walk|fill LENGTH FRAMES
 *
 * FRAMES frames are sent on the other end, until all blocks are handed over; then the ring is walked and given back.
 * walk: that is timed, the work of the reader. fill: the sending is timed, the work of the host for both ends.
 */
#include "real.h"

#define BLOCK (1 << 18)
#define BLOCKS 64

static int fd, sender, block, filling;
static uint32_t length;
static long frames;
static char *ring;
static volatile unsigned long sum;

static void open_ring(void)
{
	struct tpacket_req3 request = { BLOCK, BLOCKS, 2048, BLOCK / 2048 * BLOCKS, 1, 0, 0 };
	int version = TPACKET_V3;

	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0) die("AF_PACKET");
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request))
		die("PACKET_RX_RING");
	ring = mmap(NULL, (size_t)BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED) die("mmap");
	bind_packet(fd, "vb", ETH_P_ALL);
}

static void walk(void)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	unsigned long seen = 0;
	long got = 0;

	while (got < frames) {
		struct tpacket_block_desc *b = (void *)(ring + (size_t)block * BLOCK);
		struct tpacket3_hdr *h;

		while (!(__atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			if (poll(&ready, 1, 1000) <= 0) die("frames are missing");
		h = (void *)((char *)b + b->hdr.bh1.offset_to_first_pkt);
		for (uint32_t n = b->hdr.bh1.num_pkts; n > 0; n--) {
			seen += h->tp_snaplen + *((uint8_t *)h + h->tp_mac);
			h = (void *)((char *)h + h->tp_next_offset);
			got++;
		}
		__atomic_store_n(&b->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		block = (block + 1) % BLOCKS;
	}
	sum += seen;
}

static double receive(void)
{
	double took = 0;

	if (filling) watch_start();
	send_frames(sender, length, frames);
	if (filling) took = watch_stop(frames);
	/* A block that is not full is handed over after a millisecond. */
	usleep(10000);
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
	own_namespace();
	make_veth();
	make_frame();
	sender = open_sender("va");
	open_ring();
	return converse_rounds(receive);
}
