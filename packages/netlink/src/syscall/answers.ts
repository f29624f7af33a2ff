import type { CopyOut } from './call-memory.ts'
import { putHead, SYS_HEAD_LEN, SYS_MAX_PIECE, SysAnswer } from './protocol.ts'
import type { SyscallHead } from './protocol.ts'

/** Copies out, cut into pieces, and then heads, as one run of bytes. @kernel none */
export function encodeAnswers(copies: readonly CopyOut[], heads: readonly SyscallHead[]): Uint8Array {
  const pieces = copies.flatMap(cut)
  const copied = pieces.reduce((sum, piece) => sum + SYS_HEAD_LEN + piece.bytes.length, 0)
  const out = new Uint8Array(copied + heads.length * SYS_HEAD_LEN)
  let at = 0
  for (const { address, bytes } of pieces) {
    putHead(out, at, { what: SysAnswer.COPYOUT, length: bytes.length, value: address })
    out.set(bytes, at + SYS_HEAD_LEN)
    at += SYS_HEAD_LEN + bytes.length
  }
  for (const head of heads) {
    putHead(out, at, head)
    at += SYS_HEAD_LEN
  }
  return out
}

function cut(copy: CopyOut): CopyOut[] {
  const out: CopyOut[] = []
  for (let at = 0; at < copy.bytes.length; at += SYS_MAX_PIECE) {
    out.push({ address: copy.address + BigInt(at), bytes: copy.bytes.subarray(at, at + SYS_MAX_PIECE) })
  }
  return out
}
