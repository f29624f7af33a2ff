import { closeSync, openSync, readSync } from 'node:fs'

/** What a file's first bytes say about running it. */
export type Executable =
  | { readonly kind: 'elf'; readonly bits: 32 | 64; readonly machine: number; readonly dynamic: boolean }
  | { readonly kind: 'script'; readonly interpreter: string; readonly argument: string }
  | { readonly kind: 'other' }

const PT_INTERP = 3
const HEAD_BYTES = 4096

/** The processors Node names, as ELF numbers them. */
export const ELF_MACHINE: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }

/** Reads the head of a program file. @throws what the file system says */
export function readExecutable(path: string): Executable {
  const head = readHead(path)
  if (head.length >= 64 && head.readUInt32BE(0) === 0x7f454c46) return elf(head)
  if (head.length > 2 && head[0] === 0x23 && head[1] === 0x21) return script(head)
  return { kind: 'other' }
}

function readHead(path: string): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(HEAD_BYTES)
    return bytes.subarray(0, readSync(fd, bytes, 0, HEAD_BYTES, 0))
  } finally {
    closeSync(fd)
  }
}

function elf(head: Buffer): Executable {
  const bits = head[4] === 2 ? 64 : 32
  const machine = head.readUInt16LE(18)
  return { kind: 'elf', bits, machine, dynamic: bits === 64 && hasInterpreter(head) }
}

/** A program that is to be linked when it starts names its loader. */
function hasInterpreter(head: Buffer): boolean {
  const [offset, size, count] = [
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(54),
    head.readUInt16LE(56),
  ]
  for (let i = 0; i < count; i++) {
    const at = offset + i * size
    if (at + 4 > head.length) return false
    if (head.readUInt32LE(at) === PT_INTERP) return true
  }
  return false
}

function script(head: Buffer): Executable {
  const line = head.toString('latin1', 2).split('\n', 1)[0]!.trim()
  const [interpreter = '', argument = ''] = line.split(/\s+(.*)/s)
  return { kind: 'script', interpreter, argument }
}
