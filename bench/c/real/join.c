/*
 * Joins two TAPs, each in a namespace of its own: what comes out of one goes into the other, big frames whole.
 *
 *   join NAME          descriptors 3 and 4: the namespaces; both TAPs get the name
 *
 * Says "ready" when both are up, and goes on until its input ends.
 */
#include "real.h"

#define BUDGET 64

static int open_big(int netns, const char *name)
{
	int header = 12, fd;

	if (setns(netns, CLONE_NEWNET)) die("setns");
	fd = open_tap(name, IFF_VNET_HDR);
	if (ioctl(fd, TUNSETVNETHDRSZ, &header)) die("TUNSETVNETHDRSZ");
	if (ioctl(fd, TUNSETOFFLOAD, 0x6f) && ioctl(fd, TUNSETOFFLOAD, 0x0f)) die("TUNSETOFFLOAD");
	bring_up(name, 1000);
	return fd;
}

/* The header goes with the frame, as it is. */
static void forward(int from, int to)
{
	static uint8_t buffer[12 + 65536 + 256];

	for (int n = 0; n < BUDGET; n++) {
		ssize_t length = read(from, buffer, sizeof buffer);

		if (length <= 0) return;
		/* A frame the other side has no room for is lost, as on a wire. */
		if (write(to, buffer, (size_t)length) < 0 && errno != EAGAIN && errno != ENOBUFS) die("write");
	}
}

int main(int argc, char **argv)
{
	int a, b;
	struct pollfd ready[3];

	if (argc < 2) return 2;
	a = open_big(3, argv[1]);
	b = open_big(4, argv[1]);
	ready[0] = (struct pollfd){ .fd = a, .events = POLLIN };
	ready[1] = (struct pollfd){ .fd = b, .events = POLLIN };
	ready[2] = (struct pollfd){ .fd = 0, .events = POLLIN };
	puts("ready");
	fflush(stdout);
	while (poll(ready, 3, -1) > 0) {
		if (ready[0].revents) forward(a, b);
		if (ready[1].revents) forward(b, a);
		if (ready[2].revents) break;
	}
	return 0;
}
