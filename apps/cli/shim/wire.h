/* SPDX-License-Identifier: GPL-2.0-only OR MIT
 * One system call of the program, asked of the machine over the descriptor's stream. The machine says what to copy in
 * and out; nothing here knows a structure. */
enum { OP_SOCKET, OP_BIND, OP_CONNECT, OP_GETSOCKNAME, OP_SETSOCKOPT, OP_GETSOCKOPT, OP_SENDTO, OP_RECVFROM, OP_SENDMSG,
  OP_RECVMSG, OP_IOCTL, OP_MMAP, OP_POLLARM, OP_GETPEERNAME, OP_SHUTDOWN, OP_OPEN = 20, OP_READ };
enum { WAKE, COPYIN, COPYOUT, RET };
enum { PIECE = 1 << 20, SMALL = 1024 };

struct request { u64 op, arg[6]; };
struct answer { u32 what, len; i64 val; };
_Static_assert(sizeof(struct request) == 56 && sizeof(struct answer) == 16, "as the machine has them");

extern char **environ;

/* The machine's socket; family 0: no machine, everything goes to the host. */
static struct sockaddr_un machine;
static u32 machine_len;
static i32 machine_known;
static i32 no_admin;

static const char *env(const char *name) {
  usize n = length(name, 64);
  if (environ == 0) return 0;
  for (char **e = environ; *e; e++) {
    usize i = 0;
    while (i < n && (*e)[i] == name[i]) i++;
    if (i == n && (*e)[n] == '=') return *e + n + 1;
  }
  return 0;
}
/* Once, before main() where the loader allows it: a program may clear its environment later. */
static int has_machine(void) {
  if (!__atomic_load_n(&machine_known, __ATOMIC_ACQUIRE)) {
    if (environ == 0) return 0;
    const char *path = env("VNET_SOCKET");
    usize n = path ? length(path, sizeof machine.path) : 0;
    if (n > 0 && n < sizeof machine.path) {
      copy(machine.path, path, n);
      machine_len = (u32)(2 + n + 1);
      machine.family = AF_UNIX;
    }
    const char *caps = env("VNET_CAPS");
    no_admin = caps && caps[0] == 'n';
    __atomic_store_n(&machine_known, 1, __ATOMIC_RELEASE);
  }
  return machine.family == AF_UNIX;
}
__attribute__((constructor)) static void at_start(void) {
  has_machine();
}

/* Ours is a stream to the machine's socket whose own name was made up by the kernel: five digits after a zero byte.
 * Another client of the machine, like the vnet command itself, has no name. Nothing is remembered, so that close, dup,
 * fork and exec need no hook. */
static int mine(i64 fd) {
  struct sockaddr_un sa;
  u32 len = sizeof sa;
  if (!has_machine() || bad(SYS(getpeername, fd, &sa, &len, 0, 0, 0))) return 0;
  if (sa.family != AF_UNIX || len != machine_len) return 0;
  for (u32 i = 0; i < len - 2; i++)
    if (sa.path[i] != machine.path[i]) return 0;
  len = sizeof sa;
  if (bad(SYS(getsockname, fd, &sa, &len, 0, 0, 0))) return 0;
  return len == 8 && sa.path[0] == 0;
}

/* One request at a time on a stream. The owner is a thread id: a signal's handler that comes back here while its own
 * thread holds the lock is turned away, and the lock of a thread that fork() did not copy is taken over. */
static i32 lock_owner;
static int lock(void) {
  i32 me = (i32)SYS(gettid, 0, 0, 0, 0, 0, 0);
  for (;;) {
    i32 owner = 0;
    if (__atomic_compare_exchange_n(&lock_owner, &owner, me, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return 0;
    if (owner == me) return -EINTR;
    i64 pid = SYS(getpid, 0, 0, 0, 0, 0, 0);
    if (SYS(tgkill, pid, owner, 0, 0, 0, 0) == -ESRCH &&
        __atomic_compare_exchange_n(&lock_owner, &owner, me, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
      return 0;
    struct timespec t = {0, 50000000};
    SYS(futex, &lock_owner, 128 /* WAIT, private */, owner, &t, 0, 0);
  }
}
static void unlock(void) {
  __atomic_store_n(&lock_owner, 0, __ATOMIC_RELEASE);
  SYS(futex, &lock_owner, 129 /* WAKE, private */, 1, 0, 0, 0);
}

/* Waits for the stream with the program's own signal mask: handlers run, and Ctrl-C ends the program. */
static void await(i64 fd, short events, u64 *mask) {
  struct pollfd p = {(i32)fd, events, 0};
  SYS(ppoll, &p, 1, 0, mask, 8, 0);
}
static int send_all(i64 fd, struct iovec *iov, usize n, u64 *mask) {
  struct msghdr m = {0, 0, iov, n, 0, 0, 0};
  while (m.iovlen > 0) {
    i64 r = SYS(sendmsg, fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0, 0);
    if (r == -EAGAIN) await(fd, POLLOUT, mask);
    else if (r < 0 && r != -EINTR) return -ENETDOWN;
    for (; r > 0 && m.iovlen > 0 && (usize)r >= m.iov->len; m.iovlen--) r -= (i64)m.iov++->len;
    if (r > 0) {
      m.iov->base = (u8 *)m.iov->base + r;
      m.iov->len -= (usize)r;
    } else
      while (m.iovlen > 0 && m.iov->len == 0) m.iov++, m.iovlen--;
  }
  return 0;
}
/* Reads all of it; -EFAULT when `to` is not the program's, with `*got` bytes taken. */
static int recv_all(i64 fd, void *to, usize len, usize *got, u64 *mask) {
  while (*got < len) {
    i64 r = SYS(recvfrom, fd, (u8 *)to + *got, len - *got, MSG_DONTWAIT, 0, 0);
    if (r == -EAGAIN) await(fd, POLLIN, mask);
    else if (r == -EFAULT) return -EFAULT;
    else if (r == 0 || (r < 0 && r != -EINTR)) return -ENETDOWN;
    else if (r > 0) *got += (usize)r;
  }
  return 0;
}

/* Copies bytes of the program that may not be there: the kernel does it and says EFAULT. */
static int fetch(void *to, u64 from, usize len) {
  struct iovec here = {to, len}, there = {(void *)from, len};
  i64 r = SYS(vm_readv, SYS(getpid, 0, 0, 0, 0, 0, 0), &here, 1, &there, 1, 0);
  if (r == (i64)len) return 0;
  if (r >= 0 || r == -EFAULT) return -EFAULT;
  /* Not allowed here: a pipe does it too, a page at a time. */
  i32 ends[2];
  if (bad(SYS(pipe2, ends, O_CLOEXEC, 0, 0, 0, 0))) return -ENOMEM;
  for (usize at = 0; at < len; at += (usize)r) {
    usize n = len - at < 4096 ? len - at : 4096;
    r = SYS(write, ends[1], from + at, n, 0, 0, 0);
    if (r <= 0 || SYS(read, ends[0], (u8 *)to + at, r, 0, 0, 0) != r) {
      r = -EFAULT;
      break;
    }
  }
  SYS(close, ends[0], 0, 0, 0, 0, 0);
  SYS(close, ends[1], 0, 0, 0, 0, 0);
  return r < 0 ? -EFAULT : 0;
}
static int copy_in(i64 fd, u64 from, usize len, u64 *mask) {
  u8 small[SMALL];
  u8 *buf = small;
  i64 status = -EFAULT;
  if (len > PIECE) return -ENETDOWN;
  if (len > SMALL) {
    i64 p = pages(len);
    buf = bad(p) ? 0 : (u8 *)p;
  }
  if (buf) status = len ? fetch(buf, from, len) : 0;
  struct iovec out[2] = {{&status, 8}, {buf, len}};
  int r = send_all(fd, out, status == 0 && len ? 2 : 1, mask);
  if (buf && buf != small) SYS(munmap, buf, len, 0, 0, 0, 0);
  return r;
}
/* The rest of what could not be stored must leave the stream all the same. */
static int copy_out(i64 fd, u64 to, usize len, i64 *fault, u64 *mask) {
  u8 waste[SMALL];
  usize got = 0;
  if (len > PIECE) return -ENETDOWN;
  int r = recv_all(fd, (void *)to, len, &got, mask);
  if (r != -EFAULT) return r;
  *fault = -EFAULT;
  while (got < len) {
    usize n = len - got < SMALL ? len - got : SMALL, done = 0;
    r = recv_all(fd, waste, n, &done, mask);
    if (r) return r;
    got += n;
  }
  return 0;
}
static i64 converse(i64 fd, struct request *q, u64 *mask) {
  struct iovec out = {q, sizeof *q};
  i64 fault = 0;
  if (send_all(fd, &out, 1, mask)) return -ENETDOWN;
  for (;;) {
    struct answer a;
    usize got = 0;
    int r = recv_all(fd, &a, sizeof a, &got, mask);
    if (r) return r;
    if (a.what == RET) return fault && a.val >= 0 ? fault : a.val;
    if (a.what == COPYIN) r = copy_in(fd, (u64)a.val, a.len, mask);
    else if (a.what == COPYOUT) r = copy_out(fd, (u64)a.val, a.len, &fault, mask);
    else if (a.what != WAKE) r = -ENETDOWN;
    if (r) return r;
  }
}
static i64 ask(i64 fd, u64 op, u64 a, u64 b, u64 c, u64 d, u64 e) {
  struct request q = {op, {a, b, c, d, e, 0}};
  u64 all = ~0ul, mask = 0;
  SYS(sigprocmask, 0, &all, &mask, 8, 0, 0);
  i64 r = lock();
  if (r == 0) {
    r = converse(fd, &q, &mask);
    unlock();
  }
  SYS(sigprocmask, 2, &mask, 0, 8, 0, 0);
  return r;
}

/* A stream to the machine, with a name by which it is known as ours. */
static i64 reach(u64 type) {
  static const u16 unnamed = AF_UNIX;
  i64 fd = SYS(socket, AF_UNIX, SOCK_STREAM | (type & SOCK_CLOEXEC), 0, 0, 0, 0);
  if (bad(fd)) return fd;
  i64 r = SYS(bind, fd, &unnamed, 2, 0, 0, 0);
  if (!bad(r)) do
      r = SYS(connect, fd, &machine, machine_len, 0, 0, 0);
    while (r == -EINTR);
  if (!bad(r)) {
    if (type & SOCK_NONBLOCK) SYS(fcntl, fd, F_SETFL, O_RDWR | O_NONBLOCK, 0, 0, 0);
    return fd;
  }
  SYS(close, fd, 0, 0, 0, 0, 0);
  return -ENETDOWN;
}
/* Opens a socket of the machine. */
static i64 open_socket(u64 domain, u64 type, u64 protocol) {
  i64 fd = reach(type);
  if (fd < 0) return fd;
  i64 r = ask(fd, OP_SOCKET, domain, type, protocol, (u64)SYS(getpid, 0, 0, 0, 0, 0, 0), (u64)no_admin);
  if (r >= 0) return fd;
  SYS(close, fd, 0, 0, 0, 0, 0);
  return r;
}

/* A call that may wait. The machine is asked not to; the waiting is done here, by looking at the stream without taking
 * anything from it, so that signals, SA_RESTART, SO_RCVTIMEO and O_NONBLOCK work as the host's kernel does them. */
static i64 receive(i64 fd, u64 op, u64 a, u64 b, u64 flags, u64 d, u64 e) {
  int wait = !(flags & (MSG_DONTWAIT | MSG_ERRQUEUE));
  for (;;) {
    i64 r = op == OP_RECVMSG ? ask(fd, op, a, flags | MSG_DONTWAIT, 0, 0, 0)
                             : ask(fd, op, a, b, flags | MSG_DONTWAIT, d, e);
    if (r != -EAGAIN || !wait) return r;
    if ((SYS(fcntl, fd, F_GETFL, 0, 0, 0, 0) & O_NONBLOCK) != 0) return r;
    u8 peek;
    r = SYS(recvfrom, fd, &peek, 1, MSG_PEEK, 0, 0);
    if (r == 0) return -ENETDOWN;
    if (bad(r)) return r;
  }
}
