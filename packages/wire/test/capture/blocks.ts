/** Builds pcapng by hand, right or wrong, in either byte order. */
export class Blocks {
  readonly little: boolean
  private readonly parts: Uint8Array[] = []

  constructor(little = true) {
    this.little = little
  }

  /** Numbers of 2 or 4 bytes in this file's order, or bytes as they are. */
  static words(little: boolean, ...values: readonly (readonly [2 | 4, number] | Uint8Array)[]): Uint8Array {
    const out: number[] = []
    for (const value of values) {
      if (value instanceof Uint8Array) {
        for (const byte of value) out.push(byte)
        continue
      }
      const [size, number] = value
      const bytes = Array.from({ length: size }, (_, i) => Math.floor(number / 256 ** i) % 256)
      out.push(...(little ? bytes : bytes.reverse()))
    }
    return Uint8Array.from(out)
  }

  private readonly u32 = (value: number): readonly [4, number] => [4, value]
  private readonly u16 = (value: number): readonly [2, number] => [2, value]

  block(type: number, body: Uint8Array, length = 12 + body.length, tail = length): this {
    this.parts.push(Blocks.words(this.little, this.u32(type), this.u32(length), body, this.u32(tail)))
    return this
  }

  section(major = 1, magic = 0x1a2b3c4d): this {
    const body = [
      this.u32(magic),
      this.u16(major),
      this.u16(0),
      this.u32(0xffffffff),
      this.u32(0xffffffff),
    ] as const
    return this.block(0x0a0d0d0a, Blocks.words(this.little, ...body))
  }

  interface(options: Uint8Array = new Uint8Array(0), snapLength = 0, linkType = 1): this {
    return this.block(
      1,
      Blocks.words(this.little, this.u16(linkType), this.u16(0), this.u32(snapLength), options),
    )
  }

  option(code: number, ...value: number[]): Uint8Array {
    const padded = Uint8Array.from({ length: (value.length + 3) & ~3 }, (_, i) => value[i] ?? 0)
    return Blocks.words(this.little, this.u16(code), this.u16(value.length), padded)
  }

  enhanced(data: Uint8Array, time: readonly [number, number] = [0, 0], id = 0, captured = data.length): this {
    const words = [this.u32(id), this.u32(time[0]), this.u32(time[1]), this.u32(captured), this.u32(captured)]
    return this.block(6, Blocks.words(this.little, ...words, pad(data)))
  }

  simple(data: Uint8Array, wireLength = data.length): this {
    return this.block(3, Blocks.words(this.little, this.u32(wireLength), pad(data)))
  }

  obsolete(data: Uint8Array, time: readonly [number, number] = [0, 0], id = 0): this {
    const words = [this.u32(time[0]), this.u32(time[1]), this.u32(data.length), this.u32(data.length)]
    return this.block(2, Blocks.words(this.little, this.u16(id), this.u16(9), ...words, pad(data)))
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.parts.flatMap((part) => [...part]))
  }
}

export function pad(data: Uint8Array): Uint8Array {
  const padded = new Uint8Array((data.length + 3) & ~3)
  padded.set(data)
  return padded
}
