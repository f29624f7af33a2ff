import { readFileSync } from 'node:fs'
import { createKernel } from '@vnet/kernel'
import { CaptureError, PcapngWriter, PcapWriter } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { accounts } from '../src/accounts.ts'
import { CaptureFeed } from '../src/capture-feed.ts'
import { captureReplay } from '../src/capture-replay.ts'
import type { CaptureReplayOptions } from '../src/capture-replay.ts'
import { compose } from '../src/contract.ts'
import { faultInjector } from '../src/fault-injector.ts'
import { testBackend } from './contract.ts'
import { leftBehind, numbered, numberOf, problems, TestPort } from './helpers.ts'

const office = new Uint8Array(readFileSync(new URL('../../../fixtures/office.pcap', import.meta.url)))

/** A capture of numbered frames at these times in nanoseconds. */
const capture = (times: readonly number[], format: 'pcap' | 'pcapng' = 'pcap', linkType = 1): Uint8Array => {
  const writer =
    format === 'pcap'
      ? new PcapWriter({ nanoseconds: true, linkType })
      : new PcapngWriter({ interfaces: [{ linkType }] })
  const chunks = [writer.header()]
  times.forEach((at, i) => {
    const frame = numbered(i)
    chunks.push(writer.frame(frame, 0, frame.length, 1_700_000_000 + Math.floor(at / 1e9), at % 1e9))
  })
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))
}

testBackend({
  name: 'replay with original timing, endless',
  create: (kernel) => ({ backend: captureReplay(kernel, { capture: capture([0, 5e7, 1e8]), loop: true }) }),
  sends: true,
})
testBackend({
  name: 'fast replay',
  create: (kernel) => ({ backend: captureReplay(kernel, { capture: office, timing: 'fast', gapNs: 1e6 }) }),
  sends: true,
})
testBackend({
  name: 'replay of a feed',
  create(kernel) {
    const feed = new CaptureFeed()
    feed.push(office)
    feed.end()
    return { backend: captureReplay(kernel, { capture: feed, timing: 'fast', gapNs: 1e6 }) }
  },
  sends: true,
})

const replay = (options: CaptureReplayOptions) => {
  const kernel = createKernel()
  const backend = captureReplay(kernel, options)
  return { kernel, backend, port: new TestPort(kernel).plug(backend) }
}

describe('captureReplay', () => {
  it('plays office.pcap whole: 1,890 frames, 617,448 bytes, at the distances of the capture', () => {
    const { kernel, backend, port } = replay({ capture: office })
    expect(kernel.runUntil(() => backend.done, 3600e9)).toBe(true)
    expect(port.frames.length).toBe(1890)
    expect(port.frames.reduce((sum, frame) => sum + frame.length, 0)).toBe(617_448)
    expect(backend.progress).toEqual({ frames: 1890, bytes: 617_448, passes: 1, totalFrames: 1890 })
    expect(backend.counters).toMatchObject({ made: 1890, rxFrames: 1890, rxBytes: 617_448, rxMissed: 0 })
    const view = new DataView(office.buffer)
    const stampOf = (at: number): number => view.getUint32(at, true) * 1e6 + view.getUint32(at + 4, true)
    let at = 24
    const first = stampOf(at)
    for (const time of port.times) {
      expect(time).toBe((stampOf(at) - first) * 1000)
      at += 16 + view.getUint32(at + 8, true)
    }
    expect(leftBehind(kernel)).toEqual([])
  })

  it('plays it fast in slices, so that a small ring can be emptied between', () => {
    const { kernel, backend, port } = replay({ capture: office, timing: 'fast', slice: 8 })
    let free = 8
    port.takes = () => free-- > 0
    let events = 0
    while (kernel.step()) {
      events++
      free = 8
    }
    expect(port.frames.length).toBe(1890)
    expect(events).toBe(Math.ceil(1890 / 8))
    expect(backend.counters.rxMissed).toBe(0)
  })

  it('without pauses a ring of 8 misses frames, and received + missed is still 1,890', () => {
    const { kernel, backend, port } = replay({ capture: office, timing: 'fast', pauseless: true })
    let free = 8
    port.takes = () => free-- > 0
    kernel.runFor(0)
    expect(backend.done).toBe(true)
    expect(port.frames.length).toBe(8)
    expect(backend.counters).toMatchObject({ rxFrames: 1890, rxMissed: 1882 })
    expect(accounts(backend)).toMatchObject({ missed: 1882, problems: [] })
  })

  it('with drop=10% and a seed two runs agree byte for byte', () => {
    const once = () => {
      const kernel = createKernel()
      const bottom = captureReplay(kernel, { capture: office, timing: 'fast' })
      const backend = compose(bottom, faultInjector(kernel, { drop: 0.1, seed: 7 }))
      const port = new TestPort(kernel).plug(backend)
      kernel.runUntil(() => bottom.done, 1e9)
      return { port, books: accounts(backend) }
    }
    const [one, two] = [once(), once()]
    expect(two.port.frames).toEqual(one.port.frames)
    expect(two.books).toEqual(one.books)
    expect(one.books.problems).toEqual([])
    expect(one.books.total.made).toBe(1890)
    expect(one.books.total.dropped).toBe(1890 - one.port.frames.length)
    expect(one.books.total.dropped).toBeGreaterThan(140)
    expect(one.books.total.dropped).toBeLessThan(240)
  })

  it('plays pcapng as well', () => {
    const { kernel, port } = replay({ capture: capture([0, 1500, 70_000], 'pcapng') })
    kernel.runFor(1e6)
    expect(port.frames.map(numberOf)).toEqual([0, 1, 2])
    expect(port.times).toEqual([0, 1500, 70_000])
  })

  it('loops back to back, as often as asked or without end', () => {
    const times = [0, 1000, 3000]
    const twice = replay({ capture: capture(times), loop: 2 })
    twice.kernel.runFor(1e9)
    expect(twice.port.times).toEqual([0, 1000, 3000, 3000, 4000, 6000])
    expect(twice.backend.progress).toMatchObject({ frames: 6, passes: 2 })
    expect(twice.backend.done).toBe(true)
    const endless = replay({ capture: capture(times), loop: true })
    endless.kernel.runFor(3e6)
    expect(endless.port.frames.length).toBeGreaterThan(2900)
    expect(endless.backend.done).toBe(false)
  })

  it('an endless loop of one frame, or of none, lets time go on', () => {
    const one = replay({ capture: capture([0]), loop: true })
    one.kernel.runFor(10_000)
    expect(one.port.frames.length).toBe(11 * 32)
    const none = replay({ capture: capture([]), loop: true })
    none.kernel.runFor(10_000)
    expect(none.backend.done).toBe(true)
    expect(none.port.frames).toEqual([])
    expect(leftBehind(none.kernel)).toEqual([])
  })

  it('never goes back in time where the capture does', () => {
    const { kernel, port } = replay({ capture: capture([5000, 1000, 9000, 8000]) })
    kernel.runFor(1e6)
    expect(port.times).toEqual([0, 0, 4000, 4000])
    expect(port.frames.map(numberOf)).toEqual([0, 1, 2, 3])
  })

  it('passes over the first frames when told to, each time', () => {
    const { kernel, backend, port } = replay({ capture: capture([0, 1000, 3000]), from: 1, loop: 2 })
    kernel.runFor(1e6)
    expect(port.frames.map(numberOf)).toEqual([1, 2, 1, 2])
    expect(port.times).toEqual([0, 2000, 2000, 4000])
    expect(backend.progress.totalFrames).toBe(2)
    const past = replay({ capture: capture([0]), from: 9 })
    past.kernel.runFor(1)
    expect([past.backend.done, past.port.frames.length]).toEqual([true, 0])
  })

  it('pauses while unplugged, and goes on where it stood', () => {
    const { kernel, backend, port } = replay({ capture: capture([0, 1000, 5000, 7000]) })
    kernel.runFor(2000)
    backend.attach(null)
    expect(leftBehind(kernel)).toEqual([])
    kernel.runFor(1e6)
    port.plug(backend)
    kernel.runFor(1e6)
    expect(port.frames.map(numberOf)).toEqual([0, 1, 2, 3])
    expect(port.times).toEqual([0, 1000, 1_005_000, 1_007_000])
  })

  it('reports progress while it runs and the end once', () => {
    const seen: number[] = []
    const ends: unknown[] = []
    const { kernel } = replay({
      capture: office,
      timing: 'fast',
      progressEvery: 500,
      onProgress: ({ frames }) => seen.push(frames),
      onDone: (error) => ends.push(error),
    })
    kernel.runFor(1e9)
    expect(seen).toEqual([512, 1024, 1536, 1890])
    expect(ends).toEqual([null])
  })

  it('offers frames longer than any card takes', () => {
    const writer = new PcapWriter()
    const long = numbered(1, 65_000)
    const bytes = Uint8Array.from([...writer.header(), ...writer.frame(long, 0, long.length, 1, 0)])
    const { kernel, port } = replay({ capture: bytes })
    kernel.runFor(1)
    expect(port.frames).toEqual([long])
  })

  it('refuses a file cut short, foreign, empty or not of Ethernet before anything is plugged in', () => {
    const kernel = createKernel()
    const reason = (bytes: Uint8Array): string => {
      try {
        captureReplay(kernel, { capture: bytes })
        return 'accepted'
      } catch (error) {
        expect(error).toBeInstanceOf(CaptureError)
        return (error as CaptureError).reason
      }
    }
    expect(reason(office.slice(0, 100_000))).toBe('truncated')
    expect(reason(new TextEncoder().encode('#!/bin/sh\necho this is not a capture file\n'))).toBe('foreign')
    expect(reason(new Uint8Array(0))).toBe('empty')
    expect(reason(capture([0, 1], 'pcap', 113))).toBe('unsupported')
    expect(() => captureReplay(kernel, { capture: capture([0], 'pcap', 113) })).toThrow(
      'frame 1 was captured on a link of type 113; only Ethernet (type 1) can be replayed',
    )
    expect(leftBehind(kernel)).toEqual([])
  })

  it('refuses options that make no sense', () => {
    const kernel = createKernel()
    const bad: Partial<CaptureReplayOptions>[] = [
      { loop: 0 },
      { loop: 1.5 },
      { from: -1 },
      { slice: 0 },
      { gapNs: -1 },
      { timing: 'slow' as never },
      { pauseless: true },
      { pauseless: true, timing: 'fast', loop: true },
      { capture: new CaptureFeed(), loop: true },
      { capture: new CaptureFeed(), from: 3 },
    ]
    for (const options of bad) {
      expect(() => captureReplay(kernel, { capture: office, ...options })).toThrow(
        expect.objectContaining({ code: 'EINVAL' }),
      )
    }
  })
})

describe('CaptureFeed', () => {
  it('plays what comes piece by piece, in pieces of any size', () => {
    for (const size of [1000, 4096, 65_536]) {
      const feed = new CaptureFeed()
      const { kernel, backend, port } = replay({ capture: feed, timing: 'fast' })
      for (let at = 0; at < office.length; at += size) {
        feed.push(office.slice(at, at + size))
        kernel.runFor(10_000)
      }
      expect(backend.done).toBe(false)
      feed.end()
      kernel.runFor(1e6)
      expect(backend.done).toBe(true)
      expect(backend.progress).toEqual({ frames: 1890, bytes: 617_448, passes: 1, totalFrames: null })
      expect(port.frames.length).toBe(1890)
      expect(problems(backend)).toEqual([])
      expect(leftBehind(kernel)).toEqual([])
    }
  })

  it('keeps the original timing while later bytes already wait', () => {
    const feed = new CaptureFeed()
    const bytes = capture([0, 4000, 9000])
    const { kernel, port } = replay({ capture: feed })
    for (const byte of bytes) feed.push(Uint8Array.of(byte))
    feed.end()
    kernel.runFor(1e6)
    expect(port.times).toEqual([0, 4000, 9000])
    expect(port.frames).toEqual([0, 1, 2].map((i) => numbered(i)))
  })

  it('delivers the frames before the damage, then ends with the error', () => {
    const feed = new CaptureFeed()
    let ended: CaptureError | null = null
    const { kernel, backend, port } = replay({
      capture: feed,
      timing: 'fast',
      onDone: (error) => (ended = error),
    })
    feed.push(office.slice(0, 100_000))
    feed.end()
    kernel.runFor(1e9)
    expect(port.frames.length).toBeGreaterThan(100)
    expect(backend.done).toBe(true)
    expect(backend.error).toMatchObject({ name: 'CaptureError', reason: 'truncated' })
    expect(ended).toBe(backend.error)
    expect(problems(backend)).toEqual([])
    expect(leftBehind(kernel)).toEqual([])
  })

  it('says when it has enough, and when it wants more', () => {
    const feed = new CaptureFeed()
    let wanted = 0
    feed.onWanted = () => wanted++
    const { kernel, backend, port } = replay({ capture: feed, timing: 'fast' })
    expect(feed.push(office)).toBe(true)
    expect(feed.push(office.slice(24))).toBe(false)
    expect(wanted).toBe(0)
    kernel.runFor(1e9)
    expect(wanted).toBe(1)
    feed.end()
    kernel.runFor(1e9)
    expect(port.frames.length).toBe(3780)
    expect(backend.done).toBe(true)
    expect(() => feed.push(office)).toThrow(expect.objectContaining({ code: 'EPIPE' }))
    expect(() => captureReplay(kernel, { capture: feed })).toThrow(expect.objectContaining({ code: 'EBUSY' }))
  })
})
