/*
 * What run.mjs measures beside our backend: walking a TPACKET_V3 ring in C.
 *
 *   packet-twin FROM TO FRAME_BYTES FRAMES ROUNDS
 *
 * FRAMES frames are sent on FROM, the other end of a veth pair (not timed), and all blocks of TO's ring are handed over;
 * then the ring is walked and given back (timed): the work of the reader, without the kernel's.
 * Prints nanoseconds per frame, one line a round. Run it in a network namespace of its own.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (1 << 18)
#define BLOCKS 64

static unsigned char frame[2048];
static unsigned long sum;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int open_socket(const char *name, int protocol, char **ring)
{
	struct sockaddr_ll address;
	int fd = socket(AF_PACKET, SOCK_RAW, 0), version = TPACKET_V3;

	if (fd < 0)
		die("AF_PACKET");
	if (ring) {
		struct tpacket_req3 request = { BLOCK, BLOCKS, 2048, BLOCK / 2048 * BLOCKS, 1, 0, 0 };

		if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
		    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) < 0)
			die("PACKET_RX_RING");
		*ring = mmap(NULL, (size_t)BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (*ring == MAP_FAILED)
			die("mmap");
	}
	memset(&address, 0, sizeof(address));
	address.sll_family = AF_PACKET;
	address.sll_protocol = htons(protocol);
	address.sll_ifindex = if_nametoindex(name);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(name);
	return fd;
}

static double walk(int fd, char *ring, int *block, int frames)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	double start = now();
	int got = 0;

	while (got < frames) {
		struct tpacket_block_desc *b = (void *)(ring + (size_t)*block * BLOCK);
		struct tpacket3_hdr *h;

		while (!(__atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			if (poll(&ready, 1, 1000) <= 0)
				die("poll");
		h = (void *)((char *)b + b->hdr.bh1.offset_to_first_pkt);
		for (uint32_t n = b->hdr.bh1.num_pkts; n > 0; n--) {
			sum += h->tp_snaplen + *((unsigned char *)h + h->tp_mac);
			h = (void *)((char *)h + h->tp_next_offset);
			got++;
		}
		__atomic_store_n(&b->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		*block = (*block + 1) % BLOCKS;
	}
	return (now() - start) / got;
}

int main(int argc, char **argv)
{
	int bytes = atoi(argv[3]), frames = atoi(argv[4]), rounds = atoi(argv[5]), block = 0;
	int sender = open_socket(argv[1], 0, NULL), fd;
	char *ring;

	(void)argc;
	fd = open_socket(argv[2], ETH_P_ALL, &ring);
	memset(frame, 0xff, 6);
	frame[6] = 2;
	frame[12] = 0x88;
	frame[13] = 0xb5;
	while (rounds-- > 0) {
		for (int i = 0; i < frames; i++)
			if (send(sender, frame, bytes, 0) < 0)
				die("send");
		usleep(30000);
		printf("%.2f\n", walk(fd, ring, &block, frames));
	}
	return sum == 42;
}
