import { loadKoffi } from './koffi.ts'
import type { ForeignFunction, Koffi } from './koffi.ts'
import { stayLoaded } from './stay-loaded.ts'

const PROTOTYPES = {
  open: 'int open(const char *path, int flags, int mode)',
  close: 'int close(int fd)',
  read: 'intptr read(int fd, int64_t address, size_t bytes)',
  write: 'intptr write(int fd, int64_t address, size_t bytes)',
  writev: 'intptr writev(int fd, int64_t vectors, int count)',
  ioctl: 'int ioctl(int fd, unsigned long request, int64_t argument)',
  fcntl: 'int fcntl(int fd, int command, int64_t argument)',
  socket: 'int socket(int domain, int type, int protocol)',
  bind: 'int bind(int fd, int64_t address, uint32_t bytes)',
  connect: 'int connect(int fd, int64_t address, uint32_t bytes)',
  send: 'intptr send(int fd, int64_t address, size_t bytes, int flags)',
  sendto: 'intptr sendto(int fd, int64_t address, size_t bytes, int flags, int64_t to, uint32_t toBytes)',
  recv: 'intptr recv(int fd, int64_t address, size_t bytes, int flags)',
  setsockopt: 'int setsockopt(int fd, int level, int name, int64_t value, uint32_t bytes)',
  getsockopt: 'int getsockopt(int fd, int level, int name, int64_t value, int64_t bytes)',
  mmap: 'int64_t mmap(int64_t address, size_t bytes, int protection, int flags, int fd, int64_t offset)',
  sched_yield: 'int sched_yield()',
  poll: 'int poll(int64_t fds, unsigned long count, int timeout)',
  eventfd: 'int eventfd(uint32_t count, int flags)',
  if_nametoindex: 'uint32_t if_nametoindex(const char *name)',
  setns: 'int setns(int fd, int kind)',
  unshare: 'int unshare(int kinds)',
} as const

/** Functions of libuv, where the node binary exports them. */
const UV_PROTOTYPES = {
  uv_default_loop: 'int64_t uv_default_loop()',
  uv_backend_fd: 'int uv_backend_fd(int64_t loop)',
  uv_backend_timeout: 'int uv_backend_timeout(int64_t loop)',
} as const

/** Functions of libuv. */
export type UvFunctions = { readonly [name in keyof typeof UV_PROTOTYPES]: ForeignFunction }

/** The C library’s functions this package knows. Addresses are numbers: user space ends below 2^47. */
export type LibcFunctions = { readonly [name in keyof typeof PROTOTYPES]: ForeignFunction }

/**
 * The C library of this process.
 *
 * Its functions return what C does, -1 for an error; `errno()` right after says which. Nothing is checked: an address
 * must be of memory that lives (`HostMemory`, `Mapping`, `MemoryAddress`). For what is not on a hot path use `sys`.
 *
 * @kernel none
 */
export interface Libc extends LibcFunctions {
  readonly koffi: Koffi
  /** What is asked of libuv; null where the node binary does not export it. */
  readonly uv: UvFunctions | null
  /** The number the last call left, positive. */
  errno(): number
  /** Says whether this process exports a function, such as `uv_poll_start`. */
  exports(name: string): boolean
}

let loaded: Libc | null = null

/**
 * The C library, loaded at the first call. There is one in a process, so this is not state of anybody.
 *
 * @throws Errno EOPNOTSUPP on another system than Linux, ENOSYS when koffi does not load
 * @kernel none
 */
export function libc(): Libc {
  return (loaded ??= bindLibc(loadKoffi()))
}

function bindLibc(koffi: Koffi): Libc {
  stayLoaded(koffi)
  const library = koffi.load(null)
  const bind = <T>(prototypes: { readonly [name in keyof T]: string }): {
    [name in keyof T]: ForeignFunction
  } =>
    Object.fromEntries(
      Object.entries<string>(prototypes).map(([name, prototype]) => [name, library.func(prototype)]),
    ) as { [name in keyof T]: ForeignFunction }
  const exports = (name: string): boolean => {
    try {
      return library.symbol(name) !== null
    } catch {
      return false
    }
  }
  const uv = Object.keys(UV_PROTOTYPES).every(exports) ? bind(UV_PROTOTYPES) : null
  return { ...bind(PROTOTYPES), koffi, uv, errno: () => koffi.errno(), exports }
}
