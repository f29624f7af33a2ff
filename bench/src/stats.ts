/** The middle, and how far half of the values lie around it. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
  /** Distance of the quartiles, as a part of the median. */
  readonly spread: number
  readonly n: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (q: number): number => {
    const x = q * (sorted.length - 1)
    const i = Math.floor(x)
    return sorted[i]! + (sorted[Math.min(i + 1, sorted.length - 1)]! - sorted[i]!) * (x - i)
  }
  const [low, median, high] = [at(0.25), at(0.5), at(0.75)]
  return { median, low, high, spread: (high - low) / median, n: sorted.length }
}
