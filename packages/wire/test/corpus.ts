import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { readCapture } from '@vnet/wire'

/** One frame of a fixture, copied out. */
export interface Recorded {
  readonly bytes: Uint8Array
  readonly wireLength: number
  readonly tsSec: number
  readonly tsNsec: number
  readonly interfaceId: number
}

export const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)))

export const fixtureText = (name: string): string => Buffer.from(fixture(name)).toString('latin1')

export const office = (): Uint8Array =>
  new Uint8Array(readFileSync(new URL('../../../fixtures/office.pcap', import.meta.url)))

export function records(capture: Uint8Array): Recorded[] {
  const all: Recorded[] = []
  for (const { data, offset, length, wireLength, tsSec, tsNsec, interfaceId } of readCapture(capture)) {
    all.push({ bytes: data.slice(offset, offset + length), wireLength, tsSec, tsNsec, interfaceId })
  }
  return all
}

/** Frames of every kind, to change at random: a parser's deep branches are not reached by random bytes alone. */
export const corpus: readonly Uint8Array[] = [
  ...records(fixture('crafted.pcap')).map((one) => one.bytes),
  ...records(office())
    .filter((_, i) => i < 60 || i > 1860)
    .map((one) => one.bytes),
]

/** Real frames with a few bytes changed, cut at a random place. */
export const mutatedFrame: fc.Arbitrary<Uint8Array> = fc
  .record({
    frame: fc.constantFrom(...corpus),
    changes: fc.array(fc.record({ at: fc.nat(90), value: fc.integer({ min: 0, max: 255 }) }), {
      maxLength: 4,
    }),
    cut: fc.option(fc.nat(120)),
  })
  .map(({ frame, changes, cut }) => {
    const bytes = frame.slice(0, cut ?? frame.length)
    for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value
    return bytes
  })

export const anyFrame: fc.Arbitrary<Uint8Array> = fc.oneof(
  { arbitrary: mutatedFrame, weight: 4 },
  { arbitrary: fc.uint8Array({ maxLength: 200 }), weight: 1 },
)

export const hex = (text: string): Uint8Array => {
  const digits = text.replace(/[^0-9a-f]/gi, '')
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    parseInt(digits.slice(i * 2, i * 2 + 2), 16),
  )
}

export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (one) => one.charCodeAt(0))

export const join = (chunks: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
