/*
 * Frames of a TAP, read or written one by one.
 *
 *   tap rx|tx LENGTH FRAMES
 *
 * rx: FRAMES frames are queued on the TAP (not timed), then read until there are none (timed).
 * tx: FRAMES frames are written (timed); the host drops them, nobody wants their type.
 */
#include "real.h"

static int tap, sender;
static uint32_t length;
static long frames;

static double receive(void)
{
	static uint8_t buffer[65536];
	struct pollfd ready = { .fd = tap, .events = POLLIN };
	long got = 0;

	send_frames(sender, length, frames);
	watch_start();
	while (got < frames) {
		if (poll(&ready, 1, 1000) <= 0) die("frames are missing");
		while (read(tap, buffer, sizeof buffer) > 0) got++;
	}
	return watch_stop(frames);
}

static double transmit(void)
{
	watch_start();
	for (long i = 0; i < frames; i++)
		if (write(tap, frame, length) < 0) die("write");
	return watch_stop(frames);
}

int main(int argc, char **argv)
{
	if (argc < 4) return 2;
	length = (uint32_t)atoi(argv[2]);
	frames = atol(argv[3]);
	own_namespace();
	tap = open_tap("twin0", 0);
	make_frame();
	bring_up("twin0", (int)frames + 1000);
	sender = open_sender("twin0");
	return converse_rounds(argv[1][0] == 'r' ? receive : transmit);
}
