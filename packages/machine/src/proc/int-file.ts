import { Errno, kstrtoint } from '@vnet/kernel'
import type { VfsFile } from '../vfs/node.ts'

/** A whole number that can be read and, with `set`, written. @throws Errno EINVAL @kernel proc_dointvec() kernel/sysctl.c */
export function intFile(get: () => number, set?: (value: number) => void): VfsFile {
  const read = (): string => `${get()}\n`
  if (set === undefined) return { kind: 'file', mode: 0o444, read }
  return { kind: 'file', mode: 0o644, read, write: (text) => set(parse(text)) }
}

/** Decimal, octal or hexadecimal. */
function parse(text: string): number {
  try {
    return kstrtoint(text.trim(), -0x80000000, 0x7fffffff)
  } catch {
    throw new Errno('EINVAL')
  }
}
