import { Errno } from '@vnet/kernel'
import { utf8 } from '@vnet/netlink'
import { OpenFile, OpenFlag } from './open-file.ts'
import type { VfsDir, VfsNode } from './node.ts'

/** Longest path, its end mark included. @kernel PATH_MAX include/uapi/linux/limits.h */
export const PATH_MAX = 4096
/** Longest name in a path. @kernel NAME_MAX include/uapi/linux/limits.h */
export const NAME_MAX = 255
/** Links followed before a path is taken for a circle. @kernel MAXSYMLINKS include/linux/namei.h */
const MAX_SYMLINKS = 40

/** What `stat` tells. */
export interface VfsStat {
  readonly kind: VfsNode['kind']
  /** Permission bits. */
  readonly mode: number
  readonly size: number
}

/** One step down from the root: the node and its name. */
interface Step {
  readonly name: string
  readonly node: VfsNode
}

/**
 * The files of a machine: one tree of nodes that ask the living kernel when they are read. Nothing is copied.
 *
 * Paths are absolute; one without a leading `/` starts at the root, too.
 *
 * @kernel struct super_block include/linux/fs.h
 */
export class Vfs {
  readonly #root: VfsDir

  constructor(root: VfsDir) {
    this.#root = root
  }

  /** What stands at a path. @throws Errno ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG @kernel path_lookupat() fs/namei.c */
  lookup(path: string, follow = true): VfsNode {
    if (path === '') throw new Errno('ENOENT')
    if (utf8(path).length >= PATH_MAX) throw new Errno('ENAMETOOLONG')
    return this.#walk(path, follow).at(-1)?.node ?? this.#root
  }

  /** Walks from the root, following links; the way down to what was found. */
  #walk(path: string, follow: boolean): Step[] {
    let way: Step[] = []
    let links = 0
    const todo = path.split('/').reverse()
    while (todo.length > 0) {
      const name = todo.pop()!
      const here = way.at(-1)?.node ?? this.#root
      if (here.kind !== 'dir') throw new Errno('ENOTDIR')
      if (name === '' || name === '.') continue
      if (name.length > NAME_MAX) throw new Errno('ENAMETOOLONG')
      if (name === '..') {
        way.pop()
        continue
      }
      const node = here.lookup(name)
      if (node === undefined) throw new Errno('ENOENT')
      if (node.kind !== 'link' || (!follow && todo.length === 0)) {
        way.push({ name, node })
        continue
      }
      if (++links > MAX_SYMLINKS) throw new Errno('ELOOP')
      if (node.target.startsWith('/')) way = []
      todo.push(...node.target.split('/').reverse())
    }
    return way
  }

  /**
   * Opens a file or a directory.
   *
   * @param flags - {@link OpenFlag} bits
   * @throws Errno ENOENT, EACCES, EISDIR, ENOTDIR, EEXIST
   * @kernel do_sys_open() fs/open.c
   */
  open(path: string, flags = 0): OpenFile {
    return new OpenFile(this.#forOpen(path, flags), flags)
  }

  #forOpen(path: string, flags: number): VfsNode {
    const creates = (flags & OpenFlag.CREAT) !== 0
    let node: VfsNode
    try {
      node = this.lookup(path, (flags & OpenFlag.NOFOLLOW) === 0)
    } catch (error) {
      // The trees here make no files.
      if (creates && error instanceof Errno && error.code === 'ENOENT' && this.#hasParent(path)) {
        throw new Errno('EACCES')
      }
      throw error
    }
    if (creates && (flags & OpenFlag.EXCL) !== 0) throw new Errno('EEXIST')
    if (node.kind === 'link') throw new Errno('ELOOP')
    return node
  }

  #hasParent(path: string): boolean {
    const parent = path.replace(/\/*[^/]+\/*$/, '')
    try {
      return path !== '' && this.lookup(parent === '' ? '/' : parent).kind === 'dir'
    } catch {
      return false
    }
  }

  /** A file's whole text. @throws Errno */
  read(path: string): string {
    const file = this.open(path)
    if (file.node.kind !== 'file') throw new Errno('EISDIR')
    return file.text()
  }

  /** Writes into a file, as one `write` does. @throws Errno */
  write(path: string, text: string): void {
    const bytes = utf8(text)
    const file = this.open(path, OpenFlag.WRONLY | OpenFlag.TRUNC)
    // A write that took only a part goes on, as a program's does.
    for (let at = 0; at < bytes.length;) at += file.write(bytes.subarray(at))
    if (bytes.length === 0) file.write(bytes)
  }

  /** The names in a directory, sorted; those of directories end in `/`. @throws Errno ENOTDIR */
  list(path: string): string[] {
    const node = this.lookup(path)
    if (node.kind !== 'dir') throw new Errno('ENOTDIR')
    return listDir(node)
  }

  /** @throws Errno @kernel vfs_statx() fs/stat.c */
  stat(path: string, follow = true): VfsStat {
    return statOf(this.lookup(path, follow))
  }

  /** Where a link points. @throws Errno EINVAL when it is none @kernel do_readlinkat() fs/stat.c */
  readlink(path: string): string {
    const node = this.lookup(path, false)
    if (node.kind !== 'link') throw new Errno('EINVAL')
    return node.target
  }

  /** The path with every link followed: what `readlink -f` prints. @throws Errno */
  realpath(path: string): string {
    if (path === '') throw new Errno('ENOENT')
    return (
      '/' +
      this.#walk(path, true)
        .map((step) => step.name)
        .join('/')
    )
  }
}

/** The names in a directory, sorted as bytes are; those of directories end in `/`. */
export function listDir(dir: VfsDir): string[] {
  const names = [...dir.names()].filter((name) => dir.lookup(name) !== undefined)
  return names.sort(byBytes).map((name) => (dir.lookup(name)?.kind === 'dir' ? `${name}/` : name))
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** What `stat` tells of a node. */
export function statOf(node: VfsNode): VfsStat {
  switch (node.kind) {
    case 'dir':
      return { kind: 'dir', mode: node.mode ?? 0o755, size: 0 }
    case 'link':
      return { kind: 'link', mode: 0o777, size: node.target.length }
    case 'file':
      return {
        kind: 'file',
        mode: node.mode ?? (node.write === undefined ? 0o444 : 0o644),
        size: node.size ?? 0,
      }
  }
}
