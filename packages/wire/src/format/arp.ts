import { ETH_P_IP, ethTypeName } from '../ethertype.ts'
import { HEX } from '../mac.ts'
import type { Printer } from './printer.ts'

/** A type once used for IPv4 with its header behind the payload. */
const ETH_P_TRAIL = 0x1000

const HARDWARE: ReadonlyMap<number, string> = new Map([
  [1, 'Ethernet'],
  [6, 'TokenRing'],
  [7, 'ArcNet'],
  [15, 'FrameRelay'],
  [23, 'Strip'],
  [24, 'IEEE 1394'],
  [32, 'InfiniBand'],
])

const OPERATIONS: ReadonlyMap<number, string> = new Map([
  [1, 'Request'],
  [2, 'Reply'],
  [3, 'Reverse Request'],
  [4, 'Reverse Reply'],
  [8, 'Inverse Request'],
  [9, 'Inverse Reply'],
  [10, 'NACK Reply'],
])

/** Prints an ARP or RARP message. */
export function printArp(p: Printer, at: number, length: number): void {
  p.protocol = 'arp'
  p.need(at, 8)
  const hardware = p.u16(at)
  const protocol = p.u16(at + 2)
  const macLength = p.u8(at + 4)
  const ipLength = p.u8(at + 5)
  const operation = p.u16(at + 6)
  const sender = at + 8
  const target = sender + macLength + ipLength
  p.need(target + macLength, ipLength)
  if (!p.link) p.add('ARP, ')
  const isIp = protocol === ETH_P_IP || protocol === ETH_P_TRAIL
  if (!isIp || ipLength !== 4 || macLength === 0) {
    const of = HARDWARE.get(hardware) ?? `Unknown Hardware (${hardware})`
    const to = ethTypeName(protocol) ?? `Unknown Protocol (0x${protocol.toString(16).padStart(4, '0')})`
    p.add(`${of} (len ${macLength}), ${to} (len ${ipLength}), length ${length}`)
    return
  }
  p.add((OPERATIONS.get(operation) ?? `Unknown (${operation})`) + ' ')
  const senderMac = bytesText(p, sender, macLength)
  const targetMac = bytesText(p, target, macLength)
  const senderIp = p.ipv4(sender + macLength)
  const targetIp = p.ipv4(target + macLength)
  switch (operation) {
    case 1:
      p.add(`who-has ${targetIp}${isZero(p, target, macLength) ? '' : ` (${targetMac})`} tell ${senderIp}`)
      break
    case 2:
      p.add(`${senderIp} is-at ${senderMac}`)
      break
    case 3:
    case 8:
      p.add(`who-is ${targetMac} tell ${senderMac}`)
      break
    case 4:
      p.add(`${targetMac} at ${targetIp}`)
      break
    case 9:
      p.add(`${senderMac} at ${senderIp}`)
      break
    default:
      p.dump(at, p.end - at)
      return
  }
  p.add(`, length ${length}`)
}

function isZero(p: Printer, at: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (p.u8(at + i) !== 0) return false
  return true
}

function bytesText(p: Printer, at: number, length: number): string {
  p.need(at, length)
  const parts: string[] = []
  for (let i = 0; i < length; i++) parts.push(HEX[p.u8(at + i)]!)
  return parts.join(':')
}
