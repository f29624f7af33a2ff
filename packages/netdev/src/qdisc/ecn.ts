import { pskbMayPull, skbUnclone } from '../skb-expand.ts'
import type { SkBuff } from '../skbuff.ts'

const ETH_P_IP = 0x0800
const ETH_P_IPV6 = 0x86dd
const ETH_HLEN = 14
const ECN_CE = 3

/**
 * Marks a packet as having met congestion, if its sender said that it understands the mark.
 *
 * @returns true when it carries the mark now
 * @kernel INET_ECN_set_ce() include/net/inet_ecn.h
 */
export function inetEcnSetCe(skb: SkBuff): boolean {
  const { protocol } = skb
  if (protocol !== ETH_P_IP && protocol !== ETH_P_IPV6) return false
  if (!pskbMayPull(skb, ETH_HLEN + (protocol === ETH_P_IP ? 20 : 40)) || !skbUnclone(skb)) return false
  const at = skb.data + ETH_HLEN
  return protocol === ETH_P_IP ? markIpv4(skb.mem, at) : markIpv6(skb.mem, at)
}

function markIpv4(mem: Uint8Array, at: number): boolean {
  const ecn = mem[at + 1]! & ECN_CE
  if (ecn === 0) return false
  if (ecn !== ECN_CE) {
    mem[at + 1]! |= ECN_CE
    // RFC 1624: the sum changes by what the word changed.
    let sum = (mem[at + 10]! << 8) | mem[at + 11]!
    sum = ~sum & 0xffff
    sum += ECN_CE - ecn
    sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff
    mem[at + 10] = sum >>> 8
    mem[at + 11] = sum & 0xff
  }
  return true
}

function markIpv6(mem: Uint8Array, at: number): boolean {
  // The traffic class lies across two bytes; its lowest bits are the upper ones of the second.
  if ((mem[at + 1]! & 0x30) === 0) return false
  mem[at + 1]! |= 0x30
  return true
}
