/*
 * What every C twin needs: the clock, and the conversation with the harness.
 *
 * The harness writes "warm MS" or "round MS" to stdin; the twin answers one line of JSON a command, as the
 * JavaScript contestants do: nanoseconds for one operation, and whether the window was preempted.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define NOINLINE __attribute__((noinline))

typedef void (*run_fn)(long times);

static inline uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static long preemptions(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_nivcsw;
}

/* Runs for about `ms`; returns how many runs a millisecond holds. */
static double warm(run_fn run, double ms)
{
	uint64_t start = now_ns(), end = start + (uint64_t)(ms * 1e6);
	long done = 0;
	while (now_ns() < end) {
		run(64);
		done += 64;
	}
	return done / ((now_ns() - start) / 1e6);
}

static int converse(run_fn run, int ops_per_run)
{
	char line[128];
	double per_ms = 1, ms;
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "warm %lf", &ms) == 1) {
			per_ms = warm(run, ms);
			printf("{}\n");
		} else if (sscanf(line, "round %lf", &ms) == 1) {
			long times = (long)(per_ms * ms) + 1, before;
			uint64_t start, took;
			run(times / 8 + 1);
			before = preemptions();
			start = now_ns();
			run(times);
			took = now_ns() - start;
			printf("{\"ns\":%.4f,\"preempted\":%d}\n", (double)took / times / ops_per_run,
			       preemptions() != before);
		}
		fflush(stdout);
	}
	return 0;
}
