import type { Printer } from './printer.ts'

/** Prints the hop-by-hop header's mark; gives its length, or -1 when the packet makes no sense from here on. */
export function printHopByHop(p: Printer, at: number, payload: number): number {
  p.protocol = 'hbhopt'
  const length = (p.u8(at + 1) + 1) * 8
  const whole = p.has(at, length)
  if (whole) p.add('HBH ')
  const good = whole && checkOptions(p, at + 2, at + length)
  if (!good) p.cutShort()
  if (payload === 0) {
    p.add('[No valid Jumbo Payload Hop-by-Hop option found] (invalid)')
    return -1
  }
  return good ? length : -1
}

/** Options with a length of their own; a wrong one is told of. */
const FIXED: ReadonlyMap<number, readonly [string, number]> = new Map([
  [0x05, ['rtalert', 2]],
  [0xc2, ['jumbo', 4]],
])

const HOME_ADDRESS = 0xc9

function checkOptions(p: Printer, at: number, end: number): boolean {
  while (at < end) {
    const type = p.u8(at)
    if (type === 0) {
      at++
      continue
    }
    if (at + 1 >= end) return false
    const size = p.u8(at + 1)
    if (at + 2 + size > end) return false
    const fixed = FIXED.get(type)
    if (fixed !== undefined && end - at < fixed[1] + 2) {
      p.add(`(${fixed[0]}: trunc)`)
      return false
    }
    if (fixed !== undefined && size !== fixed[1]) {
      p.add(`(${fixed[0]}: invalid len ${size})`)
      return false
    }
    if (type === HOME_ADDRESS && (end - at < 18 || size < 16)) {
      p.add(end - at < 18 ? '(homeaddr: trunc)' : `(homeaddr: invalid len ${size})`)
      return false
    }
    at += 2 + size
  }
  return true
}

/** Prints a routing header; gives its length, or -1 when its type is unknown. */
export function printRouting(p: Printer, at: number): number {
  p.need(at, 1)
  p.protocol = 'rt6'
  p.add('RT6')
  const size = p.u8(at + 1)
  p.add(` (len=${size}`)
  const type = p.u8(at + 2)
  p.add(`, type=${type}${type === 0 ? ' [Deprecated]' : ''}`)
  p.add(`, segleft=${p.u8(at + 3)}`)
  if (type === 0 || type === 2) {
    const reserved = p.u32(at + 4)
    if (reserved !== 0) p.add(`, rsv=0x${reserved.toString(16)}`)
  } else if (type === 4) {
    p.add(`, last-entry=${p.u8(at + 4)}`)
    const flags = p.u8(at + 5)
    if (flags !== 0) p.add(`, flags=0x${flags.toString(16)}`)
    p.add(`, tag=${p.u16(at + 6).toString(16)}`)
  } else {
    p.add(' (unknown type) (invalid)')
    return -1
  }
  if (size % 2 === 1) {
    p.add(` (invalid length ${size}) (invalid)`)
    return -1
  }
  for (let i = 0; i < size / 2; i++) p.add(`, [${i}]${p.ipv6(at + 8 + i * 16)}`)
  p.add(') ')
  return (size + 1) * 8
}
