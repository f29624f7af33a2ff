import type { Inet6Dev } from './inet6-dev.ts'

/** Where the options of a message are: the first of each kind. */
export type NdOptions = ReadonlyMap<number, number>

/** Finds the options between two places; null when one is cut short or has no length. @kernel ndisc_parse_options() net/ipv6/ndisc.c */
export function ndiscParseOptions(mem: Uint8Array, from: number, end: number): NdOptions | null {
  const options = new Map<number, number>()
  for (let at = from; at < end;) {
    if (at + 2 > end) return null
    const length = mem[at + 1]! * 8
    if (length === 0 || at + length > end) return null
    if (!options.has(mem[at]!)) options.set(mem[at]!, at)
    at += length
  }
  return options
}

/** All options of one kind, in order. @kernel ndisc_next_option() net/ipv6/ndisc.c */
export function ndiscOptionsOf(mem: Uint8Array, from: number, end: number, type: number): number[] {
  const found: number[] = []
  for (let at = from; at + 2 <= end && mem[at + 1] !== 0; at += mem[at + 1]! * 8) {
    if (mem[at] === type) found.push(at)
  }
  return found
}

/** The link address an option holds; null without an option, undefined when it does not fit the device. @kernel ndisc_opt_addr_data() include/net/ndisc.h */
export function ndiscLladdr(
  idev: Inet6Dev,
  mem: Uint8Array,
  at: number | undefined,
): Uint8Array | null | undefined {
  if (at === undefined) return null
  const { addrLen } = idev.dev
  if (mem[at + 1]! * 8 !== ((addrLen + 2 + 7) & ~7)) return undefined
  return mem.slice(at + 2, at + 2 + addrLen)
}
