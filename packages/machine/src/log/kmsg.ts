import { Errno, printk, type Kernel } from '@vnet/kernel'
import { utf8 } from '@vnet/netlink'
import type { VfsFile, VfsStream } from '../vfs/node.ts'
import { kmsgLine } from './records.ts'

/** Longest line that may be written. @kernel PRINTKRB_RECORD_MAX kernel/printk/internal.h */
const RECORD_MAX = 1024
const DEFAULT_LEVEL = 4

/**
 * /dev/kmsg: each `read` gives one record, and waits when there is none; a `write` adds a line, `<6>text` with a level.
 *
 * @kernel devkmsg_read() kernel/printk/printk.c
 */
export function kmsgFile(kernel: Kernel): VfsFile {
  return {
    kind: 'file',
    mode: 0o644,
    read: () => kernel.log.records.map(kmsgLine).join(''),
    stream: () => new KmsgReader(kernel),
    writeMax: Number.MAX_SAFE_INTEGER,
    write: (text) => write(kernel, text),
  }
}

/** @kernel devkmsg_write() kernel/printk/printk.c */
function write(kernel: Kernel, text: string): void {
  if (text.length > RECORD_MAX) throw new Errno('EINVAL')
  const [, digits, rest = ''] = /^<(\d{1,4})>([^]*)$/.exec(text) ?? []
  printk(
    kernel,
    digits === undefined ? DEFAULT_LEVEL : Number(digits) & 7,
    digits === undefined ? text : rest,
  )
}

class KmsgReader implements VfsStream {
  readonly #kernel: Kernel
  #next: number

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#next = kernel.log.records[0]?.seq ?? kernel.log.nextSeq
  }

  read(max: number): Uint8Array | null {
    const [record] = this.#kernel.log.since(this.#next)
    if (record === undefined) return null
    const bytes = utf8(kmsgLine(record))
    if (bytes.length > max) throw new Errno('EINVAL')
    const lost = record.seq !== this.#next
    this.#next = record.seq + (lost ? 0 : 1)
    // Told once that something was overwritten before it was read.
    if (lost) throw new Errno('EPIPE')
    return bytes
  }

  whenReadable(wake: () => void): () => void {
    return this.#kernel.log.subscribe(wake)
  }
}
