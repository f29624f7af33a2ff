/** Thousands apart: 1890 → 1,890. */
export function grouped(n: number | bigint): string {
  return n.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 frame`, `2 frames`. */
export function plural(n: number | bigint, word: string): string {
  return `${grouped(n)} ${word}${BigInt(n) === 1n ? '' : 's'}`
}
