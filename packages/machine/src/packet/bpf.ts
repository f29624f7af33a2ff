import { bpfCheck } from './bpf-check.ts'
import type { BpfInstruction } from './bpf-check.ts'

/** What a filter can ask about a packet beside its bytes. */
export interface BpfContext {
  /** The frame; the first `length` bytes of it count. */
  readonly bytes: Uint8Array
  readonly length: number
  /** Where the network header begins in it. */
  readonly networkOffset: number
  readonly protocol: number
  readonly pktType: number
  readonly ifindex: number
  readonly hatype: number
  readonly mark: number
  readonly queue: number
  readonly hash: number
  readonly vlanPresent: boolean
  readonly vlanTci: number
  readonly vlanProto: number
  /** 32 bits of chance. */
  random(): number
}

/** Offsets from which a load means something else than the frame. @kernel SKF_AD_OFF include/uapi/linux/filter.h */
export const SKF_AD_OFF = -0x1000
const SKF_NET_OFF = -0x100000
const SKF_LL_OFF = -0x200000
/** One more than the last of them. @kernel SKF_AD_MAX include/uapi/linux/filter.h */
export const SKF_AD_MAX = 64

const MEMORY_WORDS = 16

/**
 * A classic BPF program: looked at once, then run for each packet. It cannot loop, since it only jumps forward, and a
 * load outside of the packet ends it.
 *
 * @kernel struct bpf_prog include/linux/filter.h
 */
export class BpfProgram {
  readonly #code: readonly BpfInstruction[]
  readonly #memory = new Int32Array(MEMORY_WORDS)

  /** @param bytes - `struct sock_filter`, 8 bytes each @throws Errno EINVAL @kernel bpf_check_classic() net/core/filter.c */
  constructor(bytes: Uint8Array) {
    this.#code = bpfCheck(bytes)
  }

  /** How many bytes of a packet to keep; 0: none of it. @kernel bpf_prog_run() include/linux/filter.h */
  run(packet: BpfContext): number {
    const code = this.#code
    const memory = this.#memory.fill(0)
    let a = 0
    let x = 0
    for (let pc = 0; pc < code.length; pc++) {
      const { op, jt, jf, k } = code[pc]!
      switch (op & 7) {
        case 0: {
          const value = loadA(op, k, x, memory, packet, a)
          if (value === null) return 0
          a = value
          break
        }
        case 1: {
          const value = loadX(op, k, memory, packet)
          if (value === null) return 0
          x = value
          break
        }
        case 2:
          memory[k] = a
          break
        case 3:
          memory[k] = x
          break
        case 4: {
          const value = alu(op & 0xf0, a, (op & 8) === 0 ? k : x)
          if (value === null) return 0
          a = value
          break
        }
        case 5:
          pc += (op & 0xf0) === 0 ? k : test(op & 0xf0, a, (op & 8) === 0 ? k : x) ? jt : jf
          break
        case 6:
          return ((op & 0x18) === 0x10 ? a : k) >>> 0
        default:
          if ((op & 0xf8) === 0) x = a
          else a = x
      }
    }
    return 0
  }
}

function loadA(
  op: number,
  k: number,
  x: number,
  memory: Int32Array,
  packet: BpfContext,
  a: number,
): number | null {
  switch (op & 0xe0) {
    case 0x00:
      return k
    case 0x20:
      return load(packet, k, sizeOf(op), a, x)
    case 0x40:
      return load(packet, (x + k) | 0, sizeOf(op), a, x)
    case 0x60:
      return memory[k]!
    default:
      return packet.length
  }
}

function loadX(op: number, k: number, memory: Int32Array, packet: BpfContext): number | null {
  switch (op & 0xe0) {
    case 0x00:
      return k
    case 0x60:
      return memory[k]!
    case 0x80:
      return packet.length
    default: {
      // The length of an IPv4 header.
      const byte = load(packet, k, 1, 0, 0)
      return byte === null ? null : (byte & 0xf) << 2
    }
  }
}

function sizeOf(op: number): 1 | 2 | 4 {
  const size = op & 0x18
  return size === 0 ? 4 : size === 8 ? 2 : 1
}

/** Bytes in network order; null outside of the packet. @kernel bpf_internal_load_pointer_neg_helper() kernel/bpf/core.c */
function load(packet: BpfContext, k: number, size: 1 | 2 | 4, a: number, x: number): number | null {
  let at = k
  if (k < 0) {
    if (k >= SKF_AD_OFF && k < SKF_AD_OFF + SKF_AD_MAX) return ancillary(packet, k - SKF_AD_OFF, a, x)
    if (k >= SKF_NET_OFF) at = k - SKF_NET_OFF + packet.networkOffset
    else if (k >= SKF_LL_OFF) at = k - SKF_LL_OFF
    else return null
  }
  if (at > packet.length - size) return null
  const { bytes } = packet
  if (size === 1) return bytes[at]!
  const high = (bytes[at]! << 8) | bytes[at + 1]!
  if (size === 2) return high
  return (high << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** What is known about a packet beside its bytes. @kernel convert_bpf_extensions() net/core/filter.c */
function ancillary(packet: BpfContext, what: number, a: number, x: number): number | null {
  switch (what) {
    case 0:
      return packet.protocol
    case 4:
      return packet.pktType
    case 8:
      return packet.ifindex
    case 20:
      return packet.mark
    case 24:
      return packet.queue
    case 28:
      return packet.hatype
    case 32:
      return packet.hash
    case 36:
      return 0
    case 40:
      return a ^ x
    case 44:
      return packet.vlanTci
    case 48:
      return packet.vlanPresent ? 1 : 0
    case 56:
      return packet.random() | 0
    case 60:
      return packet.vlanProto
    default:
      return null
  }
}

function alu(op: number, a: number, b: number): number | null {
  switch (op) {
    case 0x00:
      return (a + b) | 0
    case 0x10:
      return (a - b) | 0
    case 0x20:
      return Math.imul(a, b)
    case 0x30:
      return b === 0 ? null : ((a >>> 0) / (b >>> 0)) | 0
    case 0x40:
      return a | b
    case 0x50:
      return a & b
    case 0x60:
      return a << (b & 31)
    case 0x70:
      return (a >>> (b & 31)) | 0
    case 0x80:
      return -a | 0
    case 0x90:
      return b === 0 ? null : ((a >>> 0) % (b >>> 0)) | 0
    default:
      return a ^ b
  }
}

function test(op: number, a: number, b: number): boolean {
  if (op === 0x10) return (a | 0) === (b | 0)
  if (op === 0x20) return a >>> 0 > b >>> 0
  if (op === 0x30) return a >>> 0 >= b >>> 0
  return (a & b) !== 0
}
