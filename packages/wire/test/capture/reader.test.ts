import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { fixture, hex, join, office, records } from '../corpus.ts'

/** A capture of three short frames. */
function small(writer: w.PcapWriter | w.PcapngWriter): Uint8Array {
  const frames = [1, 2, 3].map((n) =>
    writer.frame(new Uint8Array(n * 5).fill(n), 0, n * 5, 1000 + n, n * 1000),
  )
  return join([writer.header(), ...frames])
}

/** All frames up to the end, and the error if there was one. */
function readAll(reader: w.CaptureReader): { frames: string[]; error: w.CaptureError | null } {
  const frames: string[] = []
  try {
    for (const { data, offset, length, wireLength, tsSec, tsNsec, interfaceId } of reader) {
      frames.push(
        `${tsSec}.${tsNsec} ${wireLength} ${interfaceId} ${data.slice(offset, offset + length).join(' ')}`,
      )
    }
    return { frames, error: null }
  } catch (error) {
    if (!(error instanceof w.CaptureError)) throw error
    return { frames, error }
  }
}

/** Pushes the capture in pieces; each buffer is spoilt once the reader has asked for more. */
function readInChunks(
  capture: Uint8Array,
  sizes: readonly number[],
): { frames: string[]; error: w.CaptureError | null } {
  const reader = new w.CaptureReader()
  const frames: string[] = []
  let at = 0
  for (let i = 0; at < capture.length; i++) {
    const size = sizes[i % sizes.length]!
    const chunk = capture.slice(at, at + size)
    at += size
    reader.push(chunk)
    const part = readAll(reader)
    frames.push(...part.frames)
    if (part.error !== null) return { frames, error: part.error }
    chunk.fill(0xdd)
  }
  reader.end()
  const last = readAll(reader)
  return { frames: [...frames, ...last.frames], error: last.error }
}

const captures: readonly (readonly [string, Uint8Array])[] = [
  ['pcap', small(new w.PcapWriter())],
  ['pcap, nanoseconds, big-endian', small(new w.PcapWriter({ nanoseconds: true, littleEndian: false }))],
  ['pcapng', small(new w.PcapngWriter())],
  ['pcapng, big-endian', small(new w.PcapngWriter({ littleEndian: false, interfaces: [{ name: 'vnet0' }] }))],
]

describe('CaptureReader', () => {
  it('reads the frames of office.pcap', () => {
    const reader = w.readCapture(office())
    let bytes = 0
    for (const frame of reader) bytes += frame.length
    expect([reader.frames, bytes, reader.format, reader.offset]).toEqual([1890, 617448, 'pcap', 647712])
    expect(reader.interfaces).toEqual([
      { id: 0, linkType: w.LINKTYPE_ETHERNET, snapLength: 262144, name: null },
    ])
  })

  it('gives the same object for each frame, and copies none when the file is in memory', () => {
    const bytes = office()
    const reader = w.readCapture(bytes)
    const first = reader.next()
    expect(first!.data).toBe(bytes)
    expect(reader.next()).toBe(first)
    expect(first).toMatchObject({ offset: 24 + 16 + 90 + 16, length: 86, wireLength: 86 })
  })

  it('reads office.pcap in chunks of any size as in one piece', () => {
    const whole = readAll(w.readCapture(office()))
    expect(whole.frames.length).toBe(1890)
    for (const sizes of [[1000], [65536], [7, 100000, 1, 1500, 16, 24], [647712]]) {
      expect(readInChunks(office(), sizes)).toEqual(whole)
    }
  })

  it.each([...captures, ['by mergecap', fixture('merged.pcapng')] as const])(
    'reads %s byte by byte as in one piece',
    (_, capture) => {
      const whole = readAll(w.readCapture(capture))
      expect(whole.error).toBeNull()
      expect(whole.frames.length).toBeGreaterThan(2)
      for (const size of [1, 2, 3, 5, 8]) expect(readInChunks(capture, [size])).toEqual(whole)
    },
  )

  it('gives frames as soon as their last byte was pushed', () => {
    const capture = captures[0]![1]
    const reader = new w.CaptureReader()
    const given: number[] = []
    for (let i = 0; i < capture.length; i++) {
      reader.push(capture.subarray(i, i + 1))
      if (reader.next() !== null) given.push(i + 1)
    }
    expect(given).toEqual([24 + 16 + 5, 24 + 32 + 15, 24 + 48 + 30])
  })

  it.each(captures)('tells for every place where %s can be cut short', (_, capture) => {
    const whole = readAll(w.readCapture(capture))
    const ends = new Set<number>()
    const reader = w.readCapture(capture)
    // Between records the file is whole: before the first one, and after each.
    ends.add(capture.length - [5, 10, 15].reduce((sum, length) => sum + recordSize(capture, length), 0))
    while (reader.next() !== null) ends.add(reader.offset)
    for (let length = 1; length < capture.length; length++) {
      const { frames, error } = readAll(w.readCapture(capture.subarray(0, length)))
      expect(frames).toEqual(whole.frames.slice(0, frames.length))
      // A pcapng section may end behind any of its blocks.
      if (ends.has(length) || (isPcapng(capture) && length === 28)) expect(error).toBeNull()
      else {
        expect(error, `cut to ${length}`).not.toBeNull()
        expect(error!.reason).toBe('truncated')
        expect(error!.message).toMatch(/cut short|only [0-9] bytes/)
        expect(error!.offset).toBe(length < 4 ? 0 : length)
      }
    }
  })

  it('says what is cut short, and what was read', () => {
    const capture = captures[0]![1]
    const message = (length: number): string =>
      readAll(w.readCapture(capture.subarray(0, length))).error!.message
    expect(message(80)).toBe(
      'the file is cut short: it ends inside the 16-byte header of a record; 2 whole frames were read before, copy the file again to get the rest (at byte 80)',
    )
    expect(message(90)).toContain(
      'it ends inside a frame of 15 bytes, of which 3 are here; 2 whole frames were read',
    )
    expect(message(20)).toContain('it ends inside its header of 24 bytes; 0 whole frames were read')
  })

  it('keeps its error', () => {
    const reader = w.readCapture(hex('1f8b0800'))
    expect(() => reader.next()).toThrow(w.CaptureError)
    expect(() => reader.next()).toThrow('this is gzip: gunzip first')
  })

  it('takes no bytes after the end', () => {
    const reader = w.readCapture(captures[0]![1])
    expect(() => reader.push(new Uint8Array(1))).toThrow('after the end')
  })

  it('knows nothing before the first bytes', () => {
    const reader = new w.CaptureReader()
    expect([reader.next(), reader.format, reader.interfaces, reader.offset, reader.frames]).toEqual([
      null,
      null,
      [],
      0,
      0,
    ])
    reader.push(captures[2]![1].subarray(0, 3))
    expect([reader.next(), reader.format]).toEqual([null, null])
  })
})

function isPcapng(capture: Uint8Array): boolean {
  return capture[0] === 0x0a
}

function recordSize(capture: Uint8Array, length: number): number {
  return isPcapng(capture) ? 32 + ((length + 3) & ~3) : 16 + length
}

describe('a file that is no capture', () => {
  it.each([
    ['', 'empty', 'the file is empty'],
    ['d4 c3', 'truncated', 'only 2 bytes'],
    ['1f 8b', 'compressed', 'this is gzip: gunzip first'],
    ['1f 8b 08 00 00 00', 'compressed', 'this is gzip: gunzip first'],
    ['28 b5 2f fd 00', 'compressed', 'this is zstd: unzstd first'],
    ['fd 37 7a 58 5a 00', 'compressed', 'this is xz: unxz first'],
    ['42 5a 68 39', 'compressed', 'this is bzip2: bunzip2 first'],
    ['50 4b 03 04', 'compressed', 'this is a zip archive: unzip first'],
    ['34 cd b2 a1 02 00', 'unsupported', 'patched record headers: convert it with editcap'],
    ['73 6e 6f 6f 70 00', 'unsupported', 'snoop capture: convert it'],
    ['47 4d 42 55', 'unsupported', 'Network Monitor'],
    ['7f 45 4c 46', 'foreign', 'neither pcap nor pcapng (it begins with 0x7f454c46)'],
    ['d4 c3 b2 a1 03 00 00 00 0000000000000000 0000000000000000', 'unsupported', 'pcap version 3.0'],
  ])('is refused with a reason and a way out: %s', (bytes, reason, sentence) => {
    const { frames, error } = readAll(w.readCapture(hex(bytes)))
    expect(frames).toEqual([])
    expect(error!.name).toBe('CaptureError')
    expect(error!.reason).toBe(reason)
    expect(error!.message).toContain(sentence)
  })

  it('is refused with an absurd length, after the frames before it', () => {
    const capture = captures[0]![1].slice()
    new DataView(capture.buffer).setUint32(24 + 16 + 5 + 8, 0x7fffffff, true)
    const { frames, error } = readAll(w.readCapture(capture))
    expect(frames.length).toBe(1)
    expect(error!.message).toBe(
      'a record claims 2147483647 captured bytes, more than the 262144 a frame may have: the file is damaged from here on, so keep what was read before (at byte 53)',
    )
    expect([error!.reason, error!.offset]).toEqual(['corrupt', 53])
  })

  it('may hold longer frames when that is asked for', () => {
    const long = new Uint8Array(300_000).fill(7)
    const writer = new w.PcapWriter({ snapLength: 400_000 })
    const capture = join([writer.header(), writer.frame(long, 0, long.length, 0, 0)])
    expect(readAll(w.readCapture(capture)).error!.message).toContain('300000 captured bytes')
    expect(w.readCapture(capture, { maxFrameLength: 400_000 }).next()).toMatchObject({ length: 300_000 })
  })

  it('holds frames of up to 262144 bytes', () => {
    const long = new Uint8Array(262_144)
    for (const writer of [new w.PcapWriter(), new w.PcapngWriter()]) {
      const capture = join([writer.header(), writer.frame(long, 0, long.length, 0, 0)])
      expect(w.readCapture(capture).next()!.length).toBe(262_144)
    }
  })
})

describe('any bytes', () => {
  const start = fc.constantFrom(
    ...captures.map(([, capture]) => capture),
    fixture('merged.pcapng'),
    new Uint8Array(0),
  )
  const changed = fc
    .record({
      start,
      changes: fc.array(fc.record({ at: fc.nat(300), value: fc.integer({ min: 0, max: 255 }) }), {
        maxLength: 3,
      }),
      cut: fc.option(fc.nat(400)),
      tail: fc.uint8Array({ maxLength: 40 }),
    })
    .map((one) => {
      const bytes = Uint8Array.of(...one.start.subarray(0, one.cut ?? one.start.length), ...one.tail)
      for (const { at, value } of one.changes) if (at < bytes.length) bytes[at] = value
      return bytes
    })

  it('come to an end, in frames inside the bytes or a CaptureError, the same in chunks of any size', () => {
    fc.assert(
      fc.property(
        changed,
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
        (bytes, sizes) => {
          const reader = w.readCapture(bytes)
          let last = 0
          const count = { frames: 0 }
          try {
            for (const frame of reader) {
              count.frames++
              expect(frame.offset).toBeGreaterThanOrEqual(last)
              expect(frame.offset + frame.length).toBeLessThanOrEqual(bytes.length)
              for (const value of [
                frame.tsSec,
                frame.tsNsec,
                frame.wireLength,
                frame.interfaceId,
                frame.linkType,
              ]) {
                expect(Number.isFinite(value)).toBe(true)
              }
              expect(frame.tsNsec).toBeGreaterThanOrEqual(0)
              expect(frame.tsNsec).toBeLessThan(1e9)
              last = frame.offset + frame.length
            }
          } catch (error) {
            expect(error).toBeInstanceOf(w.CaptureError)
            expect((error as w.CaptureError).offset).toBeLessThanOrEqual(bytes.length)
            expect((error as w.CaptureError).message).not.toMatch(/NaN|undefined/)
          }
          expect(count.frames).toBe(reader.frames)
          const whole = readAll(w.readCapture(bytes))
          const pieces = readInChunks(bytes, sizes)
          expect(pieces.frames).toEqual(whole.frames)
          expect(pieces.error?.message).toBe(whole.error?.message)
        },
      ),
      { numRuns: 3000 },
    )
  })
})

describe('files other programs wrote', () => {
  const all = records(office())

  it('by editcap are the frames of office.pcap, as pcap with nanoseconds and as pcapng', () => {
    expect(records(fixture('nanoseconds.pcap'))).toEqual(all.slice(0, 10))
    expect(records(fixture('wireshark.pcapng'))).toEqual(all.slice(0, 45))
  })

  it('by mergecap have two interfaces with clocks of their own', () => {
    const reader = w.readCapture(fixture('merged.pcapng'))
    const merged = records(fixture('merged.pcapng'))
    expect(merged.map(({ interfaceId: _, ...one }) => one)).toEqual(
      [...all.slice(0, 10), ...all.slice(39, 50)].map(({ interfaceId: _, ...one }) => one),
    )
    expect(merged.map((one) => one.interfaceId)).toEqual([...new Array(10).fill(0), ...new Array(11).fill(1)])
    while (reader.next() !== null);
    expect(reader.interfaces.map((one) => one.id)).toEqual([0, 1])
  })
})
