/* SPDX-License-Identifier: GPL-2.0-only OR MIT
 * The host's kernel, without a C library: raw system calls, and the few numbers and structures of its ABI (64 bit). */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int i32;
typedef long i64;
typedef unsigned long usize;
_Static_assert(sizeof(long) == 8 && sizeof(void *) == 8, "a 64 bit machine");

#if defined(__x86_64__)
enum {
  NR_read = 0, NR_write = 1, NR_close = 3, NR_mmap = 9, NR_munmap = 11, NR_sigprocmask = 14, NR_ioctl = 16,
  NR_readv = 19, NR_writev = 20, NR_getpid = 39, NR_socket = 41, NR_connect = 42, NR_sendto = 44, NR_recvfrom = 45,
  NR_sendmsg = 46, NR_recvmsg = 47, NR_shutdown = 48, NR_bind = 49, NR_getsockname = 51, NR_getpeername = 52,
  NR_setsockopt = 54, NR_getsockopt = 55, NR_fcntl = 72, NR_gettid = 186, NR_futex = 202, NR_tgkill = 234,
  NR_lseek = 8, NR_openat = 257, NR_ppoll = 271, NR_pipe2 = 293, NR_recvmmsg = 299, NR_sendmmsg = 307, NR_vm_readv = 310,
  NR_memfd_create = 319,
};
static i64 sys6(i64 nr, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f) {
  i64 ret;
  register i64 r10 __asm__("r10") = d;
  register i64 r8 __asm__("r8") = e;
  register i64 r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(ret)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return ret;
}
#elif defined(__aarch64__)
enum {
  NR_fcntl = 25, NR_ioctl = 29, NR_openat = 56, NR_close = 57, NR_lseek = 62, NR_pipe2 = 59, NR_read = 63, NR_write = 64,
  NR_readv = 65, NR_writev = 66, NR_ppoll = 73, NR_futex = 98, NR_tgkill = 131, NR_sigprocmask = 135,
  NR_getpid = 172, NR_gettid = 178, NR_socket = 198, NR_bind = 200, NR_connect = 203, NR_getsockname = 204,
  NR_getpeername = 205, NR_sendto = 206, NR_recvfrom = 207, NR_setsockopt = 208, NR_getsockopt = 209,
  NR_shutdown = 210, NR_sendmsg = 211, NR_recvmsg = 212, NR_munmap = 215, NR_mmap = 222, NR_recvmmsg = 243,
  NR_sendmmsg = 269, NR_vm_readv = 270, NR_memfd_create = 279,
};
static i64 sys6(i64 nr, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f) {
  register i64 x8 __asm__("x8") = nr;
  register i64 x0 __asm__("x0") = a;
  register i64 x1 __asm__("x1") = b;
  register i64 x2 __asm__("x2") = c;
  register i64 x3 __asm__("x3") = d;
  register i64 x4 __asm__("x4") = e;
  register i64 x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory", "cc");
  return x0;
}
#else
#error "no system calls known for this processor"
#endif
#define SYS(nr, a, b, c, d, e, f) sys6(NR_##nr, (i64)(a), (i64)(b), (i64)(c), (i64)(d), (i64)(e), (i64)(f))

enum { EINTR = 4, EAGAIN = 11, ENOMEM = 12, EFAULT = 14, ENXIO = 6, EACCES = 13, ENODEV = 19, EINVAL = 22, ENOTSOCK = 88,
  ENETDOWN = 100, ESRCH = 3, EOPNOTSUPP = 95 };
enum { AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_PACKET = 17 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_NONBLOCK = 04000, SOCK_CLOEXEC = 02000000 };
enum { MSG_PEEK = 2, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_ERRQUEUE = 0x2000, MSG_NOSIGNAL = 0x4000, MSG_WAITFORONE = 0x10000 };
enum { SOL_SOCKET = 1, SO_RCVTIMEO = 20, SO_RCVTIMEO_NEW = 66 };
enum { F_GETFL = 3, F_SETFL = 4, AT_FDCWD = -100, O_RDWR = 2, O_ACCMODE = 3, O_NONBLOCK = 04000, O_CLOEXEC = 02000000 };
enum { POLLIN = 1, POLLOUT = 4 };
enum { PROT_RW = 3, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20 };

struct iovec { void *base; usize len; };
struct msghdr { void *name; u32 namelen; struct iovec *iov; usize iovlen; void *control; usize controllen; i32 flags; };
struct mmsghdr { struct msghdr hdr; u32 len; };
struct pollfd { i32 fd; short events, revents; };
struct timespec { i64 sec, nsec; };
struct sockaddr_un { u16 family; char path[108]; };
_Static_assert(sizeof(struct msghdr) == 56 && sizeof(struct mmsghdr) == 64, "as the kernel has them");

static void copy(void *to, const void *from, usize n) {
  u8 *t = to;
  const u8 *f = from;
  while (n--) *t++ = *f++;
}
static void zero(void *to, usize n) {
  u8 *t = to;
  while (n--) *t++ = 0;
}
static usize length(const char *s, usize max) {
  usize n = 0;
  while (n < max && s[n]) n++;
  return n;
}
static i64 pages(usize n) {
  return SYS(mmap, 0, n, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static int bad(i64 r) {
  return r < 0 && r > -4096;
}
