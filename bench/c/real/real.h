/*
 * What the C twins of real interfaces share: a network namespace of their own, which goes with them; a TAP, a veth
 * pair, a sender; and the conversation with the harness, in which a round times only a part of itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../twin.h"

#define PROTO 0x88b5

/* A round returns nanoseconds for one operation. */
typedef double (*round_fn)(void);

static uint64_t started;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch_start(void)
{
	started = now_ns();
}

static double watch_stop(long operations)
{
	return (double)(now_ns() - started) / operations;
}

#define MOST_ROUNDS 64

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * The lower quartile of the rounds that fit: those in which the processor was taken away do not move it. The first does
 * not count: the caches were somebody else's until then.
 */
static double turn(round_fn round, double ms)
{
	double times[MOST_ROUNDS];
	uint64_t end = now_ns() + (uint64_t)(ms * 1e6);
	int n = 0;

	times[0] = round();
	while (now_ns() < end && n < MOST_ROUNDS) times[n++] = round();
	qsort(times, (size_t)n, sizeof times[0], compare);
	return times[n / 4];
}

static int converse_rounds(round_fn round)
{
	char line[128];
	double ms;

	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "warm %lf", &ms) == 1) {
			uint64_t end = now_ns() + (uint64_t)(ms * 1e6);

			while (now_ns() < end) round();
			printf("{}\n");
		} else if (sscanf(line, "round %lf", &ms) == 1) {
			printf("{\"ns\":%.4f,\"preempted\":false}\n", turn(round, ms));
		}
		fflush(stdout);
	}
	return 0;
}

/* Nothing but what is measured shall be on the interfaces. */
static void own_namespace(void)
{
	FILE *f;

	if (unshare(CLONE_NEWNET)) die("unshare");
	f = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w");
	if (!f) return;
	fputs("1\n", f);
	fclose(f);
}

static void bring_up(const char *name, int queue)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strcpy(request.ifr_name, name);
	request.ifr_qlen = queue;
	if (ioctl(fd, SIOCSIFTXQLEN, &request)) die("SIOCSIFTXQLEN");
	request.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request)) die("SIOCSIFFLAGS");
	close(fd);
	usleep(50000);
}

static int open_tap(const char *name, int flags)
{
	struct ifreq request = { 0 };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	if (fd < 0) die("/dev/net/tun");
	strcpy(request.ifr_name, name);
	request.ifr_flags = IFF_TAP | IFF_NO_PI | flags;
	if (ioctl(fd, TUNSETIFF, &request)) die("TUNSETIFF");
	return fd;
}

static void make_veth(void)
{
	if (system("ip link add va type veth peer name vb && ip link set va up && ip link set vb up")) die("ip link");
	usleep(50000);
}

static void bind_packet(int fd, const char *name, int protocol)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };

	at.sll_ifindex = (int)if_nametoindex(name);
	if (bind(fd, (struct sockaddr *)&at, sizeof at)) die(name);
}

/* Frames sent on it leave by the interface; it receives none. */
static int open_sender(const char *name)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0) die("AF_PACKET");
	bind_packet(fd, name, 0);
	return fd;
}

static uint8_t frame[65536];

/* A broadcast of a type nobody wants. */
static void make_frame(void)
{
	memset(frame, 0xff, 6);
	frame[6] = 2;
	frame[12] = PROTO >> 8;
	frame[13] = PROTO & 255;
}

static void send_frames(int sender, uint32_t length, long count)
{
	while (count--)
		if (send(sender, frame, length, 0) < 0) die("send");
}
