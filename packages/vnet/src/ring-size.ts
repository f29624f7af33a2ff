/** Smallest ring the card takes. @kernel none @rule RING-03 */
export const MIN_RING = 2
/** Largest ring the card takes. @kernel none @rule RING-03 */
export const MAX_RING = 4096

/** Says what is wrong with a ring size; undefined when it is one. @kernel none @rule RING-03 */
export function checkRingSize(n: number): string | undefined {
  const powerOfTwo = Number.isInteger(n) && n > 0 && (n & (n - 1)) === 0
  if (powerOfTwo && n >= MIN_RING && n <= MAX_RING) return undefined
  return `a ring has 2, 4, 8, … ${MAX_RING} entries, not ${n}`
}
