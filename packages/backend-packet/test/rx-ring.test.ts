import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { finishChecksum } from '../src/checksum.ts'
import { packetSettings, explainPacketRefusal } from '../src/options.ts'
import { RxRing, TP_STATUS } from '../src/rx-ring.ts'

const BLOCK = 65_536
const BLOCKS = 4

interface Frame {
  readonly bytes: Uint8Array
  readonly status?: number
  readonly full?: number
  readonly tci?: number
  readonly tpid?: number
  readonly type?: number
}

/** Plays the kernel: fills blocks. */
class Host {
  readonly buffer = new ArrayBuffer(BLOCK * BLOCKS)
  readonly view = new DataView(this.buffer)
  #block = 0

  /** Fills the next block and hands it over; false when the reader has not given it back. */
  fill(frames: readonly Frame[]): boolean {
    const at = this.#block * BLOCK
    if (this.view.getUint32(at + 8, true) !== 0) return false
    new Uint8Array(this.buffer, at, BLOCK).fill(0)
    this.view.setUint32(at + 12, frames.length, true)
    this.view.setUint32(at + 16, 48, true)
    let header = at + 48
    frames.forEach((frame) => (header += this.#put(header, frame)))
    this.view.setUint32(at + 8, TP_STATUS.USER, true)
    this.#block = (this.#block + 1) % BLOCKS
    return true
  }

  #put(header: number, frame: Frame): number {
    const mac = 86
    const size = (mac + frame.bytes.length + 15) & ~15
    this.view.setUint32(header, size, true)
    this.view.setUint32(header + 12, frame.bytes.length, true)
    this.view.setUint32(header + 16, frame.full ?? frame.bytes.length, true)
    this.view.setUint32(header + 20, TP_STATUS.USER | (frame.status ?? 0), true)
    this.view.setUint16(header + 24, mac, true)
    // The next field shares its word, and must not be taken for part of it.
    this.view.setUint16(header + 26, 0xffff, true)
    this.view.setUint32(header + 32, frame.tci ?? 0, true)
    this.view.setUint16(header + 36, frame.tpid ?? 0, true)
    this.view.setUint8(header + 58, frame.type ?? 0)
    new Uint8Array(this.buffer).set(frame.bytes, header + mac)
    return size
  }
}

const ring = (host: Host): RxRing => new RxRing(host.buffer, { blockSize: BLOCK, blocks: BLOCKS })
const current = (r: RxRing): number[] => [...r.mem.subarray(r.offset, r.offset + r.length)]

describe('RxRing', () => {
  it('gives every frame once and in order, and every block back', () => {
    const frame = fc.uint8Array({ minLength: 14, maxLength: 120 })
    const steps = fc.array(fc.oneof(fc.array(frame, { maxLength: 5 }), fc.integer({ min: 1, max: 8 })), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(steps, (script) => {
        const host = new Host()
        const reader = ring(host)
        const sent: number[][] = []
        const got: number[][] = []
        for (const step of script) {
          if (typeof step === 'number')
            for (let n = 0; n < step && reader.next(); n++) got.push(current(reader))
          else if (host.fill(step.map((bytes) => ({ bytes })))) sent.push(...step.map((bytes) => [...bytes]))
        }
        while (reader.next()) got.push(current(reader))
        expect(got).toEqual(sent)
        for (let i = 0; i < BLOCKS; i++) expect(host.view.getUint32(i * BLOCK + 8, true)).toBe(0)
      }),
    )
  })

  it('keeps a block until its last frame was passed', () => {
    const host = new Host()
    const reader = ring(host)
    host.fill([{ bytes: new Uint8Array(60) }, { bytes: new Uint8Array(61) }])
    expect(reader.next()).toBe(true)
    expect(reader.next()).toBe(true)
    expect(host.view.getUint32(8, true)).toBe(TP_STATUS.USER)
    expect(reader.next()).toBe(false)
    expect(host.view.getUint32(8, true)).toBe(0)
  })

  it('puts a VLAN tag back', () => {
    const host = new Host()
    const reader = ring(host)
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0, 99)
    const { VLAN_VALID, VLAN_TPID_VALID } = TP_STATUS
    host.fill([
      { bytes, status: VLAN_VALID, tci: 0x2005 },
      { bytes, status: VLAN_VALID | VLAN_TPID_VALID, tci: 5, tpid: 0x88a8 },
    ])
    reader.next()
    expect(current(reader)).toEqual([...bytes.subarray(0, 12), 0x81, 0, 0x20, 5, 8, 0, 99])
    reader.next()
    expect(current(reader)).toEqual([...bytes.subarray(0, 12), 0x88, 0xa8, 0, 5, 8, 0, 99])
  })

  it('says what was cut, and what this host sent', () => {
    const host = new Host()
    const reader = ring(host)
    host.fill([
      { bytes: new Uint8Array(60), full: 61 },
      { bytes: new Uint8Array(60), type: 4 },
      { bytes: new Uint8Array(60), status: TP_STATUS.CSUMNOTREADY },
      { bytes: new Uint8Array(60) },
    ])
    reader.next()
    expect([reader.odd, reader.truncated, reader.outgoing]).toEqual([true, true, false])
    reader.next()
    expect([reader.odd, reader.truncated, reader.outgoing]).toEqual([true, false, true])
    reader.next()
    expect([reader.odd, reader.truncated, reader.outgoing]).toEqual([true, false, false])
    reader.next()
    expect([reader.odd, reader.truncated, reader.outgoing]).toEqual([false, false, false])
  })
})

describe('finishChecksum', () => {
  /** UDP over IPv4 with the sum of the pseudo header in its field, after `tags` VLAN tags. */
  function udp4(payload: readonly number[], tags = 0, padding = 0): Uint8Array {
    const at = 14 + 4 * tags
    const frame = new Uint8Array(at + 28 + payload.length + padding)
    const view = new DataView(frame.buffer)
    for (let i = 0; i < tags; i++) view.setUint16(12 + 4 * i, 0x8100)
    view.setUint16(at - 2, 0x0800)
    frame[at] = 0x45
    view.setUint16(at + 2, 28 + payload.length)
    frame[at + 9] = 17
    frame.set([10, 0, 0, 1, 10, 0, 0, 2], at + 12)
    view.setUint16(at + 24, 8 + payload.length)
    frame.set(payload, at + 28)
    view.setUint16(at + 26, 0x0a00 + 1 + 0x0a00 + 2 + 17 + 8 + payload.length)
    frame.fill(0xee, at + 28 + payload.length)
    return frame
  }

  it.each([
    ['plain', 0, 0],
    ['tagged twice', 2, 0],
    ['padded', 0, 17],
  ])('of a %s frame is what a receiver wants', (_, tags, padding) => {
    const payload = [1, 2, 3]
    const frame = udp4(payload, tags, padding)
    expect(finishChecksum(frame, 0, frame.length)).toBe(true)
    const at = 14 + 4 * tags + 20
    let sum = 0x0a00 + 1 + 0x0a00 + 2 + 17 + 11
    const segment = [...frame.subarray(at, at + 11), 0]
    for (let i = 0; i < 12; i += 2) sum += (segment[i]! << 8) | segment[i + 1]!
    expect((sum & 0xffff) + (sum >>> 16)).toBe(0xffff)
  })

  it('leaves what it does not know alone, however short', () => {
    const frame = udp4([1, 2, 3])
    for (let length = 0; length < 14 + 28; length++) {
      const before = frame.slice()
      expect(finishChecksum(frame, 0, length)).toBe(false)
      expect(frame).toEqual(before)
    }
    expect(finishChecksum(new Uint8Array(60), 0, 60)).toBe(false)
  })
})

describe('options and refusals', () => {
  it.each([
    [{ name: 'sixteen-letters-' }, /16 bytes long/],
    [{ name: 'e', blockSize: 65_537 }, /power of two/],
    [{ name: 'e', blockSize: 4096 }, /blockSize is 4096/],
    [{ name: 'e', blocks: 1 }, /blocks is 1/],
    [{ name: 'e', blockTimeoutMs: 0 }, /blockTimeoutMs is 0/],
  ])('%j is refused', (options, sentence) => {
    expect(() => packetSettings(options)).toThrow(sentence)
  })

  it.each([
    ['EPERM', /CAP_NET_RAW/],
    ['ENODEV', /no interface e0/],
    ['ENOMEM', /fewer or smaller blocks/],
  ] as const)('%s says what to do', (code, sentence) => {
    expect(explainPacketRefusal(code, 'e0')).toMatch(sentence)
  })

  it('what nobody can explain is left to its own text', () => {
    expect(explainPacketRefusal('EIO', 'e0')).toBeUndefined()
  })
})
