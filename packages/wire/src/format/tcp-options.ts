import { HEX } from '../mac.ts'
import type { Printer } from './printer.ts'

const NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'eol'],
  [1, 'nop'],
  [2, 'mss'],
  [3, 'wscale'],
  [4, 'sackOK'],
  [5, 'sack'],
  [6, 'echo'],
  [7, 'echoreply'],
  [8, 'TS'],
  [11, 'cc'],
  [12, 'ccnew'],
  [13, ''],
  [19, 'md5'],
  [20, 'scps'],
  [28, 'uto'],
  [29, 'tcp-ao'],
  [30, 'mptcp'],
  [34, 'tfo'],
  [254, 'exp'],
])

/** Bytes of value each kind has when it is right. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [2, 2],
  [3, 1],
  [4, 0],
  [6, 4],
  [7, 4],
  [8, 8],
  [11, 4],
  [12, 4],
  [13, 4],
])

/** Kinds whose value is printed as a number or in words; others as bytes. */
const KNOWN: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 6, 7, 8, 11, 12, 13, 34])

/** How reading a value came out. */
const GOOD = 0
const BAD = 1
const CUT = 2

/** Prints `, options […]`; false when the line ends there: a length made no sense, or the bytes did not come. */
export function printTcpOptions(p: Printer, at: number, room: number, sackBase: number): boolean {
  p.add(', options [')
  let printed = false
  while (room > 0) {
    if (printed) p.add(',')
    const kind = p.u8(at)
    const bare = kind < 2
    const size = bare ? 1 : p.u8(at + 1)
    if (!bare && (size < 2 || size > room)) return stop(p, BAD, printed)
    const header = bare ? 1 : 2
    p.add(NAMES.get(kind) ?? `unknown-${kind}`)
    const wanted = bare ? 0 : (SIZES.get(kind) ?? size - 2)
    const outcome = printValue(p, kind, at + header, wanted, room - header, sackBase)
    if (outcome !== GOOD) return stop(p, outcome, printed)
    if (wanted + header !== size) p.add(`[len ${size}]`)
    at += wanted + header
    room -= wanted + header
    printed = true
    if (kind === 0) break
  }
  p.add(']')
  return true
}

/** tcpdump closes the bracket only when an option stands in it. */
function stop(p: Printer, outcome: number, printed: boolean): boolean {
  if (outcome === BAD) p.add(printed ? '[bad opt]]' : '[bad opt]')
  else {
    p.cutShort()
    if (printed) p.add('>')
  }
  return false
}

/** Whether `size` bytes are in the options, and in the capture. */
function check(p: Printer, at: number, size: number, room: number): number {
  if (size > room) return BAD
  return p.has(at, size) ? GOOD : CUT
}

function printValue(
  p: Printer,
  kind: number,
  at: number,
  size: number,
  room: number,
  sackBase: number,
): number {
  if (kind === 5) return printSack(p, at, size, room, sackBase)
  if (!KNOWN.has(kind)) return printUnknown(p, at, size, room)
  const outcome = check(p, at, size, room)
  if (outcome !== GOOD) return outcome
  if (kind === 8) p.add(` val ${p.u32(at)} ecr ${p.u32(at + 4)}`)
  else if (kind === 34) printFastOpen(p, at, size)
  else if (size === 1) p.add(` ${p.u8(at)}`)
  else if (size === 2) p.add(` ${p.u16(at)}`)
  else if (size === 4) p.add(` ${p.u32(at)}`)
  return GOOD
}

function printSack(p: Printer, at: number, size: number, room: number, base: number): number {
  if (size % 8 !== 0) {
    p.add(' invalid sack')
    return GOOD
  }
  p.add(` ${size / 8} `)
  for (let i = 0; i < size; i += 8) {
    const outcome = check(p, at + i, 8, room - i)
    if (outcome !== GOOD) return outcome
    p.add(`{${(p.u32(at + i) - base) >>> 0}:${(p.u32(at + i + 4) - base) >>> 0}}`)
  }
  return GOOD
}

function printUnknown(p: Printer, at: number, size: number, room: number): number {
  if (size > 0) p.add(' 0x')
  for (let i = 0; i < size; i++) {
    const outcome = check(p, at + i, 1, room - i)
    if (outcome !== GOOD) return outcome
    p.add(HEX[p.u8(at + i)]!)
  }
  return GOOD
}

function printFastOpen(p: Printer, at: number, size: number): void {
  p.add(' ')
  if (size === 0) p.add(' cookiereq')
  else if (size % 2 !== 0 || size < 4 || size > 16) p.add(' (invalid)')
  else p.add(` cookie ${hex(p, at, size)}`)
}

function hex(p: Printer, at: number, size: number): string {
  let text = ''
  for (let i = 0; i < size; i++) text += HEX[p.u8(at + i)]!
  return text
}
