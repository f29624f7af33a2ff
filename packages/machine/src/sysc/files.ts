import { Errno } from '@vnet/kernel'
import { Sys, utf8, type SyscallCall, type SyscallHandler } from '@vnet/netlink'
import { OpenFlag, WRITE_MAX, type OpenFile } from '../vfs/open-file.ts'
import { listDir, statOf, type Vfs } from '../vfs/vfs.ts'
import { copyOut, length32, userText } from './user-text.ts'

/** Most bytes of one read. A text is asked for again from where it ended. */
const READ_MAX = 1 << 20
const KINDS = { file: 1, dir: 2, link: 3 } as const

/** Names still to be told of a directory that is open. */
class Listing {
  readonly file: OpenFile
  #rest: Uint8Array | null = null

  constructor(file: OpenFile) {
    this.file = file
  }

  /** Whole names as long as they fit. @throws Errno ENOTDIR, EINVAL */
  take(max: number): Uint8Array {
    const { node } = this.file
    if (node.kind !== 'dir') throw new Errno('ENOTDIR')
    const rest = (this.#rest ??= utf8(
      listDir(node)
        .map((name) => `${name}\n`)
        .join(''),
    ))
    if (rest.length <= max) {
      this.#rest = rest.subarray(rest.length)
      return rest
    }
    const end = rest.lastIndexOf(0x0a, max - 1) + 1
    if (end === 0) throw new Errno('EINVAL')
    this.#rest = rest.subarray(end)
    return rest.subarray(0, end)
  }
}

/** The calls about files: open, read, write, getdents, readlink, stat. @kernel fs/open.c, fs/read_write.c */
export function fileCalls(vfs: Vfs): ReadonlyMap<number, SyscallHandler> {
  return new Map<number, SyscallHandler>([
    [Sys.open, (call) => open(call, vfs)],
    [Sys.read, read],
    [Sys.write, write],
    [Sys.getdents, getdents],
    [Sys.readlink, (call) => readlink(call, vfs)],
    [Sys.stat, (call) => stat(call, vfs)],
  ])
}

function open(call: SyscallCall, vfs: Vfs): number {
  const { connection } = call
  const path = userText(call, 0, 1)
  const flags = call.int(2)
  if (connection.file !== null || connection.sock !== null) throw new Errno('EBADF')
  if ((flags & OpenFlag.ACCMODE) !== OpenFlag.RDONLY && !connection.capNetAdmin) throw new Errno('EACCES')
  connection.file = new Listing(vfs.open(path, flags))
  return 0
}

/** The file of a descriptor. @throws Errno EBADF */
function listing(call: SyscallCall): Listing {
  const { file } = call.connection
  if (!(file instanceof Listing)) throw new Errno('EBADF')
  return file
}

function read(call: SyscallCall): number {
  const { file } = listing(call)
  const bytes = file.read(Math.min(length32(call, 1), READ_MAX))
  if (bytes !== null) return copyOut(call, 0, bytes)
  if (file.nonblocking || file.stream === null) throw new Errno('EAGAIN')
  const { stream } = file
  return call.block((wake) => stream.whenReadable(wake))
}

/** Only as much is copied in as the file takes at once. */
function write(call: SyscallCall): number {
  const { file } = listing(call)
  const limit = file.node.kind === 'file' ? (file.node.writeMax ?? WRITE_MAX) : 0
  return file.write(call.memory.copyFromUser(call.args[0]!, Math.min(length32(call, 1), limit)))
}

function getdents(call: SyscallCall): number {
  return copyOut(call, 0, listing(call).take(Math.min(length32(call, 1), READ_MAX)))
}

function readlink(call: SyscallCall, vfs: Vfs): number {
  const target = utf8(vfs.readlink(userText(call, 0, 1)))
  const max = length32(call, 3)
  if (max === 0) throw new Errno('EINVAL')
  return copyOut(call, 2, target.subarray(0, max))
}

/** With bit 0 of the fourth argument a link at the end is followed. */
function stat(call: SyscallCall, vfs: Vfs): number {
  const { kind, mode, size } = statOf(vfs.lookup(userText(call, 0, 1), (call.int(3) & 1) !== 0))
  const view = new DataView(new ArrayBuffer(16))
  view.setUint32(0, KINDS[kind], true)
  view.setUint32(4, mode, true)
  view.setBigUint64(8, BigInt(size), true)
  copyOut(call, 2, new Uint8Array(view.buffer))
  return 0
}
