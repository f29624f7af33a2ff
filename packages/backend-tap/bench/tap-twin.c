/*
 * What run.mjs measures beside our backend: the same work on a TAP in C.
 *
 *   tap-twin rx|tx FRAME_BYTES FRAMES ROUNDS
 *
 * rx: FRAMES frames are queued on the TAP (not timed), then read until EAGAIN (timed).
 * tx: FRAMES frames are written (timed); the host drops them, nobody wants their EtherType.
 * Prints nanoseconds per frame, one line a round. Run it in a network namespace of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static unsigned char frame[65536];

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

static int open_tap(const char *name)
{
	struct ifreq request;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	if (fd < 0)
		die("/dev/net/tun");
	memset(&request, 0, sizeof(request));
	strcpy(request.ifr_name, name);
	request.ifr_flags = IFF_TAP | IFF_NO_PI;
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		die("TUNSETIFF");
	return fd;
}

static void bring_up(const char *name, int queue)
{
	struct ifreq request;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	memset(&request, 0, sizeof(request));
	strcpy(request.ifr_name, name);
	request.ifr_qlen = queue;
	if (ioctl(fd, SIOCSIFTXQLEN, &request) < 0)
		die("SIOCSIFTXQLEN");
	request.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		die("SIOCSIFFLAGS");
	close(fd);
	usleep(50000);
}

static int open_sender(const char *name)
{
	struct sockaddr_ll address;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	memset(&address, 0, sizeof(address));
	address.sll_family = AF_PACKET;
	address.sll_ifindex = if_nametoindex(name);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("AF_PACKET");
	return fd;
}

static double receive(int tap, int sender, int bytes, int frames)
{
	static unsigned char buffer[65536];
	struct pollfd ready = { .fd = tap, .events = POLLIN };
	int got = 0;
	double start;

	for (int i = 0; i < frames; i++)
		if (send(sender, frame, bytes, 0) < 0)
			die("send");
	start = now();
	while (got < frames) {
		if (poll(&ready, 1, 1000) <= 0)
			break;
		while (read(tap, buffer, sizeof(buffer)) > 0)
			got++;
	}
	start = now() - start;
	if (got < frames)
		fprintf(stderr, "%d of %d frames came\n", got, frames);
	return start / got;
}

static double transmit(int tap, int bytes, int frames)
{
	double start = now();

	for (int i = 0; i < frames; i++)
		if (write(tap, frame, bytes) < 0)
			die("write");
	return (now() - start) / frames;
}

int main(int argc, char **argv)
{
	int bytes = atoi(argv[2]), frames = atoi(argv[3]), rounds = atoi(argv[4]);
	int tap = open_tap("twin0"), sender;

	(void)argc;
	memset(frame, 0xff, 6);
	frame[6] = 2;
	frame[12] = 0x88;
	frame[13] = 0xb5;
	bring_up("twin0", frames + 1000);
	sender = open_sender("twin0");
	while (rounds-- > 0)
		printf("%.1f\n", argv[1][0] == 'r' ? receive(tap, sender, bytes, frames)
						   : transmit(tap, bytes, frames));
	return 0;
}
