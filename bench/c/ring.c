/* A ring in C, one thread. Usage: ring int|desc BURST */
#include "twin.h"

#define SIZE 1024

struct rec { uint32_t w[4]; };
static struct rec recs[SIZE];
static uint32_t ints[SIZE];
static volatile uint32_t prod, cons, sum;
static uint32_t burst = 32;

/* volatile indexes: published and read again for each burst, as between two parties. */
static NOINLINE void put_recs(uint32_t seed)
{
	uint32_t p = prod;
	if (SIZE - (p - cons) < burst) return;
	for (uint32_t i = 0; i < burst; i++) {
		struct rec *r = &recs[(p + i) & (SIZE - 1)];
		r->w[0] = seed; r->w[1] = i; r->w[2] = 60; r->w[3] = 0;
	}
	prod = p + burst;
}

static NOINLINE void get_recs(void)
{
	uint32_t c = cons, n = prod - c, s = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct rec *r = &recs[(c + i) & (SIZE - 1)];
		s += r->w[0] + r->w[1] + r->w[2] + r->w[3];
	}
	cons = c + n;
	sum += s;
}

static NOINLINE void put_ints(uint32_t seed)
{
	uint32_t p = prod;
	if (SIZE - (p - cons) < burst) return;
	for (uint32_t i = 0; i < burst; i++) ints[(p + i) & (SIZE - 1)] = seed + i;
	prod = p + burst;
}

static NOINLINE void get_ints(void)
{
	uint32_t c = cons, n = prod - c, s = 0;
	for (uint32_t i = 0; i < n; i++) s += ints[(c + i) & (SIZE - 1)];
	cons = c + n;
	sum += s;
}

static void run_recs(long times)
{
	while (times--) { put_recs((uint32_t)times); get_recs(); }
}

static void run_ints(long times)
{
	while (times--) { put_ints((uint32_t)times); get_ints(); }
}

int main(int argc, char **argv)
{
	if (argc < 3) return 2;
	burst = (uint32_t)atoi(argv[2]);
	return converse(strcmp(argv[1], "int") ? run_recs : run_ints, (int)burst);
}
