import { ethTypeName } from '../ethertype.ts'
import { LLC_SAP_BSPAN, LLC_SAP_SNAP, LLC_UI } from '../llc.ts'
import { HEX } from '../mac.ts'
import { printEtherType } from './ether.ts'
import { printIpv4 } from './ipv4.ts'
import type { Printer } from './printer.ts'
import { printStp } from './stp.ts'

const SAPS: ReadonlyMap<number, string> = new Map([
  [0x00, 'Null'],
  [0x02, '802.1B I'],
  [0x04, 'SNA'],
  [0x06, 'IP'],
  [0x0e, 'ProWay NM'],
  [LLC_SAP_BSPAN, 'STP'],
  [0x4e, 'RS511'],
  [0x7e, 'ISO8208'],
  [0x8e, 'ProWay'],
  [LLC_SAP_SNAP, 'SNAP'],
  [0xe0, 'IPX'],
  [0xf0, 'NetBeui'],
  [0xfe, 'OSI'],
])

const COMMANDS: ReadonlyMap<number, string> = new Map([
  [0x03, 'ui'],
  [0xe3, 'test'],
  [0xaf, 'xid'],
  [0x63, 'ua'],
  [0x43, 'disc'],
  [0x0f, 'dm'],
  [0x6f, 'sabme'],
  [0x87, 'frmr'],
])

const SUPERVISORY = ['Receiver Ready', 'Receiver not Ready', 'Reject', '?']

const ORGANISATIONS: ReadonlyMap<number, string> = new Map([
  [0x000000, 'Ethernet'],
  [0x00000c, 'Cisco'],
  [0x00005e, 'IANA'],
  [0x0000f8, 'Cisco bridged'],
  [0x0080c2, 'Ethernet bridged'],
  [0x080007, 'Appletalk'],
])

/** Prints what follows an 802.3 length. */
export function printLlc(p: Printer, at: number, length: number, src: string, dst: string): void {
  p.protocol = 'llc'
  const unnumbered = length >= 3 && p.has(at, 3) && (p.u8(at + 2) & 3) === 3
  const headerLength = unnumbered ? 3 : 4
  if (length < headerLength || !p.has(at, headerLength)) {
    p.cutShort()
    p.dump(at, p.end - at)
    return
  }
  const dsap = p.u8(at) & 0xfe
  const ssap = p.u8(at + 1) & 0xfe
  const group = p.u8(at) & 1
  const response = p.u8(at + 1) & 1
  const control = unnumbered ? p.u8(at + 2) : p.u8(at + 2) | (p.u8(at + 3) << 8)
  if (p.link) {
    const digits = unnumbered ? 2 : 4
    p.add(
      `LLC, dsap ${sapName(dsap)} (0x${HEX[dsap]}) ${group === 0 ? 'Individual' : 'Group'}, ` +
        `ssap ${sapName(ssap)} (0x${HEX[ssap]}) ${response === 0 ? 'Command' : 'Response'}, ` +
        `ctrl 0x${control.toString(16).padStart(digits, '0')}: `,
    )
  }
  const payload = at + headerLength
  const payloadLength = length - headerLength
  if (control === LLC_UI && dsap === ssap) {
    if (ssap === LLC_SAP_SNAP) return printSnap(p, at, payload, payloadLength, `${src} > ${dst}`)
    if (ssap === LLC_SAP_BSPAN) return printStp(p, payload, payloadLength)
    if (ssap === 0x06) return printIpv4(p, payload, payloadLength)
  }
  if (!p.link) {
    const from = dsap === ssap ? src : `${src} ${SAPS.get(ssap) ?? `Unknown SSAP 0x${HEX[ssap]}`}`
    p.add(`${from} > ${dst} ${SAPS.get(dsap) ?? `Unknown DSAP 0x${HEX[dsap]}`} `)
  }
  const known = unnumbered
    ? printUnnumbered(p, payload, length, control, response)
    : printNumbered(p, length, control, response)
  if (!known) p.dump(at, p.end - at)
}

function sapName(sap: number): string {
  return SAPS.get(sap) ?? 'Unknown'
}

/** `Command`, `Response`, or `Poll` and `Final` when the bit is set. */
function flagName(response: number, poll: boolean): string {
  if (poll) return response === 0 ? 'Poll' : 'Final'
  return response === 0 ? 'Command' : 'Response'
}

/** Prints a frame without a number; false when its payload is still to be shown. */
function printUnnumbered(
  p: Printer,
  payload: number,
  length: number,
  control: number,
  response: number,
): boolean {
  const command = COMMANDS.get(control & 0xef) ?? HEX[control & 0xef]!
  p.add(`Unnumbered, ${command}, Flags [${flagName(response, (control & 0x10) !== 0)}], length ${length}`)
  if ((control & 0xef) !== 0xaf) return false
  if (length === 3) return true
  if (!p.has(payload, 1)) {
    p.cutShort()
    return true
  }
  if (p.u8(payload) !== 0x81) return false
  if (p.has(payload, 3)) {
    p.add(`: ${HEX[p.u8(payload + 1)]} ${HEX[p.u8(payload + 2)]}`)
  } else {
    p.cutShort()
    p.dump(payload, p.end - payload)
  }
  return true
}

/** Prints a supervisory or information frame; false when its payload is still to be shown. */
function printNumbered(p: Printer, length: number, control: number, response: number): boolean {
  const receive = control >>> 9
  const flags = `Flags [${flagName(response, (control & 0x100) !== 0)}], length ${length}`
  const supervisory = (control & 1) === 1
  if (supervisory) p.add(`Supervisory, ${SUPERVISORY[(control >>> 2) & 3]}, rcv seq ${receive}, ${flags}`)
  else p.add(`Information, send seq ${(control >>> 1) & 0x7f}, rcv seq ${receive}, ${flags}`)
  return supervisory
}

function printSnap(p: Printer, llc: number, at: number, length: number, ends: string): void {
  p.protocol = 'snap'
  if (length < 5 || !p.has(at, 5)) {
    p.cutShort()
    return
  }
  const oui = p.u8(at) * 0x10000 + p.u16(at + 1)
  const pid = p.u16(at + 3)
  const organisation = `oui ${ORGANISATIONS.get(oui) ?? 'Unknown'} (0x${oui.toString(16).padStart(6, '0')}), `
  const ethernet = oui === 0 || oui === 0x0000f8 || oui === 0x080007
  const name = (ethernet ? ethTypeName(pid) : null) ?? 'Unknown'
  const kind = `${oui === 0 ? 'ethertype' : 'pid'} ${name} (0x${pid.toString(16).padStart(4, '0')}), `
  const size = `length ${length - 5}: `
  if (p.link) p.add(organisation + kind + size)
  const known = (oui === 0 || oui === 0x0000f8) && printEtherType(p, pid, at + 5, length - 5)
  if (known) return
  if (!p.link) p.add(`${ends} SNAP, ${oui === 0 ? '' : organisation}${kind}${size}`)
  p.dump(llc, p.end - llc)
}
