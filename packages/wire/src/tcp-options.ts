import {
  clampEnd,
  getUnalignedBe16,
  getUnalignedBe32,
  needRange,
  putUnalignedBe16,
  putUnalignedBe32,
} from './bytes.ts'

/**
 * Kinds of TCP options.
 *
 * @kernel TCPOPT_* include/net/tcp.h
 */
export const TcpOption = {
  EOL: 0,
  NOP: 1,
  MSS: 2,
  WINDOW: 3,
  SACK_PERM: 4,
  SACK: 5,
  TIMESTAMP: 8,
} as const

/** The options a connection uses. */
export interface TcpOptions {
  /** The largest segment the sender takes; only with SYN. */
  readonly mss?: number
  /** Bits to shift the window by; only with SYN. */
  readonly windowScale?: number
  readonly sackPermitted?: boolean
  /** Ranges received beyond the acknowledgement, as first and one past the last sequence number. */
  readonly sack?: readonly (readonly [number, number])[]
  readonly timestamp?: { readonly value: number; readonly echo: number }
}

/** Options as read. */
export interface ParsedTcpOptions extends TcpOptions {
  /** Kinds that stand there, in order, without padding. */
  readonly kinds: readonly number[]
  /** The list stops in the middle of an option; what came before it is here. */
  readonly truncated: boolean
}

/**
 * Reads a segment's options; options of a wrong length are listed in `kinds` and otherwise ignored.
 *
 * @kernel tcp_parse_options() net/ipv4/tcp_input.c
 */
export function parseTcpOptions(bytes: Uint8Array, off: number, len: number): ParsedTcpOptions {
  const end = clampEnd(bytes, off, len)
  const kinds: number[] = []
  const found: { -readonly [K in keyof TcpOptions]: TcpOptions[K] } = {}
  let at = off
  let truncated = false
  while (at < end && bytes[at] !== TcpOption.EOL) {
    const kind = bytes[at]!
    if (kind === TcpOption.NOP) {
      at++
      continue
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0
    if (length < 2 || at + length > end) {
      truncated = true
      break
    }
    kinds.push(kind)
    if (kind === TcpOption.MSS && length === 4) found.mss = getUnalignedBe16(bytes, at + 2)
    else if (kind === TcpOption.WINDOW && length === 3) found.windowScale = bytes[at + 2]!
    else if (kind === TcpOption.SACK_PERM && length === 2) found.sackPermitted = true
    else if (kind === TcpOption.TIMESTAMP && length === 10) {
      found.timestamp = { value: getUnalignedBe32(bytes, at + 2), echo: getUnalignedBe32(bytes, at + 6) }
    } else if (kind === TcpOption.SACK && (length - 2) % 8 === 0) {
      const blocks: [number, number][] = []
      for (let i = at + 2; i < at + length; i += 8) {
        blocks.push([getUnalignedBe32(bytes, i), getUnalignedBe32(bytes, i + 4)])
      }
      found.sack = blocks
    }
    at += length
  }
  return { ...found, kinds, truncated }
}

/**
 * Gives the bytes of the options, in the order and with the padding Linux uses.
 *
 * @throws RangeError when a value is wrong or the options need more than 40 bytes.
 * @kernel tcp_options_write() net/ipv4/tcp_output.c
 */
export function buildTcpOptions(options: TcpOptions): Uint8Array {
  const out = new Uint8Array(40)
  let at = 0
  const put = (...values: number[]): void => {
    needRange(at + values.length, 40, 'the length of TCP options')
    for (const value of values) out[at++] = value
  }
  const put32 = (value: number): void => {
    const start = at
    put(0, 0, 0, 0)
    putUnalignedBe32(needRange(value, 0xffffffff, 'a 32-bit TCP option'), out, start)
  }
  if (options.mss !== undefined) {
    put(TcpOption.MSS, 4, 0, 0)
    putUnalignedBe16(needRange(options.mss, 0xffff, 'a maximum segment size'), out, at - 2)
  }
  const timestamp = options.timestamp
  if (options.sackPermitted === true) put(TcpOption.SACK_PERM, 2)
  if (timestamp !== undefined) {
    if (options.sackPermitted !== true) put(TcpOption.NOP, TcpOption.NOP)
    put(TcpOption.TIMESTAMP, 10)
    put32(timestamp.value)
    put32(timestamp.echo)
  } else if (options.sackPermitted === true) put(TcpOption.NOP, TcpOption.NOP)
  if (options.windowScale !== undefined) {
    put(TcpOption.NOP, TcpOption.WINDOW, 3, needRange(options.windowScale, 14, 'a window scale'))
  }
  if (options.sack !== undefined && options.sack.length > 0) {
    put(TcpOption.NOP, TcpOption.NOP, TcpOption.SACK, 2 + options.sack.length * 8)
    for (const [from, to] of options.sack) {
      put32(from)
      put32(to)
    }
  }
  return out.slice(0, at)
}
