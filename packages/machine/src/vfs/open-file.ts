import { Errno } from '@vnet/kernel'
import { textOf, utf8 } from '@vnet/netlink'
import type { VfsNode, VfsStream } from './node.ts'

/** How a file is opened. @kernel O_RDONLY include/uapi/asm-generic/fcntl.h */
export const OpenFlag = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  ACCMODE: 3,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
} as const

/** Most a file takes in one `write`: a page; what is longer is taken in pieces. @kernel kernfs_fop_write_iter() fs/kernfs/file.c */
export const WRITE_MAX = 4096

/**
 * A file or directory that is open.
 *
 * The text is made at the first read from the start and stays as it was until it is read from the start again, so a
 * reader never sees two halves of different moments.
 *
 * @kernel struct file include/linux/fs.h
 */
export class OpenFile {
  readonly node: VfsNode
  readonly #mode: number
  #content: Uint8Array | null = null
  /** Reads do not wait. */
  readonly nonblocking: boolean
  /** What it reads from, if it is a stream. */
  readonly stream: VfsStream | null
  /** Where the next read goes on. */
  position = 0

  /** @throws Errno EACCES, EISDIR, ENOTDIR */
  constructor(node: VfsNode, flags: number) {
    this.node = node
    this.#mode = flags & OpenFlag.ACCMODE
    this.nonblocking = (flags & OpenFlag.NONBLOCK) !== 0
    this.stream = null
    if (this.#mode === OpenFlag.ACCMODE) throw new Errno('EINVAL')
    if (node.kind === 'dir') {
      if (this.#mode !== OpenFlag.RDONLY) throw new Errno('EISDIR')
      return
    }
    if ((flags & OpenFlag.DIRECTORY) !== 0) throw new Errno('ENOTDIR')
    if (node.kind === 'link') throw new Errno('ELOOP')
    if (this.#mode !== OpenFlag.WRONLY && node.read === undefined) throw new Errno('EACCES')
    if (this.#mode !== OpenFlag.RDONLY && node.write === undefined) throw new Errno('EACCES')
    if (this.#mode !== OpenFlag.WRONLY) this.stream = node.stream?.() ?? null
  }

  /** The whole text, now. @throws Errno */
  text(): string {
    if (this.node.kind !== 'file' || this.#mode === OpenFlag.WRONLY) throw new Errno('EBADF')
    return this.node.read!()
  }

  /** Up to `max` bytes from `position` on, which it moves; none at the end, null when a stream has nothing yet. @throws Errno @kernel seq_read_iter() fs/seq_file.c */
  read(max: number): Uint8Array | null {
    if (this.node.kind === 'dir') throw new Errno('EISDIR')
    if (this.#mode === OpenFlag.WRONLY) throw new Errno('EBADF')
    if (this.stream !== null) return this.stream.read(max)
    if (this.position === 0 || this.#content === null) this.#content = utf8(this.text())
    const piece = this.#content.slice(this.position, this.position + max)
    this.position += piece.length
    return piece
  }

  /** Gives bytes to the file; how many it took. @throws Errno @kernel vfs_write() fs/read_write.c */
  write(bytes: Uint8Array): number {
    const { node } = this
    if (node.kind !== 'file' || this.#mode === OpenFlag.RDONLY) throw new Errno('EBADF')
    const limit = node.writeMax ?? WRITE_MAX
    const taken = Math.min(bytes.length, limit)
    node.write!(textOf(bytes, 0, taken))
    return taken
  }
}
