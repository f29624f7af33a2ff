/* SPDX-License-Identifier: GPL-2.0-only OR MIT
 * if_nametoindex() and its kin: a C library makes these calls inside itself, where no hook reaches, so they are made
 * here of ioctls and of the machine's netlink dumps. */
enum { IFNAMSIZ = 16, SIOCGIFNAME = 0x8910, SIOCGIFINDEX = 0x8933, ARENA = 1 << 20, DATAGRAM = 1 << 16, MAX_NAMES = 4096 };
enum { RTM_NEWLINK = 16, RTM_GETLINK = 18, RTM_NEWADDR = 20, RTM_GETADDR = 22, NLMSG_ERROR = 2, NLMSG_DONE = 3 };
enum { IFLA_ADDRESS = 1, IFLA_BROADCAST = 2, IFLA_IFNAME = 3, IFLA_STATS = 7 };
enum { IFA_ADDRESS = 1, IFA_LOCAL = 2, IFA_LABEL = 3, IFA_BROADCAST = 4 };

struct if_name { u32 index; char *name; };
struct ifaddrs { struct ifaddrs *next; char *name; u32 flags; void *addr, *netmask, *other, *data; };
struct ifreq { char name[IFNAMSIZ]; i32 index; u8 rest[20]; };
struct nlmsg { u32 len; u16 type, flags; u32 seq, pid; };
struct attr { u16 len, type; u8 data[]; };
struct sockaddr_ll { u16 family, protocol; i32 index; u16 hatype; u8 pkttype, halen, addr[24]; };

static i64 device_ioctl(u32 request, struct ifreq *ifr) {
  i64 fd = open_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  i64 r = ask(fd, OP_IOCTL, request, (u64)ifr, 0, 0, 0);
  SYS(close, fd, 0, 0, 0, 0, 0);
  return r;
}
static i64 name_to_index(const char *name) {
  struct ifreq ifr;
  zero(&ifr, sizeof ifr);
  usize n = length(name, IFNAMSIZ);
  if (n == IFNAMSIZ) return -ENODEV;
  copy(ifr.name, name, n);
  i64 r = device_ioctl(SIOCGIFINDEX, &ifr);
  return r < 0 ? r : ifr.index;
}
static i64 index_to_name(u32 index, char *name) {
  struct ifreq ifr;
  zero(&ifr, sizeof ifr);
  ifr.index = (i32)index;
  i64 r = device_ioctl(SIOCGIFNAME, &ifr);
  if (r >= 0) copy(name, ifr.name, IFNAMSIZ);
  return r;
}

/* What a list is made in; its size stands before it, for release(). */
struct arena { u8 *base; usize used; };
static void *take(struct arena *a, usize n) {
  n = (n + 15) & ~15ul;
  if (a->used + n > ARENA) return 0;
  void *p = a->base + a->used;
  a->used += n;
  return p;
}
static void *keep(struct arena *a, const void *bytes, usize n, usize room) {
  void *p = take(a, room > n ? room : n);
  if (p) copy(p, bytes, n);
  return p;
}
static void release(void *list) {
  if (list) SYS(munmap, (u8 *)list - 16, ARENA, 0, 0, 0, 0);
}

struct seen;
typedef void visit(struct seen *to, const u8 *body, usize len);
struct seen { struct arena arena; visit *each; u16 wanted; int full; struct if_name *names; u32 count; struct ifaddrs *first, **end; };

/* One attribute of a message, or null. */
static struct attr *find(const u8 *body, usize len, usize from, u16 type) {
  for (usize at = from; at + 4 <= len;) {
    struct attr *a = (struct attr *)(body + at);
    if (a->len < 4 || at + a->len > len) return 0;
    if ((a->type & 0x3fff) == type) return a;
    at += (a->len + 3u) & ~3u;
  }
  return 0;
}
static i64 each_message(struct seen *s, const u8 *buf, usize n) {
  for (usize at = 0; at + sizeof(struct nlmsg) <= n;) {
    const struct nlmsg *m = (const void *)(buf + at);
    if (m->len < sizeof *m || at + m->len > n) return -EINVAL;
    if (m->type == NLMSG_DONE) return 1;
    if (m->type == NLMSG_ERROR) return *(const i32 *)(m + 1) ? *(const i32 *)(m + 1) : 1;
    if (m->type == s->wanted) s->each(s, (const u8 *)(m + 1), m->len - sizeof *m);
    at += (m->len + 3u) & ~3u;
  }
  return 0;
}
static i64 dump(struct seen *s, u16 request, u16 wanted, visit *each) {
  struct { struct nlmsg head; u8 body[16]; } q = {{32, request, 0x301 /* REQUEST, DUMP */, 1, 0}, {0}};
  i64 buf = pages(DATAGRAM);
  if (bad(buf)) return buf;
  i64 fd = open_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  i64 r = fd;
  s->wanted = wanted;
  s->each = each;
  if (fd >= 0) {
    r = ask(fd, OP_SENDTO, (u64)&q, sizeof q, 0, 0, 0);
    if (r > 0) r = 0;
    while (r == 0) {
      r = receive(fd, OP_RECVFROM, (u64)buf, DATAGRAM, 0, 0, 0);
      if (r >= 0) r = each_message(s, (const u8 *)buf, (usize)r);
    }
    SYS(close, fd, 0, 0, 0, 0, 0);
  }
  SYS(munmap, buf, DATAGRAM, 0, 0, 0, 0);
  if (s->full) return -ENOMEM;
  return r < 0 ? r : 0;
}
static int begin(struct seen *s) {
  zero(s, sizeof *s);
  i64 p = pages(ARENA);
  if (bad(p)) return (int)p;
  s->arena.base = (u8 *)p;
  s->arena.used = 16;
  return 0;
}

static void one_name(struct seen *s, const u8 *body, usize len) {
  struct attr *name = find(body, len, 16, IFLA_IFNAME);
  if (name == 0) return;
  char *text = s->count < MAX_NAMES - 1 ? keep(&s->arena, name->data, name->len - 4u, IFNAMSIZ) : 0;
  if (text == 0) {
    s->full = 1;
    return;
  }
  s->names[s->count].index = *(const u32 *)(body + 4);
  s->names[s->count++].name = text;
}
static i64 name_index(void) {
  struct seen s;
  i64 r = begin(&s);
  if (r) return r;
  s.names = take(&s.arena, MAX_NAMES * sizeof *s.names);
  r = dump(&s, RTM_GETLINK, RTM_NEWLINK, one_name);
  if (r == 0) return (i64)s.names;
  release(s.names);
  return r;
}

static struct ifaddrs *append(struct seen *s) {
  struct ifaddrs *i = take(&s->arena, sizeof *i);
  if (i == 0) s->full = 1;
  else {
    *s->end = i;
    s->end = &i->next;
  }
  return i;
}
static void *link_address(struct seen *s, const u8 *body, struct attr *a) {
  struct sockaddr_ll ll;
  zero(&ll, sizeof ll);
  ll.family = AF_PACKET;
  ll.index = *(const i32 *)(body + 4);
  ll.hatype = *(const u16 *)(body + 2);
  usize n = a ? a->len - 4u : 0;
  if (n > sizeof ll.addr) n = sizeof ll.addr;
  ll.halen = (u8)n;
  if (a) copy(ll.addr, a->data, n);
  return keep(&s->arena, &ll, sizeof ll, 0);
}
static void one_link(struct seen *s, const u8 *body, usize len) {
  struct attr *name = find(body, len, 16, IFLA_IFNAME), *stats = find(body, len, 16, IFLA_STATS);
  struct ifaddrs *i = name ? append(s) : 0;
  if (i == 0) return;
  i->name = keep(&s->arena, name->data, name->len - 4u, IFNAMSIZ);
  i->flags = *(const u32 *)(body + 8);
  i->addr = link_address(s, body, find(body, len, 16, IFLA_ADDRESS));
  i->other = link_address(s, body, find(body, len, 16, IFLA_BROADCAST));
  if (stats) i->data = keep(&s->arena, stats->data, stats->len - 4u, 0);
  if (!i->name || !i->addr || !i->other) s->full = 1;
}
static void *inet_address(struct seen *s, u8 family, u32 index, const u8 *address) {
  u8 sa[32];
  zero(sa, sizeof sa);
  sa[0] = family;
  copy(sa + (family == AF_INET ? 4 : 8), address, family == AF_INET ? 4 : 16);
  if (family == AF_INET6 && address[0] == 0xfe && (address[1] & 0xc0) == 0x80) *(u32 *)(sa + 24) = index;
  void *p = keep(&s->arena, sa, sizeof sa, 0);
  if (!p) s->full = 1;
  return p;
}
static void *inet_mask(struct seen *s, u8 family, u8 prefix) {
  u8 mask[16];
  for (u32 i = 0; i < 16; i++) {
    u32 bits = prefix > i * 8 ? prefix - i * 8 : 0;
    mask[i] = bits >= 8 ? 0xff : (u8)(0xff00u >> bits);
  }
  return inet_address(s, family, 0, mask);
}
static void one_address(struct seen *s, const u8 *body, usize len) {
  u8 family = body[0];
  u32 index = *(const u32 *)(body + 4);
  usize need = family == AF_INET ? 4 : 16;
  struct attr *peer = find(body, len, 8, IFA_ADDRESS), *local = find(body, len, 8, IFA_LOCAL);
  struct attr *label = find(body, len, 8, IFA_LABEL), *cast = find(body, len, 8, IFA_BROADCAST);
  struct ifaddrs *link = s->first;
  if ((family != AF_INET && family != AF_INET6) || !(peer || local)) return;
  if (!local) local = peer;
  if (local->len - 4u < need || (peer && peer->len - 4u < need) || (cast && cast->len - 4u < need)) return;
  while (link && ((struct sockaddr_ll *)link->addr)->family == AF_PACKET && ((struct sockaddr_ll *)link->addr)->index != (i32)index)
    link = link->next;
  struct ifaddrs *i = link ? append(s) : 0;
  if (i == 0) return;
  i->name = label ? keep(&s->arena, label->data, label->len - 4u, IFNAMSIZ) : link->name;
  i->flags = link->flags;
  i->addr = inet_address(s, family, index, local->data);
  i->netmask = inet_mask(s, family, body[1]);
  if (cast) i->other = inet_address(s, family, index, cast->data);
  else if (peer && peer != local) i->other = inet_address(s, family, index, peer->data);
}
static i64 addresses(void) {
  struct seen s;
  i64 r = begin(&s);
  if (r) return r;
  s.end = &s.first;
  r = dump(&s, RTM_GETLINK, RTM_NEWLINK, one_link);
  /* A machine without a protocol stack has no addresses. */
  if (r == 0 && (r = dump(&s, RTM_GETADDR, RTM_NEWADDR, one_address)) == -EOPNOTSUPP) r = 0;
  if (r == 0 && s.first) return (i64)s.first;
  SYS(munmap, s.arena.base, ARENA, 0, 0, 0, 0);
  return r;
}
