import type { Ktime } from '@vnet/kernel'
import type { Rate } from './rate.ts'

const NUMBER = /^(\d+(?:\.\d+)?)([a-z%]*)$/i

/** Splits `5ms` into 5 and `ms`; null when it is not a plain number with letters after it. */
function split(text: string): readonly [value: number, unit: string] | null {
  const match = NUMBER.exec(text)
  return match === null ? null : [Number(match[1]), match[2]!.toLowerCase()]
}

/** `10%` or `0.1`, as a number from 0 to 1. @kernel none */
export function parseProbability(text: string): number | null {
  const parts = split(text)
  if (parts === null) return null
  const [value, unit] = parts
  if (unit !== '' && unit !== '%') return null
  const p = unit === '%' ? value / 100 : value
  return p <= 1 ? p : null
}

const TIME_UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
])

/** `5ms`, in whole nanoseconds. The unit is needed: nobody agrees on what a bare number means. @kernel none */
export function parseDuration(text: string): Ktime | null {
  const parts = split(text)
  const unit = parts === null ? undefined : TIME_UNITS.get(parts[1])
  return parts === null || unit === undefined ? null : Math.round(parts[0] * unit)
}

const BIT_UNITS: ReadonlyMap<string, number> = new Map([
  ['bit', 1],
  ['kbit', 1e3],
  ['mbit', 1e6],
  ['gbit', 1e9],
])

/** `10mbit` in bits a second as tc(8) writes it, `100fps` or `100pps` in frames a second. @kernel none */
export function parseRate(text: string): Rate | null {
  const parts = split(text)
  if (parts === null || parts[0] <= 0) return null
  const [value, unit] = parts
  if (unit === 'fps' || unit === 'pps') return { framesPerSecond: value }
  const bits = BIT_UNITS.get(unit)
  return bits === undefined ? null : { bitsPerSecond: value * bits }
}

/** A whole number of up to 32 bits. @kernel none */
export function parseWhole(text: string): number | null {
  if (!/^\d{1,10}$/.test(text)) return null
  const value = Number(text)
  return value <= 0xffff_ffff ? value : null
}
