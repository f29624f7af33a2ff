import { Errno } from '@vnet/kernel'

/** One instruction of classic BPF. @kernel struct sock_filter include/uapi/linux/filter.h */
export interface BpfInstruction {
  readonly op: number
  /** How far to jump when the test holds, and when it does not. */
  readonly jt: number
  readonly jf: number
  /** Signed. */
  readonly k: number
}

const INSTRUCTION_LEN = 8
const MAX_INSTRUCTIONS = 4096
const MEMORY_WORDS = 16

const LOADS = [0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1]
const STORES = [0x02, 0x03]
const ALU_OPS = [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0]
const JUMP_OPS = [0x10, 0x20, 0x30, 0x40]
const OTHERS = [0x84, 0x05, 0x06, 0x16, 0x07, 0x87]
/** Every operation there is. */
const KNOWN: ReadonlySet<number> = new Set([
  ...LOADS,
  ...STORES,
  ...ALU_OPS.flatMap((op) => [op | 4, op | 0xc]),
  ...JUMP_OPS.flatMap((op) => [op | 5, op | 0xd]),
  ...OTHERS,
])

const DIV_K = 0x34
const MOD_K = 0x94
const LSH_K = 0x64
const RSH_K = 0x74

/**
 * Reads a program and refuses one that could do harm: unknown operations, jumps out of it, memory it does not have,
 * division by a constant 0, an end that is no end.
 *
 * @throws Errno EINVAL
 * @kernel bpf_check_classic() net/core/filter.c
 */
export function bpfCheck(bytes: Uint8Array): readonly BpfInstruction[] {
  const count = bytes.length / INSTRUCTION_LEN
  if (!Number.isInteger(count) || count < 1 || count > MAX_INSTRUCTIONS) throw new Errno('EINVAL')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const code = Array.from({ length: count }, (_, i) => ({
    op: view.getUint16(i * 8, true),
    jt: view.getUint8(i * 8 + 2),
    jf: view.getUint8(i * 8 + 3),
    k: view.getInt32(i * 8 + 4, true),
  }))
  for (const [pc, one] of code.entries()) if (!isValid(one, count - pc - 1)) throw new Errno('EINVAL')
  if ((code[count - 1]!.op & 7) !== 6) throw new Errno('EINVAL')
  return code
}

/** @param left - how many instructions follow */
function isValid({ op, jt, jf, k }: BpfInstruction, left: number): boolean {
  if (!KNOWN.has(op)) return false
  if (op === DIV_K || op === MOD_K) return k !== 0
  if (op === LSH_K || op === RSH_K) return k >= 0 && k < 32
  if (op === 0x60 || op === 0x61 || op === 0x02 || op === 0x03) return k >= 0 && k < MEMORY_WORDS
  if (op === 0x05) return k >= 0 && k < left
  if ((op & 7) === 5) return jt < left && jf < left
  return true
}
