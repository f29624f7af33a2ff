/* SPDX-License-Identifier: GPL-2.0-only OR MIT
 * Preloaded into a program: its network system calls go to a vnet machine instead of the host's kernel. Runs on glibc and
 * musl alike; of the C library it needs __errno_location and environ, and fdopen() where there is one. Built by scripts/shim-build.mjs. */
#include "host.h"
#include "wire.h"
#include "names.h"
#include "files.h"

#define HOOK __attribute__((visibility("default")))
extern i32 *__errno_location(void);
static i64 out(i64 r) {
  if (!bad(r)) return r;
  *__errno_location() = (i32)-r;
  return -1;
}
/* The host's own call when the descriptor is not the machine's. */
#define ELSE_HOST(fd, nr, ...) \
  if (!mine(fd)) return out(SYS(nr, __VA_ARGS__))

HOOK i32 socket(i32 domain, i32 type, i32 protocol) {
  if (has_machine() && (domain == AF_NETLINK || domain == AF_INET || domain == AF_INET6 || domain == AF_PACKET))
    return (i32)out(open_socket((u64)domain, (u32)type, (u32)protocol));
  return (i32)out(SYS(socket, domain, type, protocol, 0, 0, 0));
}
HOOK i32 bind(i32 fd, const void *addr, u32 len) {
  ELSE_HOST(fd, bind, fd, addr, len, 0, 0, 0);
  return (i32)out(ask(fd, OP_BIND, (u64)addr, len, 0, 0, 0));
}
HOOK i32 connect(i32 fd, const void *addr, u32 len) {
  ELSE_HOST(fd, connect, fd, addr, len, 0, 0, 0);
  return (i32)out(ask(fd, OP_CONNECT, (u64)addr, len, 0, 0, 0));
}
HOOK i32 getsockname(i32 fd, void *addr, u32 *len) {
  ELSE_HOST(fd, getsockname, fd, addr, len, 0, 0, 0);
  return (i32)out(ask(fd, OP_GETSOCKNAME, (u64)addr, (u64)len, 0, 0, 0));
}
HOOK i32 getpeername(i32 fd, void *addr, u32 *len) {
  ELSE_HOST(fd, getpeername, fd, addr, len, 0, 0, 0);
  return (i32)out(ask(fd, OP_GETPEERNAME, (u64)addr, (u64)len, 0, 0, 0));
}
HOOK i32 shutdown(i32 fd, i32 how) {
  ELSE_HOST(fd, shutdown, fd, how, 0, 0, 0, 0);
  return (i32)out(ask(fd, OP_SHUTDOWN, (u64)how, 0, 0, 0, 0));
}
/* How long to wait for something to read is kept by the stream itself: that is where the waiting is done. */
HOOK i32 setsockopt(i32 fd, i32 level, i32 name, const void *val, u32 len) {
  if (!mine(fd) || (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_RCVTIMEO_NEW)))
    return (i32)out(SYS(setsockopt, fd, level, name, val, len, 0));
  return (i32)out(ask(fd, OP_SETSOCKOPT, (u32)level, (u32)name, (u64)val, len, 0));
}
HOOK i32 getsockopt(i32 fd, i32 level, i32 name, void *val, u32 *len) {
  if (!mine(fd) || (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_RCVTIMEO_NEW)))
    return (i32)out(SYS(getsockopt, fd, level, name, val, len, 0));
  return (i32)out(ask(fd, OP_GETSOCKOPT, (u32)level, (u32)name, (u64)val, (u64)len, 0));
}

HOOK i64 sendto(i32 fd, const void *buf, usize len, i32 flags, const void *addr, u32 alen) {
  ELSE_HOST(fd, sendto, fd, buf, len, flags, addr, alen);
  return out(ask(fd, OP_SENDTO, (u64)buf, len, (u32)flags, (u64)addr, alen));
}
HOOK i64 send(i32 fd, const void *buf, usize len, i32 flags) {
  return sendto(fd, buf, len, flags, 0, 0);
}
HOOK i64 sendmsg(i32 fd, const struct msghdr *msg, i32 flags) {
  ELSE_HOST(fd, sendmsg, fd, msg, flags, 0, 0, 0);
  return out(ask(fd, OP_SENDMSG, (u64)msg, (u32)flags, 0, 0, 0));
}
HOOK i32 sendmmsg(i32 fd, struct mmsghdr *msgs, u32 n, i32 flags) {
  ELSE_HOST(fd, sendmmsg, fd, msgs, n, flags, 0, 0);
  for (u32 i = 0; i < n; i++) {
    i64 r = ask(fd, OP_SENDMSG, (u64)&msgs[i].hdr, (u32)flags, 0, 0, 0);
    if (r < 0) return i > 0 ? (i32)i : (i32)out(r);
    msgs[i].len = (u32)r;
  }
  return (i32)n;
}
HOOK i64 recvfrom(i32 fd, void *buf, usize len, i32 flags, void *addr, u32 *alen) {
  ELSE_HOST(fd, recvfrom, fd, buf, len, flags, addr, alen);
  return out(receive(fd, OP_RECVFROM, (u64)buf, len, (u32)flags, (u64)addr, (u64)alen));
}
HOOK i64 recv(i32 fd, void *buf, usize len, i32 flags) {
  return recvfrom(fd, buf, len, flags, 0, 0);
}
HOOK i64 __recv_chk(i32 fd, void *buf, usize len, usize room, i32 flags) {
  if (len > room) __builtin_trap();
  return recvfrom(fd, buf, len, flags, 0, 0);
}
HOOK i64 __recvfrom_chk(i32 fd, void *buf, usize len, usize room, i32 flags, void *addr, u32 *alen) {
  if (len > room) __builtin_trap();
  return recvfrom(fd, buf, len, flags, addr, alen);
}
HOOK i64 recvmsg(i32 fd, struct msghdr *msg, i32 flags) {
  ELSE_HOST(fd, recvmsg, fd, msg, flags, 0, 0, 0);
  return out(receive(fd, OP_RECVMSG, (u64)msg, 0, (u32)flags, 0, 0));
}
HOOK i32 recvmmsg(i32 fd, struct mmsghdr *msgs, u32 n, i32 flags, struct timespec *limit) {
  ELSE_HOST(fd, recvmmsg, fd, msgs, n, flags, limit, 0);
  for (u32 i = 0; i < n; i++) {
    u32 f = (u32)flags & ~(u32)MSG_WAITFORONE;
    if (i > 0 && (flags & MSG_WAITFORONE)) f |= MSG_DONTWAIT;
    i64 r = receive(fd, OP_RECVMSG, (u64)&msgs[i].hdr, 0, f, 0, 0);
    if (r < 0) return i > 0 ? (i32)i : (i32)out(r);
    msgs[i].len = (u32)r;
  }
  return (i32)n;
}
HOOK i64 read(i32 fd, void *buf, usize len) {
  ELSE_HOST(fd, read, fd, buf, len, 0, 0, 0);
  return out(receive(fd, OP_RECVFROM, (u64)buf, len, 0, 0, 0));
}
HOOK i64 __read_chk(i32 fd, void *buf, usize len, usize room) {
  if (len > room) __builtin_trap();
  return read(fd, buf, len);
}
HOOK i64 write(i32 fd, const void *buf, usize len) {
  ELSE_HOST(fd, write, fd, buf, len, 0, 0, 0);
  return out(ask(fd, OP_SENDTO, (u64)buf, len, 0, 0, 0));
}
HOOK i64 readv(i32 fd, struct iovec *iov, i32 n) {
  ELSE_HOST(fd, readv, fd, iov, n, 0, 0, 0);
  struct msghdr m = {0, 0, iov, (usize)n, 0, 0, 0};
  return out(receive(fd, OP_RECVMSG, (u64)&m, 0, 0, 0, 0));
}
HOOK i64 writev(i32 fd, struct iovec *iov, i32 n) {
  ELSE_HOST(fd, writev, fd, iov, n, 0, 0, 0);
  struct msghdr m = {0, 0, iov, (usize)n, 0, 0, 0};
  return out(ask(fd, OP_SENDMSG, (u64)&m, 0, 0, 0, 0));
}

/* Requests about devices may come on any socket, an AF_UNIX one too; those about the descriptor itself are the host's. */
HOOK i32 ioctl(i32 fd, u64 request, void *arg) {
  u32 req = (u32)request;
  u32 kind = req >> 8;
  int device = kind == 0x89 ? (req & 0xff) > 0x0a : kind == 0x8b;
  if (device && has_machine() && !mine(fd)) {
    u32 none = 0;
    if (SYS(getsockname, fd, &none, &none, 0, 0, 0) == -ENOTSOCK) device = 0;
    if (device) {
      i64 s = open_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (s < 0) return (i32)out(s);
      i64 r = ask(s, OP_IOCTL, req, (u64)arg, 0, 0, 0);
      SYS(close, s, 0, 0, 0, 0, 0);
      return (i32)out(r);
    }
  }
  int descriptor = req == 0x5421 || req == 0x5450 || req == 0x5451 || req == 0x5452;
  if (descriptor || !mine(fd)) return (i32)out(SYS(ioctl, fd, request, arg, 0, 0, 0));
  return (i32)out(ask(fd, OP_IOCTL, req, (u64)arg, 0, 0, 0));
}

/* AF_PACKET's rings: a file that the machine made and both map. */
HOOK void *mmap(void *addr, usize len, i32 prot, i32 flags, i32 fd, i64 offset) {
  if (fd < 0 || !mine(fd)) return (void *)out(SYS(mmap, addr, len, prot, flags, fd, offset));
  char path[256];
  zero(path, sizeof path);
  i64 r = ask(fd, OP_MMAP, len, (u64)path, sizeof path - 1, 0, 0);
  if (r < 0) return (void *)out(r);
  i64 file = SYS(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0, 0, 0);
  if (bad(file)) return (void *)out(-ENODEV);
  r = SYS(mmap, addr, len, prot, flags, file, offset);
  SYS(close, file, 0, 0, 0, 0, 0);
  return (void *)out(r);
}
HOOK void *mmap64(void *addr, usize len, i32 prot, i32 flags, i32 fd, i64 offset) {
  return mmap(addr, len, prot, flags, fd, offset);
}

/* A stream stays readable until its WAKE was taken, which a reader of a ring never does: take it here. The machine
 * sends another when there is something still. */
static i32 poll_host(struct pollfd *fds, u64 n, struct timespec *t, const void *mask) {
  if (has_machine())
    for (u64 i = 0; i < n; i++)
      if (fds[i].fd >= 0 && mine(fds[i].fd)) ask(fds[i].fd, OP_POLLARM, (u16)fds[i].events, 0, 0, 0, 0);
  return (i32)out(SYS(ppoll, fds, n, t, mask, 8, 0));
}
HOOK i32 poll(struct pollfd *fds, u64 n, i32 ms) {
  struct timespec t = {ms / 1000, ms % 1000 * 1000000l};
  return poll_host(fds, n, ms < 0 ? 0 : &t, 0);
}
HOOK i32 __poll_chk(struct pollfd *fds, u64 n, i32 ms, usize room) {
  if (room / sizeof *fds < n) __builtin_trap();
  return poll(fds, n, ms);
}
HOOK i32 ppoll(struct pollfd *fds, u64 n, const struct timespec *limit, const void *mask) {
  struct timespec t = limit ? *limit : (struct timespec){0, 0};
  return poll_host(fds, n, limit ? &t : 0, mask);
}

HOOK u32 if_nametoindex(const char *name) {
  i64 r = name_to_index(name);
  return r < 0 ? (out(r), 0) : (u32)r;
}
HOOK char *if_indextoname(u32 index, char *name) {
  i64 r = index_to_name(index, name);
  return r < 0 ? (out(r == -ENODEV ? -ENXIO : r), (char *)0) : name;
}
HOOK struct if_name *if_nameindex(void) {
  i64 r = name_index();
  return bad(r) ? (out(r), (struct if_name *)0) : (struct if_name *)r;
}
HOOK void if_freenameindex(struct if_name *list) {
  release(list);
}
HOOK i32 getifaddrs(struct ifaddrs **list) {
  i64 r = addresses();
  *list = bad(r) ? 0 : (struct ifaddrs *)r;
  return bad(r) ? (i32)out(r) : 0;
}
HOOK void freeifaddrs(struct ifaddrs *list) {
  release(list);
}

HOOK i32 openat(i32 dir, const char *path, i32 flags, u32 mode) {
  if (machine_path(path)) return (i32)out(open_file(path, (u32)flags));
  return (i32)out(SYS(openat, dir, path, flags, mode, 0, 0));
}
HOOK i32 open(const char *path, i32 flags, u32 mode) {
  return openat(AT_FDCWD, path, flags, mode);
}
HOOK i32 open64(const char *path, i32 flags, u32 mode) {
  return openat(AT_FDCWD, path, flags, mode);
}
HOOK i32 openat64(i32 dir, const char *path, i32 flags, u32 mode) {
  return openat(dir, path, flags, mode);
}
HOOK i32 __open_2(const char *path, i32 flags) {
  return openat(AT_FDCWD, path, flags, 0);
}
HOOK i32 __open64_2(const char *path, i32 flags) {
  return openat(AT_FDCWD, path, flags, 0);
}
HOOK i32 __openat_2(i32 dir, const char *path, i32 flags) {
  return openat(dir, path, flags, 0);
}
/* The library opens inside itself here; it takes a descriptor instead. */
extern void *fdopen(i32 fd, const char *mode) __attribute__((weak));
HOOK void *fopen(const char *path, const char *mode) {
  u64 flags = mode[0] == 'a' ? 02001 : mode[0] == 'w' ? 01 : 0;
  for (const char *m = mode; *m && *m != ','; m++) {
    if (*m == '+') flags = (flags & ~1ul) | O_RDWR;
    if (*m == 'x') flags |= 0200;
    if (*m == 'e') flags |= O_CLOEXEC;
  }
  if (mode[0] != 'r') flags |= 0100 | (mode[0] == 'w' ? 01000 : 0);
  i64 fd = machine_path(path) ? open_file(path, flags) : SYS(openat, AT_FDCWD, path, flags, 0666, 0, 0);
  if (bad(fd)) return out(fd), (void *)0;
  void *file = fdopen ? fdopen((i32)fd, mode) : 0;
  if (file == 0) SYS(close, fd, 0, 0, 0, 0, 0);
  return file;
}
HOOK void *fopen64(const char *path, const char *mode) {
  return fopen(path, mode);
}
