/** A file that is a stream, such as a log: each who opens it has a place of its own. @kernel struct file_operations include/linux/fs.h */
export interface VfsStream {
  /** The next piece of at most `max` bytes; null: nothing is there yet. @throws Errno */
  read(max: number): Uint8Array | null
  /** Calls `wake` once there is something; returns what takes that back. */
  whenReadable(wake: () => void): () => void
}

/** A file whose text is made when it is read. Without `read` reading is refused with EACCES, without `write` writing. */
export interface VfsFile {
  readonly kind: 'file'
  /** Permission bits; 0444 and, with `write`, 0644 when left out. */
  readonly mode?: number
  /** The size `stat` tells; sysfs says 4096, proc 0. */
  readonly size?: number
  /** The whole text. @throws Errno */
  read?(): string
  /** For a stream; `read` is then what there is now, for those who cannot wait. */
  stream?(): VfsStream
  /** Most bytes of one `write`; 4,096 when left out. What is longer comes in pieces. */
  readonly writeMax?: number
  /** Takes the text of one `write`. @throws Errno */
  write?(text: string): void
}

/** A directory that asks the living kernel what is in it. */
export interface VfsDir {
  readonly kind: 'dir'
  readonly mode?: number
  /** The names in it, in the order `ls` is to see before it sorts. */
  names(): Iterable<string>
  /** What has that name, or undefined. */
  lookup(name: string): VfsNode | undefined
}

/** A symbolic link. */
export interface VfsLink {
  readonly kind: 'link'
  readonly target: string
}

/** Something in the tree of files. */
export type VfsNode = VfsFile | VfsDir | VfsLink
