/*
 * The same loop through the kernel's own virtual cable: a veth pair in a network namespace of this process, which goes
 * with it; AF_PACKET sockets at both ends, bursts by sendmmsg and recvmmsg, or with `one` a call a packet. Needs root. Usage: veth LENGTH BURST [one]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "twin.h"

#define MOST 256
#define PROTO 0x88b5

static uint8_t frame[2048], in[MOST][2048];
static struct mmsghdr out_msgs[MOST], in_msgs[MOST];
static struct iovec out_iov[MOST], in_iov[MOST];
static int from, to;
static uint32_t burst;

static int open_end(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(PROTO) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(PROTO));
	at.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || at.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&at, sizeof at)) exit(3);
	return fd;
}

static uint32_t length;

static void run_one(long times)
{
	while (times--) {
		for (uint32_t i = 0; i < burst; i++) if (send(from, frame, length, 0) < 0) exit(4);
		for (uint32_t i = 0; i < burst; i++) if (recv(to, in[0], sizeof in[0], 0) < 0) exit(5);
	}
}

static void run(long times)
{
	while (times--) {
		for (uint32_t sent = 0; sent < burst;) {
			int n = sendmmsg(from, out_msgs + sent, burst - sent, 0);
			if (n <= 0) exit(4);
			sent += (uint32_t)n;
		}
		for (uint32_t got = 0; got < burst;) {
			int n = recvmmsg(to, in_msgs + got, burst - got, 0, NULL);
			if (n <= 0) exit(5);
			got += (uint32_t)n;
		}
	}
}

int main(int argc, char **argv)
{
	static const uint8_t head[14] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, PROTO >> 8, PROTO & 255 };
	if (argc < 3) return 2;
	length = (uint32_t)atoi(argv[1]);
	burst = (uint32_t)atoi(argv[2]);
	if (burst > MOST || length > sizeof frame) return 2;
	/* Everything below happens in a namespace of its own. */
	if (unshare(CLONE_NEWNET)) return 3;
	if (system("ip link add va address 02:00:00:00:00:01 type veth peer name vb address 02:00:00:00:00:02 && "
		   "ip link set va up && ip link set vb up")) return 3;
	memcpy(frame, head, sizeof head);
	for (uint32_t i = 0; i < burst; i++) {
		out_iov[i] = (struct iovec){ frame, length };
		in_iov[i] = (struct iovec){ in[i], sizeof in[i] };
		out_msgs[i].msg_hdr.msg_iov = &out_iov[i];
		in_msgs[i].msg_hdr.msg_iov = &in_iov[i];
		out_msgs[i].msg_hdr.msg_iovlen = in_msgs[i].msg_hdr.msg_iovlen = 1;
	}
	from = open_end("va");
	to = open_end("vb");
	return converse(argc > 3 ? run_one : run, (int)burst);
}
