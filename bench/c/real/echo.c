/*
 * Answers ARP requests for an address and ICMP echo requests to it, on a TAP in the namespace it is started in.
 *
 *   echo NAME ADDRESS
 *
 * Says "ready" when the TAP is up, and goes on until its input ends.
 */
#include "real.h"

static const uint8_t mac[6] = { 2, 0x76, 0x6e, 0, 9, 2 };
static uint8_t buffer[2048];
static uint32_t address;

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static int is_ours(const uint8_t *at)
{
	return memcmp(at, &address, 4) == 0;
}

static void answer_to(uint8_t *destination, uint8_t *source)
{
	memcpy(destination, source, 6);
	memcpy(source, mac, 6);
}

static int arp(ssize_t length)
{
	uint8_t *a = buffer + 14, asked[4];

	if (length < 42 || get16(a + 6) != 1 || !is_ours(a + 24)) return 0;
	a[7] = 2;
	memcpy(asked, a + 24, 4);
	memcpy(a + 18, a + 8, 10);
	memcpy(a + 8, mac, 6);
	memcpy(a + 14, asked, 4);
	answer_to(buffer, buffer + 6);
	return 1;
}

static int icmp(ssize_t length)
{
	uint8_t *ip = buffer + 14, *echo = ip + (ip[0] & 15) * 4, source[4];
	uint32_t sum;

	if (length < 42 || ip[9] != 1 || !is_ours(ip + 16) || echo[0] != 8) return 0;
	memcpy(source, ip + 12, 4);
	memcpy(ip + 12, ip + 16, 4);
	memcpy(ip + 16, source, 4);
	echo[0] = 0;
	/* The type changed from 8 to 0, and the checksum with it. */
	sum = get16(echo + 2) + 0x0800u;
	sum = (sum & 0xffff) + (sum >> 16);
	echo[2] = (uint8_t)(sum >> 8);
	echo[3] = (uint8_t)sum;
	answer_to(buffer, buffer + 6);
	return 1;
}

int main(int argc, char **argv)
{
	struct pollfd ready[2];
	int tap;

	if (argc < 3) return 2;
	inet_pton(AF_INET, argv[2], &address);
	tap = open_tap(argv[1], 0);
	bring_up(argv[1], 1000);
	ready[0] = (struct pollfd){ .fd = tap, .events = POLLIN };
	ready[1] = (struct pollfd){ .fd = 0, .events = POLLIN };
	puts("ready");
	fflush(stdout);
	while (poll(ready, 2, -1) > 0) {
		ssize_t length;

		if (ready[1].revents) break;
		while ((length = read(tap, buffer, sizeof buffer)) > 0) {
			int type = length < 14 ? 0 : get16(buffer + 12);

			if (type == ETH_P_ARP ? arp(length) : type == ETH_P_IP && icmp(length))
				if (write(tap, buffer, (size_t)length) < 0) die("write");
		}
	}
	return 0;
}
