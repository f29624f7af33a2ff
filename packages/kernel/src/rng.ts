/** What `Rng.state()` gives and `Rng.restore()` takes: four unsigned 32-bit words. */
export type RngState = readonly [number, number, number, number]

/**
 * The kernel's source of chance: the same seed gives the same numbers on every machine.
 *
 * The generator is xoshiro128** (Blackman and Vigna, public domain). It is not for secrets.
 *
 * @kernel struct rnd_state include/linux/prandom.h
 */
export class Rng {
  #a = 0
  #b = 0
  #c = 0
  #d = 0

  constructor(seed: number) {
    this.seed(seed)
  }

  /** Starts over from a 32-bit seed. */
  seed(seed: number): void {
    let x = seed >>> 0
    const next = (): number => {
      x = (x + 0x9e3779b9) | 0
      let z = x
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      return z ^ (z >>> 16)
    }
    this.#a = next()
    this.#b = next()
    this.#c = next()
    // All four zero would stay zero for ever.
    this.#d = next() | 1
  }

  /** A number from 0 to 2³² - 1. @kernel prandom_u32_state() lib/random32.c */
  u32(): number {
    const b = this.#b
    const x5 = Math.imul(b, 5)
    const result = Math.imul((x5 << 7) | (x5 >>> 25), 9)
    this.#c ^= this.#a
    this.#d ^= b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= b << 9
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result >>> 0
  }

  /**
   * A number from 0 to n - 1, each as likely as the others; n is an integer from 1 to 2³².
   *
   * @kernel get_random_u32_below() include/linux/random.h
   */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x1_0000_0000) throw new RangeError(`below(${n})`)
    // Numbers in the incomplete last stretch would favour the small results.
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % n)
    let x = this.u32()
    while (x >= limit) x = this.u32()
    return x % n
  }

  /** True with probability p: never at 0, always at 1. */
  chance(p: number): boolean {
    return this.u32() < p * 0x1_0000_0000
  }

  /** A second generator, seeded from this one, whose use does not disturb this one. */
  fork(): Rng {
    return new Rng(this.u32())
  }

  /** The whole state, to be stored as JSON. */
  state(): RngState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0]
  }

  /** Goes back to a stored state. */
  restore(state: RngState): void {
    this.#a = state[0] | 0
    this.#b = state[1] | 0
    this.#c = state[2] | 0
    this.#d = state[3] | 0
    if ((this.#a | this.#b | this.#c | this.#d) === 0) throw new RangeError('all-zero generator state')
  }
}
