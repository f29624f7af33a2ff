// Numbers of the Linux system-call interface, the same on every architecture koffi has Linux binaries for.

/** Flags of `open()`. @kernel O_RDWR include/uapi/asm-generic/fcntl.h */
export const O = { RDONLY: 0, RDWR: 2, NONBLOCK: 0o4000, CLOEXEC: 0o2000000 } as const
/** Address families. @kernel AF_PACKET include/linux/socket.h */
export const AF = { UNIX: 1, INET: 2, NETLINK: 16, PACKET: 17 } as const
/** Socket types; the last two are bits. @kernel SOCK_DGRAM include/linux/net.h */
export const SOCK = { STREAM: 1, DGRAM: 2, RAW: 3, NONBLOCK: 0o4000, CLOEXEC: 0o2000000 } as const
/** Protection and kind of a mapping. @kernel PROT_READ include/uapi/asm-generic/mman-common.h */
export const MMAP = {
  PROT_READ: 1,
  PROT_WRITE: 2,
  SHARED: 1,
  PRIVATE: 2,
  FIXED: 0x10,
  ANONYMOUS: 0x20,
  LOCKED: 0x2000,
  NORESERVE: 0x4000,
} as const
/** Flags of `send()` and `recv()`. @kernel MSG_DONTWAIT include/linux/socket.h */
export const MSG = { DONTWAIT: 0x40, NOSIGNAL: 0x4000 } as const
/** Interface flags. @kernel IFF_UP include/uapi/linux/if.h */
export const IFF = { UP: 1, RUNNING: 0x40, PROMISC: 0x100 } as const
/** Error numbers met on hot paths, positive as `errno()` gives them. @kernel EAGAIN include/uapi/asm-generic/errno-base.h */
export const E = {
  PERM: 1,
  NOENT: 2,
  INTR: 4,
  IO: 5,
  NXIO: 6,
  BADF: 9,
  AGAIN: 11,
  NOMEM: 12,
  ACCES: 13,
  BUSY: 16,
  NODEV: 19,
  INVAL: 22,
  BADFD: 77,
  MSGSIZE: 90,
  NETDOWN: 100,
  CONNRESET: 104,
  NOBUFS: 105,
  NOTCONN: 107,
  CONNREFUSED: 111,
} as const
