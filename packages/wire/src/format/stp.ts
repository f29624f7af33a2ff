import { HEX } from '../mac.ts'
import type { Printer } from './printer.ts'

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0, '802.1d'],
  [2, '802.1w'],
  [3, '802.1s'],
  [4, '802.1aq'],
])

const TYPES: ReadonlyMap<number, string> = new Map([
  [0x00, 'Config'],
  [0x02, 'Rapid STP'],
  [0x80, 'Topology Change'],
])

const FLAGS: readonly (readonly [number, string])[] = [
  [0x01, 'Topology change'],
  [0x02, 'Proposal'],
  [0x10, 'Learn'],
  [0x20, 'Forward'],
  [0x40, 'Agreement'],
  [0x80, 'Topology change ACK'],
]

/** Prints a bridge's spanning tree message; those of several trees (802.1s, 802.1aq) only by name. */
export function printStp(p: Printer, at: number, length: number): void {
  p.protocol = 'stp'
  if (length < 4) {
    p.add(' (invalid)')
    return
  }
  if (p.u16(at) !== 0) {
    p.add(`unknown STP version, length ${length}`)
    return
  }
  const version = p.u8(at + 2)
  const name = VERSIONS.get(version)
  p.add(`STP ${name ?? `Unknown STP protocol (0x${HEX[version]})`}`)
  if (name === undefined) return
  const type = p.u8(at + 3)
  p.add(`, ${TYPES.get(type) ?? `Unknown BPDU Type (0x${HEX[type]})`}`)
  const config = type === 0 || (type === 2 && version === 2)
  if (!config) return
  if (length < (type === 0 ? 35 : 36)) {
    p.add(' (invalid)')
    return
  }
  const set = p.u8(at + 4)
  const flags = FLAGS.filter(([bit]) => (set & bit) !== 0).map(([, flag]) => flag)
  p.add(`, Flags [${flags.length === 0 ? 'none' : flags.join(', ')}]`)
  p.need(at + 17, 10)
  const priority = p
    .u16(at + 17)
    .toString(16)
    .padStart(4, '0')
  const port = p
    .u16(at + 25)
    .toString(16)
    .padStart(4, '0')
  p.add(`, bridge-id ${priority}.${p.mac(at + 19)}.${port}, length ${length}`)
}
