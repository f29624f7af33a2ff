import { Errno } from '@vnet/kernel'
import type { VfsDir, VfsFile, VfsLink, VfsNode } from './node.ts'

/** A directory whose names never change; a node may be made when it is looked up. */
export function staticDir(entries: Readonly<Record<string, VfsNode | (() => VfsNode | undefined)>>): VfsDir {
  return {
    kind: 'dir',
    names: () => Object.keys(entries),
    lookup(name) {
      const entry = Object.hasOwn(entries, name) ? entries[name] : undefined
      return typeof entry === 'function' ? entry() : entry
    },
  }
}

/** A directory whose names come from the living kernel. */
export function liveDir(
  names: () => Iterable<string>,
  lookup: (name: string) => VfsNode | undefined,
): VfsDir {
  return { kind: 'dir', names, lookup }
}

/** Several directories seen as one; the first that has a name counts. */
export function mergedDir(...dirs: readonly VfsDir[]): VfsDir {
  return {
    kind: 'dir',
    *names() {
      const told = new Set<string>()
      for (const dir of dirs) {
        for (const name of dir.names()) {
          if (told.has(name)) continue
          told.add(name)
          yield name
        }
      }
    },
    lookup(name) {
      for (const dir of dirs) {
        const node = dir.lookup(name)
        if (node !== undefined) return node
      }
      return undefined
    },
  }
}

/** A symbolic link. */
export function link(target: string): VfsLink {
  return { kind: 'link', target }
}

/** A file of proc that can only be read; root may open it for writing, and is refused then. @kernel proc_reg_write() fs/proc/inode.c */
export function procFile(read: () => string): VfsFile {
  return {
    kind: 'file',
    mode: 0o444,
    read,
    write: () => {
      throw new Errno('EIO')
    },
  }
}

/** An attribute of sysfs: 4,096 bytes to `stat`, whatever is in it. @kernel struct device_attribute include/linux/device.h */
export function attribute(read: () => string, write?: (text: string) => void): VfsFile {
  return write === undefined
    ? { kind: 'file', mode: 0o444, size: 4096, read }
    : { kind: 'file', mode: 0o644, size: 4096, read, write }
}

/** An attribute that can be asked for nothing: reading fails with one error. @throws Errno */
export function refusing(code: ConstructorParameters<typeof Errno>[0]): VfsFile {
  return attribute(() => {
    throw new Errno(code)
  })
}
