import { readFileSync } from 'node:fs'

/** A netlink datagram of a capture of nlmon. */
export interface Captured {
  readonly protocol: number
  readonly bytes: Uint8Array
}

/** The captures there are, by the command they were taken with. */
export const CAPTURES = [
  'addr-add',
  'addr-show',
  'ethtool',
  'ethtool-S',
  'ethtool-g',
  'ethtool-i',
  'ethtool-k',
  'insmod',
  'link-down',
  'link-show',
  'link-up',
  'mac-busy',
  'mtu-bad',
  'rmmod',
] as const

/** Reads a capture: little-endian pcap, link type NETLINK, a header of 16 bytes before each datagram. */
export function readCapture(name: (typeof CAPTURES)[number]): Captured[] {
  const file = readFileSync(new URL(`fixtures/40-nlmon-${name}.pcap`, import.meta.url))
  const out: Captured[] = []
  for (let at = 24; at + 16 <= file.length;) {
    const length = file.readUInt32LE(at + 8)
    const packet = file.subarray(at + 16, at + 16 + length)
    out.push({ protocol: packet.readUInt16BE(14), bytes: Uint8Array.from(packet.subarray(16)) })
    at += 16 + length
  }
  return out
}
