import { createKernel } from '@vnet/kernel'
import { dissect, HELLO_TEXT, inetChecksum, parseHello } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { framesInTurn } from '../src/frame-source.ts'
import { generator } from '../src/generator.ts'
import type { GeneratorOptions } from '../src/generator.ts'
import { testBackend } from './contract.ts'
import { leftBehind, numbered, numberOf, problems, TestPort } from './helpers.ts'

testBackend({
  name: 'generator of one frame a second',
  create: (kernel) => ({ backend: generator(kernel, { everyNs: 1e8 }) }),
  sends: true,
})
testBackend({
  name: 'generator as fast as it goes',
  create: (kernel) => ({ backend: generator(kernel, { everyNs: 0, gapNs: 1e7 }) }),
  sends: true,
})

const run = (options: GeneratorOptions, ns: number, seed = 1) => {
  const kernel = createKernel({ seed })
  const backend = generator(kernel, options)
  const port = new TestPort(kernel).plug(backend)
  kernel.runFor(ns)
  return { kernel, backend, port }
}

/** All checksums in a frame as a receiver would check them: 0 means right. */
const checksums = (frame: Uint8Array): number[] => {
  const total = (frame[16]! << 8) | frame[17]!
  const l4 = total - 20
  const pseudo = new Uint8Array(12)
  pseudo.set(frame.subarray(26, 34))
  pseudo.set([0, frame[23]!, l4 >> 8, l4 & 0xff], 8)
  const udp = frame[23] === 17
  const whole = new Uint8Array((udp ? 12 : 0) + l4)
  if (udp) whole.set(pseudo)
  whole.set(frame.subarray(34, 34 + l4), udp ? 12 : 0)
  return [inetChecksum(frame, 14, 20), inetChecksum(whole)]
}

describe('generator', () => {
  it('greets once a second with the text and a number', () => {
    const { port, backend } = run({}, 3.5e9)
    expect(port.times).toEqual([1e9, 2e9, 3e9])
    expect(port.frames.map((frame) => parseHello(frame))).toEqual([0, 1, 2])
    expect(new TextDecoder().decode(port.frames[0]!.slice(14, 14 + HELLO_TEXT.length))).toBe(
      'Hello from vnet RX',
    )
    expect(backend.counters).toMatchObject({ made: 3, rxFrames: 3, rxBytes: 180 })
    expect(problems(backend)).toEqual([])
  })

  it('goes from one frame an hour to a million a second', () => {
    expect(run({ everyNs: 3600e9 }, 10_800e9).port.times).toEqual([3600e9, 7200e9, 10_800e9])
    expect(run({ everyNs: 1000 }, 1e7).port.frames.length).toBe(10_000)
  })

  it('as fast as it goes: a slice, then a gap in which others get their turn', () => {
    const { port } = run({ everyNs: 0, slice: 8, gapNs: 500 }, 1000)
    expect(port.frames.length).toBe(24)
    expect([...new Set(port.times)]).toEqual([0, 500, 1000])
  })

  it('stops after count and says so, with nothing pending', () => {
    let done = 0
    const { kernel, backend, port } = run({ everyNs: 0, count: 100, onDone: () => done++ }, 1e6)
    expect(port.frames.length).toBe(100)
    expect([backend.sent, backend.done, done]).toEqual([100, true, 1])
    expect(leftBehind(kernel)).toEqual([])
    backend.attach(null)
    port.plug(backend)
    kernel.runFor(1e9)
    expect(port.frames.length).toBe(100)
    expect(run({ count: 0 }, 1e10).port.frames).toEqual([])
  })

  it('stops when unplugged and goes on with the next number', () => {
    const { kernel, backend, port } = run({}, 2e9)
    backend.attach(null)
    expect(leftBehind(kernel)).toEqual([])
    kernel.runFor(5e9)
    port.plug(backend)
    kernel.runFor(2e9)
    expect(port.times).toEqual([1e9, 2e9, 8e9, 9e9])
    expect(port.frames.map((frame) => parseHello(frame))).toEqual([0, 1, 2, 3])
  })

  it('asks with ARP for the card, in 60 bytes', () => {
    const { port } = run({ frame: 'arp', count: 2, everyNs: 0 }, 1e6)
    expect(port.frames[0]!.length).toBe(60)
    expect(dissect(port.frames[0]!)).toMatchObject({ classification: 'arp' })
    expect([...port.frames[0]!.slice(38, 42)]).toEqual([10, 0, 0, 1])
  })

  it('keeps every checksum right in icmp and udp frames while their numbers change', () => {
    for (const frame of ['icmp', 'udp', 'mix'] as const) {
      const { port } = run({ frame, count: 70_000, everyNs: 0, size: 1000 }, 1e9)
      expect(port.frames.length).toBe(70_000)
      for (let i = 0; i < port.frames.length; i += 97) expect(checksums(port.frames[i]!)).toEqual([0, 0])
      // A UDP checksum of 0 would say there is none.
      if (frame === 'udp') expect(port.frames.every((f) => f[40] !== 0 || f[41] !== 0)).toBe(true)
      const number = (f: Uint8Array): number =>
        frame === 'icmp' ? (f[40]! << 8) | f[41]! : new DataView(f.buffer).getUint32(42)
      const expected = frame === 'icmp' ? 69_999 & 0xffff : 69_999
      expect(number(port.frames[69_999]!)).toBe(expected)
      if (frame !== 'mix') expect(port.frames[0]!.length).toBe(frame === 'udp' ? 1000 : 98)
    }
  })

  it('mixes 60, 590 and 1514 bytes as 7 to 4 to 1, by seed', () => {
    const sizes = (options: GeneratorOptions, seed = 1): number[] =>
      run({ frame: 'mix', everyNs: 0, count: 12_000, ...options }, 1e9, seed).port.frames.map((f) => f.length)
    const mix = sizes({ seed: 3 })
    const share = (size: number): number => Math.round(mix.filter((s) => s === size).length / 1000)
    expect([share(60), share(590), share(1514)]).toEqual([7, 4, 1])
    expect(sizes({ seed: 3 }, 2)).toEqual(mix)
    expect(sizes({ seed: 4 })).not.toEqual(mix)
  })

  it('sends to the addresses given', () => {
    const { port } = run(
      {
        frame: 'udp',
        dstMac: '02:00:00:00:00:07',
        srcMac: '02:00:00:00:00:08',
        dstIp: '192.0.2.1',
        everyNs: 0,
        count: 1,
      },
      1,
    )
    expect([...port.frames[0]!.slice(0, 12)]).toEqual([2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 8])
    expect([...port.frames[0]!.slice(30, 34)]).toEqual([192, 0, 2, 1])
  })

  it('sends frames of your own, until the source has no more', () => {
    const turn = run({ frame: framesInTurn([numbered(1, 13), numbered(2, 9000)]), everyNs: 0, count: 5 }, 1e6)
    expect(turn.port.frames.map((f) => f.length)).toEqual([13, 9000, 13, 9000, 13])
    const bytes = new Uint8Array(100)
    const source = {
      mem: bytes,
      offset: 20,
      length: 60,
      next(seq: number): boolean {
        new DataView(bytes.buffer).setUint32(20, seq)
        return seq < 3
      },
    }
    const own = run({ frame: source, everyNs: 0 }, 1e6)
    expect(own.port.frames.map(numberOf)).toEqual([0, 1, 2])
    expect(own.backend.done).toBe(true)
    expect(leftBehind(own.kernel)).toEqual([])
  })

  it('goes on after the card threw', () => {
    const kernel = createKernel()
    const backend = generator(kernel, { everyNs: 1000 })
    const port = new TestPort(kernel).plug(backend)
    port.onReceive = () => {
      if (port.frames.length === 2) throw new Error('broken card')
    }
    expect(() => kernel.runFor(5000)).toThrow('broken card')
    kernel.runFor(5000)
    expect(port.frames.length).toBeGreaterThan(5)
    expect(problems(backend)).toEqual([])
  })

  it('runs on the real clock as well, and lets the process go on meanwhile', async () => {
    const kernel = createKernel({ clock: 'real' })
    kernel.hold()
    const port = new TestPort()
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await new Promise<void>((resolve) => {
      port.plug(generator(kernel, { everyNs: 0, count: 100_000, frame: 'udp', onDone: resolve }))
    })
    clearInterval(timer)
    kernel.release()
    kernel.shutdown()
    expect(port.frames.length).toBe(100_000)
    expect(turns).toBeGreaterThan(0)
  })

  it('refuses options that make no sense', () => {
    const kernel = createKernel()
    const bad: GeneratorOptions[] = [
      { everyNs: -1 },
      { everyNs: NaN },
      { slice: 0 },
      { count: -1 },
      { size: 59 },
      { size: 70_000 },
      { gapNs: Infinity },
      { frame: 'jumbo' as never },
    ]
    for (const options of bad) {
      expect(() => generator(kernel, options)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
    expect(() => generator(kernel, { srcMac: 'nobody' })).toThrow(RangeError)
    expect(() => framesInTurn([])).toThrow(expect.objectContaining({ code: 'EINVAL' }))
  })
})
