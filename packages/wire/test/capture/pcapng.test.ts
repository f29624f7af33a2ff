import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { ascii } from '../corpus.ts'
import { Blocks } from './blocks.ts'

const one = Uint8Array.of(1, 2, 3, 4, 5)

function frames(bytes: Uint8Array): Record<string, unknown>[] {
  const all: Record<string, unknown>[] = []
  for (const frame of w.readCapture(bytes)) {
    const { data, offset, length, ...rest } = frame
    all.push({ ...rest, data: data.slice(offset, offset + length) })
  }
  return all
}

function failure(bytes: Uint8Array): w.CaptureError {
  try {
    frames(bytes)
  } catch (error) {
    if (error instanceof w.CaptureError) return error
    throw error
  }
  throw new Error('no CaptureError was thrown')
}

/** 64-bit numbers in the two halves of a packet block. */
const halves = (value: bigint): readonly [number, number] => [
  Number(value >> 32n),
  Number(value & 0xffffffffn),
]

describe.each([
  ['little', true],
  ['big', false],
])('pcapng, %s-endian', (_, little) => {
  const blocks = (): Blocks => new Blocks(little).section()

  it('reads enhanced, simple and obsolete packet blocks', () => {
    const time = halves(1795338157993854n)
    const bytes = blocks().interface().enhanced(one, time).simple(one).obsolete(one, time).bytes()
    const common = { wireLength: 5, interfaceId: 0, linkType: 1, data: one }
    expect(frames(bytes)).toEqual([
      { ...common, tsSec: 1795338157, tsNsec: 993854000 },
      { ...common, tsSec: 0, tsNsec: 0 },
      { ...common, tsSec: 1795338157, tsNsec: 993854000 },
    ])
  })

  it.each([
    ['microseconds without the option', [], 1795338157993854n, 1795338157, 993854000],
    ['milliseconds', [3], 1795338157993n, 1795338157, 993000000],
    ['seconds', [0], 1795338157n, 1795338157, 0],
    ['nanoseconds', [9], 1795338157993854321n, 1795338157, 993854321],
    ['tenths of a nanosecond', [10], 17953381579938543219n, 1795338157, 993854321],
    ['picoseconds', [12], 7993854321987n, 7, 993854321],
    ['seconds split by 2^10', [0x8a], 1795338157n * 1024n + 512n, 1795338157, 500000000],
    ['seconds split by 2^20', [0x94], 1795338157n * 1048576n + 1n, 1795338157, 953],
    ['seconds split by 2^30', [0x9e], 1795338157n * 1073741824n + 1073741823n, 1795338157, 999999999],
    ['seconds split by 2^32', [0xa0], 1795338157n * 4294967296n + 1n, 1795338157, 0],
    ['a resolution finer than 64 bits', [127], 0xffffffffffffffffn, 0, 0],
    ['the largest count', [6], 0xffffffffffffffffn, 18446744073709, 551615000],
  ])('converts times in %s', (_name, resolution, count, tsSec, tsNsec) => {
    const file = blocks()
    const options = resolution.length === 0 ? new Uint8Array(0) : file.option(9, ...resolution)
    expect(frames(file.interface(options).enhanced(one, halves(count)).bytes())).toMatchObject([
      { tsSec, tsNsec },
    ])
  })

  it('adds the offset of an interface, forwards and backwards', () => {
    const eight = (value: bigint): number[] => {
      const bytes = Array.from({ length: 8 }, (_, i) =>
        Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn),
      )
      return little ? bytes : bytes.reverse()
    }
    for (const offset of [3600n, -3600n, 5000000000n]) {
      const file = blocks()
      const bytes = file
        .interface(file.option(14, ...eight(offset)))
        .enhanced(one, halves(10_000_000_000n))
        .bytes()
      expect(frames(bytes)).toMatchObject([{ tsSec: 10000 + Number(offset), tsNsec: 0 }])
    }
  })

  it('knows the names, link types and limits of several interfaces', () => {
    const file = blocks()
    file.interface(file.option(2, ...ascii('vnet0')), 96)
    file.interface(file.option(2, 0xc3, 0xa4), 0, 113)
    file.interface(file.option(2, 0xff))
    const reader = w.readCapture(file.enhanced(one, [0, 0], 1).enhanced(one, [0, 0], 0).bytes())
    expect(reader.next()).toMatchObject({ interfaceId: 1, linkType: 113 })
    expect(reader.next()).toMatchObject({ interfaceId: 0, linkType: 1 })
    expect(reader.interfaces).toEqual([
      { id: 0, linkType: 1, snapLength: 96, name: 'vnet0' },
      { id: 1, linkType: 113, snapLength: 0, name: 'ä' },
      { id: 2, linkType: 1, snapLength: 0, name: 'ÿ' },
    ])
  })

  it("cuts simple packets to the first interface's limit", () => {
    expect(frames(blocks().interface(undefined, 4).simple(one.subarray(0, 4), 1000).bytes())).toMatchObject([
      { data: one.subarray(0, 4), wireLength: 1000 },
    ])
  })

  it('passes over blocks it does not know, however large', () => {
    const file = blocks()
      .interface()
      .block(5, new Uint8Array(20))
      .enhanced(one)
      .block(0x40000bad, new Uint8Array(100_000))
    expect(frames(file.enhanced(one).bytes()).length).toBe(2)
  })

  it('begins again with each section, which may turn the bytes around', () => {
    const second = new Blocks(!little).section().interface(undefined, 0, 101).enhanced(one, [0, 5_000_000])
    const first = blocks().interface().interface().enhanced(one, [0, 7_000_000], 1)
    expect(frames(Uint8Array.of(...first.bytes(), ...second.bytes()))).toMatchObject([
      { interfaceId: 1, linkType: 1, tsSec: 7 },
      { interfaceId: 0, linkType: 101, tsSec: 5 },
    ])
    const lost = new Blocks(!little).section().enhanced(one)
    expect(failure(Uint8Array.of(...first.bytes(), ...lost.bytes())).message).toContain(
      'but 0 were described',
    )
  })

  it('takes options that stop in the middle as far as they go', () => {
    const file = blocks()
    const cut = Uint8Array.of(...file.option(9, 9), ...file.option(2, ...ascii('name')).subarray(0, 4))
    expect(frames(file.interface(cut).enhanced(one, halves(5_000_000_001n)).bytes())).toMatchObject([
      { tsSec: 5, tsNsec: 1 },
    ])
  })

  it('refuses a packet longer than a frame may be, whose block would still pass', () => {
    const bytes = blocks().interface().enhanced(new Uint8Array(300_000)).bytes()
    expect(failure(bytes).message).toContain('300000 captured bytes, more than the 262144 a frame may have')
  })

  it.each([
    [
      'a length that is no multiple of 4',
      (f: Blocks) => f.block(6, new Uint8Array(20), 33),
      'a length of 33 bytes, which no block has',
      32,
    ],
    [
      'a length of 0',
      (f: Blocks) => f.block(6, new Uint8Array(20), 0),
      'a length of 0 bytes, which no block has',
      32,
    ],
    [
      'a length of gigabytes',
      (f: Blocks) => f.block(5, new Uint8Array(0), 0xfffffff0),
      'a block claims 4294967280 bytes',
      32,
    ],
    [
      'a packet of megabytes',
      (f: Blocks) => f.block(6, new Uint8Array(20), 0x100000),
      'a block claims 1048576 bytes',
      32,
    ],
    [
      'two lengths that differ',
      (f: Blocks) => f.interface().block(6, new Uint8Array(20), 32, 36),
      'ends with the length 36',
      76,
    ],
    [
      'an interface nobody described',
      (f: Blocks) => f.interface().enhanced(one, [0, 0], 1),
      'a packet is from interface 1, but 1 were described',
      56,
    ],
    ['a simple packet without an interface', (f: Blocks) => f.simple(one), 'before any interface', 28],
    [
      'more captured bytes than the block has',
      (f: Blocks) => f.interface().enhanced(one, [0, 0], 0, 9),
      'a packet claims 9 captured bytes in a block of 40',
      68,
    ],
    [
      'a simple packet longer than its block',
      (f: Blocks) => f.interface().simple(one, 100),
      'a packet claims 100 captured bytes in a block of 24',
      56,
    ],
    [
      'a packet block without room',
      (f: Blocks) => f.interface().block(6, new Uint8Array(16)),
      'a packet block of 28 bytes is too short',
      52,
    ],
    [
      'a simple packet block without room',
      (f: Blocks) => f.interface().block(3, new Uint8Array(0)),
      'a packet block of 12 bytes is too short',
      52,
    ],
    [
      'an interface block without room',
      (f: Blocks) => f.block(1, new Uint8Array(4)),
      'an interface block of 16 bytes is too short',
      32,
    ],
    [
      'a section without room',
      (f: Blocks) => f.block(0x0a0d0d0a, Blocks.words(little, [4, 0x1a2b3c4d])),
      'a length of 16 bytes',
      32,
    ],
    [
      'a section without byte order',
      (f: Blocks) => f.section(1, 0x12345678),
      'no byte-order mark (1a2b3c4d)',
      36,
    ],
    ['another version', (f: Blocks) => f.section(2), 'this is pcapng version 2.0', 40],
  ] as const)('refuses %s, and says where', (_name, build, sentence, offset) => {
    const error = failure(build(blocks()).bytes())
    expect(error.message).toContain(sentence)
    expect(error.offset).toBe(offset)
  })
})
