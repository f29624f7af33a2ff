import { Errno } from '@vnet/kernel'
import { IFNAMSIZ } from './constants.ts'
import type { Net } from './net.ts'

const MAX_NUMBERED = 8 * 4096

/**
 * True for a name a device may have: 1 to 15 bytes, no `/`, `:` or blank, not `.` or `..`.
 *
 * @kernel dev_valid_name() net/core/dev.c
 * @rule LIFE-09
 */
export function devValidName(name: string): boolean {
  if (name === '' || byteLength(name) >= IFNAMSIZ) return false
  if (name === '.' || name === '..') return false
  return !/[/:\s\0]/.test(name)
}

function byteLength(text: string): number {
  let bytes = 0
  for (const char of text) {
    const code = char.codePointAt(0)!
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

/**
 * A name for a device: a plain one must be free, a pattern with one `%d` takes the lowest free number.
 *
 * @throws Errno EINVAL (bad name or pattern), EEXIST (taken), ENFILE (no number free)
 * @kernel dev_prep_valid_name(), __dev_alloc_name() net/core/dev.c
 * @rule LIFE-09
 */
export function devGetValidName(net: Net, want: string): string {
  if (!devValidName(want)) throw new Errno('EINVAL')
  const at = want.indexOf('%')
  if (at < 0) {
    if (net.devByName.has(want)) throw new Errno('EEXIST')
    return want
  }
  if (want[at + 1] !== 'd' || want.includes('%', at + 2)) throw new Errno('EINVAL')
  // All below were taken when last looked at, and no name was given up since.
  for (let number = net.lowestFree.get(want) ?? 0; number < MAX_NUMBERED; number++) {
    const name = want.slice(0, at) + String(number) + want.slice(at + 2)
    if (net.devByName.has(name)) continue
    // A number too long to fit is no name.
    if (byteLength(name) >= IFNAMSIZ) break
    net.lowestFree.set(want, number)
    return name
  }
  throw new Errno('ENFILE')
}
