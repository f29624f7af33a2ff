import type { Printer } from './printer.ts'

/** Prints a message about multicast groups. */
export function printIgmp(p: Printer, at: number, length: number): void {
  p.protocol = 'igmp'
  const type = p.u8(at)
  const odd = length === 8 ? '' : ` [len ${length}]`
  switch (type) {
    case 0x11:
      p.add('igmp query')
      if (length >= 12) printQueryV3(p, at, length)
      else printQuery(p, at, odd)
      break
    case 0x12:
      p.add(`igmp v1 report ${p.ipv4(at + 4)}${odd}`)
      break
    case 0x16:
      p.add(`igmp v2 report ${p.ipv4(at + 4)}`)
      break
    case 0x17:
      p.add(`igmp leave ${p.ipv4(at + 4)}`)
      break
    case 0x22:
      p.add('igmp v3 report')
      p.add(
        length < 16 || length % 4 !== 0 ? ` [invalid len ${length}]` : `, ${p.u16(at + 6)} group record(s)`,
      )
      break
    default:
      p.add(`igmp-${type}`)
  }
}

function printQuery(p: Printer, at: number, odd: string): void {
  const limit = p.u8(at + 1)
  if (limit === 0) p.add(' v1')
  else p.add(limit === 100 ? ' v2' : ` v2 [max resp time ${limit}]`)
  if (p.u32(at + 4) !== 0) p.add(` [gaddr ${p.ipv4(at + 4)}]`)
  p.add(odd)
}

function printQueryV3(p: Printer, at: number, length: number): void {
  p.add(' v3')
  if (length % 4 !== 0) {
    p.add(` [invalid len ${length}]`)
    return
  }
  const code = p.u8(at + 1)
  const tenths = code < 128 ? code : ((code & 15) | 16) << (((code & 0x70) >> 4) + 3)
  if (code !== 100)
    p.add(` [max resp time ${tenths < 600 ? `${(tenths / 10).toFixed(1)}s` : duration(tenths)}]`)
  if (p.u32(at + 4) === 0) return
  p.add(` [gaddr ${p.ipv4(at + 4)}`)
  const sources = p.u16(at + 10)
  if (sources > 0)
    p.add(length < 12 + sources * 4 ? ' [invalid number of sources]' : `, ${sources} source(s)`)
  p.add(']')
}

/** Tenths of a second as `1m5s`. */
function duration(tenths: number): string {
  const seconds = Math.floor(tenths / 10)
  const minutes = Math.floor(seconds / 60)
  return (minutes > 0 ? `${minutes}m` : '') + (seconds % 60 > 0 ? `${seconds % 60}s` : '')
}
