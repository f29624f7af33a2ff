import { Sys, utf8 } from '@vnet/netlink'
import { close, scoped, syscall } from './libc.ts'
import type { Process, Syscalls } from './process.ts'
import { textFrom } from './text.ts'

/** Flags of {@link open}. @kernel O_RDONLY include/uapi/asm-generic/fcntl.h */
export const OpenFlag = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: 0o200000,
} as const

const PIECE = 64 * 1024
const MAX_LINK = 4096

type Counted = readonly [bigint, number]

/** Text and its length, as the calls for paths and names want it. */
function counted(process: Process, text: string): Counted {
  const bytes = utf8(text)
  return [process.memory.put(bytes), bytes.length]
}

/** @throws Errno @kernel sys_open() fs/open.c */
export function open(process: Process, path: string, flags: number = OpenFlag.RDONLY): Syscalls<number> {
  return scoped(process, () => syscall(null, Sys.open, [...counted(process, path), flags]))
}

/** Up to `max` bytes; none: the end. @throws Errno @kernel sys_read() fs/read_write.c */
export function read(process: Process, fd: number, max: number = PIECE): Syscalls<Uint8Array> {
  return intoBuffer(process, fd, Sys.read, [], max)
}

/** @returns bytes written @throws Errno @kernel sys_write() fs/read_write.c */
export function write(process: Process, fd: number, bytes: Uint8Array): Syscalls<number> {
  return scoped(process, () => syscall(fd, Sys.write, [process.memory.put(bytes), bytes.length]))
}

/** Names in a directory, those of directories with a slash at the end. @throws Errno @kernel sys_getdents() fs/readdir.c */
export function* getdents(process: Process, fd: number): Syscalls<readonly string[]> {
  let text = ''
  for (;;) {
    const bytes = yield* intoBuffer(process, fd, Sys.getdents, [], PIECE)
    if (bytes.length === 0) break
    text += textFrom(bytes)
    if (bytes.length < PIECE) break
  }
  return text.split('\n').filter((name) => name !== '')
}

/** Where a link points. @throws Errno @kernel sys_readlink() fs/stat.c */
export function* readlink(process: Process, path: string): Syscalls<string> {
  return textFrom(
    yield* scoped(process, () => intoBuffer(process, null, Sys.readlink, counted(process, path), MAX_LINK)),
  )
}

/** What {@link stat} tells. @kernel struct stat include/uapi/asm-generic/stat.h */
export interface Stat {
  readonly kind: 'file' | 'dir' | 'link'
  readonly mode: number
  readonly size: bigint
}

/** @throws Errno @kernel sys_stat() fs/stat.c */
export function stat(process: Process, path: string): Syscalls<Stat> {
  return scoped(process, function* () {
    const buffer = process.memory.alloc(16)
    yield* syscall(null, Sys.stat, [...counted(process, path), buffer])
    const view = new DataView(process.memory.get(buffer, 16).buffer)
    const kind = view.getUint32(0, true)
    return {
      kind: kind === 2 ? 'dir' : kind === 3 ? 'link' : 'file',
      mode: view.getUint32(4, true),
      size: view.getBigUint64(8, true),
    }
  })
}

/** The whole text of a file. @throws Errno @kernel none */
export function* readFile(process: Process, path: string): Syscalls<string> {
  const fd = yield* open(process, path)
  try {
    let text = ''
    for (;;) {
      const bytes = yield* read(process, fd)
      if (bytes.length === 0) return text
      text += textFrom(bytes)
    }
  } finally {
    yield* close(fd)
  }
}

// ── modules, log, machine

/** @throws Errno @kernel sys_init_module() kernel/module/main.c */
export function initModule(process: Process, name: string, args: string): Syscalls<number> {
  return scoped(process, () =>
    syscall(null, Sys.initModule, [...counted(process, name), ...counted(process, args)]),
  )
}

/** @throws Errno @kernel sys_delete_module() kernel/module/main.c */
export function deleteModule(process: Process, name: string, flags = 0): Syscalls<number> {
  return scoped(process, () => syscall(null, Sys.deleteModule, [...counted(process, name), flags]))
}

/** Types of {@link syslog}. @kernel SYSLOG_ACTION_READ include/linux/syslog.h */
export const SyslogAction = {
  READ: 2,
  READ_ALL: 3,
  READ_CLEAR: 4,
  CLEAR: 5,
  CONSOLE_LEVEL: 8,
  SIZE_BUFFER: 10,
} as const

/** Records of the log as lines of /dev/kmsg. @param from - for READ: the number of the first one wanted; 0: those nobody read @throws Errno @kernel sys_syslog() kernel/printk/printk.c */
export function* syslog(process: Process, action: number, length: number, from = 0): Syscalls<string> {
  return textFrom(
    yield* scoped(process, function* () {
      const buffer = process.memory.alloc(length)
      const got = yield* syscall(null, Sys.syslog, [action, buffer, length, from])
      return process.memory.get(buffer, Math.min(got, length))
    }),
  )
}

/** The number a syslog action gives, such as the size of the buffer. @throws Errno @kernel sys_syslog() kernel/printk/printk.c */
export function syslogNumber(action: number): Syscalls<number> {
  return syscall(null, Sys.syslog, [action, 0, 0])
}

/** @throws Errno @kernel sys_reboot() kernel/reboot.c */
export function reboot(command: number): Syscalls<number> {
  return syscall(null, Sys.reboot, [command])
}

/** What {@link uname} tells. @kernel struct new_utsname include/uapi/linux/utsname.h */
export interface Utsname {
  readonly sysname: string
  readonly nodename: string
  readonly release: string
  readonly version: string
  readonly machine: string
}

/** @throws Errno @kernel sys_newuname() kernel/sys.c */
export function* uname(process: Process): Syscalls<Utsname> {
  const bytes = yield* intoBuffer(process, null, Sys.uname, [], MAX_LINK)
  const [sysname = '', nodename = '', release = '', version = '', machine = ''] = textFrom(bytes).split('\n')
  return { sysname, nodename, release, version, machine }
}

// ── time

/** Clocks of {@link clockGettime}. @kernel CLOCK_REALTIME include/uapi/linux/time.h */
export const ClockId = { REALTIME: 0, MONOTONIC: 1 } as const

/** Seconds and nanoseconds of the machine's clock. @throws Errno @kernel sys_clock_gettime() kernel/time/posix-timers.c */
export function clockGettime(process: Process, id: number): Syscalls<{ sec: number; nsec: number }> {
  return scoped(process, function* () {
    const buffer = process.memory.alloc(16)
    yield* syscall(null, Sys.clockGettime, [id, buffer])
    const view = new DataView(process.memory.get(buffer, 16).buffer)
    return { sec: Number(view.getBigInt64(0, true)), nsec: Number(view.getBigInt64(8, true)) }
  })
}

/** Sleeps on the machine's clock. @throws Errno EINTR @kernel sys_nanosleep() kernel/time/hrtimer.c */
export function nanosleep(ns: number): Syscalls<number> {
  return syscall(null, Sys.nanosleep, [Math.trunc(ns)])
}

/** A call that fills a buffer and returns how much. */
function intoBuffer(
  process: Process,
  fd: number | null,
  op: number,
  before: readonly (number | bigint)[],
  max: number,
): Syscalls<Uint8Array> {
  return scoped(process, function* () {
    const buffer = process.memory.alloc(max)
    const got = yield* syscall(fd, op, [...before, buffer, max])
    return process.memory.get(buffer, Math.min(got, max))
  })
}
