/** How an interface counts time: its units in a second, and seconds to add. */
export interface TimeScale {
  /** The `if_tsresol` byte: n for 10^-n seconds, 0x80 + n for 2^-n. */
  readonly resolution: number
  readonly unitsPerSecond: number
  readonly offsetSec: number
}

/** Makes a scale of an interface's options; 6, microseconds, is what a file without the option means. */
export function timeScale(resolution: number, offsetSec: number): TimeScale {
  const exponent = resolution & 0x7f
  const unitsPerSecond = (resolution & 0x80) === 0 ? 10 ** exponent : 2 ** exponent
  return { resolution, unitsPerSecond, offsetSec }
}

/** Where a conversion leaves its result: no allocation per frame. */
export interface TimeTarget {
  tsSec: number
  tsNsec: number
}

/** Converts a 64-bit count of units, given as two halves, to seconds and nanoseconds. */
export function convertTime(high: number, low: number, scale: TimeScale, target: TimeTarget): void {
  const units = scale.unitsPerSecond
  // Long division in 16-bit digits stays below 2^53 for units up to 2^37; finer clocks are rare.
  if (units > 0x40000000) {
    convertFineTime(high, low, scale, target)
    return
  }
  let rest = high % units
  let sec = Math.floor(high / units) * 0x100000000
  let part = rest * 0x10000 + (low >>> 16)
  rest = part % units
  sec += Math.floor(part / units) * 0x10000
  part = rest * 0x10000 + (low & 0xffff)
  rest = part % units
  target.tsSec = sec + Math.floor(part / units) + scale.offsetSec
  target.tsNsec = rest < 0x800000 ? Math.floor((rest * 1e9) / units) : fraction(rest, units)
}

/** rest / units of a second in nanoseconds, where rest * 10^9 would not be exact. */
function fraction(rest: number, units: number): number {
  if (1e9 % units === 0) return rest * (1e9 / units)
  return Number((BigInt(rest) * 1000000000n) / BigInt(units))
}

function convertFineTime(high: number, low: number, scale: TimeScale, target: TimeTarget): void {
  const exponent = BigInt(scale.resolution & 0x7f)
  const units = (scale.resolution & 0x80) === 0 ? 10n ** exponent : 1n << exponent
  const count = (BigInt(high) << 32n) | BigInt(low)
  target.tsSec = Number(count / units) + scale.offsetSec
  target.tsNsec = Number(((count % units) * 1000000000n) / units)
}
