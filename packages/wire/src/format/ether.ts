import { ETH_HLEN } from '../eth.ts'
import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, ETH_P_LLDP, ETH_P_RARP, ethTypeName } from '../ethertype.ts'
import { ETH_ALEN } from '../mac.ts'
import { printArp } from './arp.ts'
import { printIpv4 } from './ipv4.ts'
import { printIpv6 } from './ipv6.ts'
import { printLlc } from './llc.ts'
import { printLldp } from './lldp.ts'
import type { Printer } from './printer.ts'

/** tcpdump takes values up to this for lengths, and what lies below 0x600 for types. */
const MAX_LENGTH_FIELD = 1500

/** The types tcpdump takes for VLAN tags: two of them never became standards. */
function isTag(type: number): boolean {
  return type === 0x8100 || type === 0x88a8 || type === 0x9100 || type === 0x9200
}

/** `ethertype IPv4 (0x0800)` */
function etherType(type: number): string {
  return `ethertype ${ethTypeName(type) ?? 'Unknown'} (0x${type.toString(16).padStart(4, '0')})`
}

/** Prints a frame from its Ethernet header on; `wireLength` is its length before the capture cut it. */
export function printEther(p: Printer, off: number, wireLength: number): void {
  if (!p.has(off, ETH_HLEN)) {
    p.protocol = 'ether'
    p.cutShort()
    return
  }
  const src = p.mac(off + ETH_ALEN)
  const dst = p.mac(off)
  const addresses = `${src} > ${dst}, `
  if (p.link) p.add(addresses)
  let type = p.u16(off + 12)
  let at = off + ETH_HLEN
  let length = wireLength - ETH_HLEN
  let lengthPrinted = false
  while (isTag(type)) {
    if (!p.has(at, 4)) {
      p.protocol = 'vlan'
      p.cutShort()
      return
    }
    const tci = p.u16(at)
    const priority = `vlan ${tci & 0xfff}, p ${tci >>> 13}${(tci & 0x1000) === 0 ? '' : ', DEI'}, `
    if (p.link) p.add(etherType(type) + (lengthPrinted ? ', ' : `, length ${wireLength}: `) + priority)
    lengthPrinted = true
    type = p.u16(at + 2)
    at += 4
    length -= 4
  }
  if (type <= MAX_LENGTH_FIELD) {
    const payload = Math.min(type, length)
    p.end = Math.min(p.end, at + payload)
    if (p.link) p.add('802.3' + (lengthPrinted ? '' : `, length ${payload}: `))
    printLlc(p, at, payload, src, dst)
    return
  }
  const title = etherType(type) + (lengthPrinted && p.link ? ', ' : `, length ${wireLength}: `)
  if (p.link) p.add(title)
  if (!printEtherType(p, type, at, length)) {
    if (!p.link) p.add(addresses + etherType(type) + `, length ${wireLength}: `)
    p.dump(at, p.end - at)
  }
}

/** Prints what follows an Ethernet type; false when the type is unknown. */
export function printEtherType(p: Printer, type: number, at: number, length: number): boolean {
  switch (type) {
    case ETH_P_IP:
      printIpv4(p, at, length)
      return true
    case ETH_P_IPV6:
      printIpv6(p, at, length)
      return true
    case ETH_P_ARP:
    case ETH_P_RARP:
      printArp(p, at, length)
      return true
    case ETH_P_LLDP:
      printLldp(p, at, length)
      return true
    default:
      return false
  }
}
