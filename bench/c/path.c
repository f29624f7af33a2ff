/*
 * The floor of the packet path: rings, pool, descriptors, completion and budgeted poll, written plainly.
 *
 * It has no net_device, qdisc, byte limit, statistics, offload or hooks. Usage: path tx|rx|loop LENGTH BURST
 */
#include "twin.h"

#define RING 256
#define POOL 1024
#define BUF 2048
#define HEADROOM 66

struct desc { uint32_t offset, region, length, status; };
struct ring { struct desc d[RING]; uint32_t prod, cons, clean; void *owner[RING]; };
struct skb { uint32_t data, len; uint16_t proto; uint8_t users; };
struct pool { uint8_t *mem; struct skb skbs[POOL]; uint32_t stack[POOL], free; };

struct nic {
	struct pool pool;
	struct ring tx, rx;
	uint8_t *out;
	struct nic *peer;
	void (*handler)(struct nic *, struct skb *);
};

static struct nic a, b;
static uint8_t sink_buf[BUF], frame[BUF];
static volatile uint32_t seen;
static uint32_t length = 60, burst = 32;

static inline struct skb *skb_get(struct pool *p)
{
	return p->free ? &p->skbs[p->stack[--p->free]] : NULL;
}

static inline void skb_put(struct pool *p, struct skb *s)
{
	p->stack[p->free++] = (uint32_t)(s - p->skbs);
}

/* The driver: one packet into the transmit ring. */
static NOINLINE int xmit(struct nic *n, struct skb *s)
{
	struct ring *r = &n->tx;
	struct desc *d = &r->d[r->prod & (RING - 1)];
	if (r->prod - r->clean == RING) return -1;
	d->offset = s->data;
	d->region = 0;
	d->length = s->len;
	d->status = 0;
	r->owner[r->prod & (RING - 1)] = s;
	r->prod++;
	return 0;
}

/* The card: a frame comes in. */
static NOINLINE int card_receive(struct nic *n, const uint8_t *bytes, uint32_t len)
{
	struct ring *r = &n->rx;
	struct desc *d = &r->d[r->cons & (RING - 1)];
	if (r->prod == r->cons) return 0;
	memcpy(n->pool.mem + d->offset, bytes, len);
	d->length = len;
	d->status = 1;
	r->cons++;
	return 1;
}

/* The card: fetches what was posted, copies it out, completes. */
static NOINLINE void card_transmit(struct nic *n)
{
	struct ring *r = &n->tx;
	while (r->cons != r->prod) {
		struct desc *d = &r->d[r->cons & (RING - 1)];
		if (n->peer) card_receive(n->peer, n->pool.mem + d->offset, d->length);
		else memcpy(n->out, n->pool.mem + d->offset, d->length);
		d->status = 1;
		r->cons++;
	}
}

static void post(struct nic *n, struct skb *s)
{
	struct ring *r = &n->rx;
	struct desc *d = &r->d[r->prod & (RING - 1)];
	d->offset = (uint32_t)(s - n->pool.skbs) * BUF + HEADROOM;
	d->length = BUF - HEADROOM;
	d->status = 0;
	r->owner[r->prod & (RING - 1)] = s;
	r->prod++;
}

/* The driver: reclaims what was sent, passes up what came, refills. */
static NOINLINE int poll(struct nic *n, int budget)
{
	struct ring *tx = &n->tx, *rx = &n->rx;
	int work = 0;
	while (tx->clean != tx->cons) {
		skb_put(&n->pool, tx->owner[tx->clean & (RING - 1)]);
		tx->clean++;
	}
	while (work < budget && rx->clean != rx->cons) {
		struct desc *d = &rx->d[rx->clean & (RING - 1)];
		struct skb *s = rx->owner[rx->clean & (RING - 1)], *fresh = skb_get(&n->pool);
		const uint8_t *mac = n->pool.mem + d->offset;
		rx->clean++;
		work++;
		if (!fresh) { post(n, s); continue; }
		s->data = d->offset + 14;
		s->len = d->length - 14;
		s->proto = (uint16_t)(mac[12] << 8 | mac[13]);
		post(n, fresh);
		n->handler(n, s);
	}
	return work;
}

static NOINLINE void handler(struct nic *n, struct skb *s)
{
	seen += s->proto + n->pool.mem[s->data];
	skb_put(&n->pool, s);
}

static void send_burst(struct nic *n)
{
	for (uint32_t i = 0; i < burst; i++) {
		struct skb *s = skb_get(&n->pool);
		if (!s) break;
		s->data = (uint32_t)(s - n->pool.skbs) * BUF + HEADROOM;
		s->len = length;
		s->users = 1;
		if (xmit(n, s)) skb_put(&n->pool, s);
	}
}

static void run_tx(long times)
{
	while (times--) { send_burst(&a); card_transmit(&a); poll(&a, 64); }
}

static void run_rx(long times)
{
	while (times--) {
		for (uint32_t i = 0; i < burst; i++) card_receive(&a, frame, length);
		poll(&a, 64);
	}
}

static void run_loop(long times)
{
	while (times--) { send_burst(&a); card_transmit(&a); poll(&a, 64); poll(&b, 64); }
}

static void open_nic(struct nic *n)
{
	n->pool.mem = aligned_alloc(4096, POOL * BUF);
	n->out = sink_buf;
	n->handler = handler;
	for (uint32_t i = 0; i < POOL; i++) {
		memcpy(n->pool.mem + i * BUF + HEADROOM, frame, BUF - HEADROOM);
		n->pool.stack[n->pool.free++] = POOL - 1 - i;
	}
	for (int i = 0; i < RING; i++) post(n, skb_get(&n->pool));
}

int main(int argc, char **argv)
{
	run_fn run = run_tx;
	if (argc < 4) return 2;
	length = (uint32_t)atoi(argv[2]);
	burst = (uint32_t)atoi(argv[3]);
	for (int i = 0; i < BUF; i++) frame[i] = (uint8_t)i;
	open_nic(&a);
	open_nic(&b);
	if (!strcmp(argv[1], "rx")) run = run_rx;
	if (!strcmp(argv[1], "loop")) { run = run_loop; a.peer = &b; }
	return converse(run, (int)burst);
}
