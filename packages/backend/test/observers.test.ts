import { createKernel } from '@vnet/kernel'
import type { TraceEvent } from '@vnet/kernel'
import { arpRequest, PcapngWriter, PcapWriter, readCapture } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { compose } from '../src/contract.ts'
import { pcapWriter } from '../src/pcap-writer.ts'
import type { PcapSinkOptions } from '../src/pcap-writer.ts'
import { tracer } from '../src/tracer.ts'
import { numbered, StubBackend, TestPort } from './helpers.ts'

describe('tracer', () => {
  it('emits backend:tx and backend:rx with the length and whether it was taken', () => {
    const kernel = createKernel()
    const stub = new StubBackend(kernel)
    const backend = tracer(kernel)(stub)
    const port = new TestPort(kernel).plug(backend)
    const events: TraceEvent[] = []
    const stop = kernel.trace.on('backend:*', (event) => events.push(event))
    port.send(backend, numbered(1))
    stub.full = true
    port.send(backend, numbered(2, 99))
    port.takes = () => false
    stub.bring(numbered(3, 1514))
    stop()
    stub.bring(numbered(4))
    expect(events.map(({ name, subject, fields }) => [name, subject, fields])).toEqual([
      ['backend:tx', 'stub', { len: 60, taken: 1 }],
      ['backend:tx', 'stub', { len: 99, taken: 0 }],
      ['backend:rx', 'stub', { len: 1514, taken: 0 }],
    ])
  })

  it('prints a line a frame: the time, which way, and what tcpdump would say', () => {
    const kernel = createKernel()
    const lines: string[] = []
    const stub = new StubBackend(kernel)
    const print = (line: string): void => void lines.push(line)
    const backend = compose(stub, tracer(kernel, { print, link: true }), tracer(kernel, { print }))
    const port = new TestPort(kernel).plug(backend)
    const frame = arpRequest({ senderMac: '02:00:00:00:00:01', senderIp: '10.0.0.1', targetIp: '10.0.0.2' })
    kernel.runFor(1_500_000_000)
    port.send(backend, frame)
    stub.bring(frame)
    stub.bring(new Uint8Array(3))
    stub.full = true
    port.send(backend, frame)
    expect(lines.length).toBe(6)
    expect(lines[0]).toMatch(
      /^ {4}1\.500000 stub > 02:00:00:00:00:01 > .*ARP.*who-has 10\.0\.0\.2 tell 10\.0\.0\.1/,
    )
    expect(lines[1]).toBe('    1.500000 tracer > ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28')
    expect(lines[2]).toMatch(/^ {4}1\.500000 stub < 02:/)
    expect(lines[3]).toBe('    1.500000 tracer < ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28')
  })
})

describe('pcapWriter', () => {
  const record = (options: PcapSinkOptions) => {
    const kernel = createKernel()
    const chunks: Uint8Array[] = []
    const stub = new StubBackend(kernel)
    const backend = pcapWriter(kernel, (chunk) => chunks.push(chunk), options)(stub)
    const port = new TestPort(kernel).plug(backend)
    const file = (): Uint8Array => Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))
    return { kernel, chunks, stub, backend, port, file }
  }

  const frames = [0, 1, 59, 60, 61, 62, 63, 1514].map((length, i) => numbered(i, length))

  for (const format of ['pcap', 'pcapng'] as const) {
    it(`writes ${format} that reads back the same, with the kernel's time, both ways`, () => {
      const { kernel, stub, backend, port, file } = record({ format, bootSec: 1_700_000_000 })
      frames.forEach((frame, i) => {
        kernel.runFor(1_300_000_007)
        if (i % 2 === 0) port.send(backend, frame)
        else stub.bring(frame)
      })
      backend.attach(null)
      const read = [...readCapture(file())].length
      expect(read).toBe(frames.length)
      let i = 0
      for (const got of readCapture(file())) {
        expect(got.data.slice(got.offset, got.offset + got.length)).toEqual(frames[i])
        const at = (i + 1) * 1_300_000_007
        expect([got.tsSec, got.tsNsec]).toEqual([1_700_000_000 + Math.floor(at / 1e9), at % 1e9])
        i++
      }
    })

    it(`writes ${format} exactly as the wire package does`, () => {
      const { kernel, stub, backend, port, file } = record({
        format,
        bootSec: 4_000_000_000,
        snapLength: 100,
      })
      kernel.runFor(123_456_789)
      for (const frame of frames) stub.bring(frame)
      port.send(backend, frames[3]!)
      backend.attach(null)
      const expected: number[] = []
      if (format === 'pcap') {
        const writer = new PcapWriter({ nanoseconds: true, snapLength: 100 })
        expected.push(...writer.header())
        for (const f of [...frames, frames[3]!]) {
          expected.push(...writer.frame(f, 0, f.length, 4_000_000_000, 123_456_789))
        }
      } else {
        const writer = new PcapngWriter({ interfaces: [{ name: 'stub', snapLength: 100 }] })
        expected.push(...writer.header())
        for (const f of [...frames, frames[3]!]) {
          expected.push(...writer.frame(f, 0, f.length, 4_000_000_000, 123_456_789))
        }
      }
      expect(file()).toEqual(Uint8Array.from(expected))
    })
  }

  it('gives the header at once, then a chunk a burst, each the sink’s to keep', () => {
    const { kernel, chunks, stub } = record({})
    expect(chunks.length).toBe(1)
    for (let i = 0; i < 10; i++) stub.bring(numbered(i))
    expect(chunks.length).toBe(1)
    kernel.runFor(0)
    expect(chunks.length).toBe(2)
    const kept = chunks[1]!.slice()
    for (let i = 0; i < 10; i++) stub.bring(numbered(50 + i))
    kernel.runFor(0)
    expect(chunks.length).toBe(3)
    expect(chunks[1]).toEqual(kept)
  })

  it('writes sooner when its buffer is full, also for a frame larger than it', () => {
    const { chunks, stub, backend, file } = record({ bufferBytes: 200 })
    stub.bring(numbered(1))
    stub.bring(numbered(2))
    stub.bring(numbered(3))
    expect(chunks.length).toBe(2)
    stub.bring(numbered(4, 5000))
    stub.bring(numbered(5))
    backend.attach(null)
    expect([...readCapture(file())].length).toBe(5)
  })

  it('writes the rest and nothing twice when unplugged and plugged in again', () => {
    const { stub, backend, port, file } = record({})
    stub.bring(numbered(1))
    backend.attach(null)
    port.plug(backend)
    stub.bring(numbered(2))
    backend.attach(null)
    expect([...readCapture(file())].length).toBe(2)
  })

  it('does not write a frame that was refused', () => {
    const { stub, backend, port, file } = record({})
    stub.full = true
    port.send(backend, numbered(1))
    backend.attach(null)
    expect([...readCapture(file())].length).toBe(0)
  })

  it('refuses options that make no sense', () => {
    const kernel = createKernel()
    const bad = [
      { format: 'cap' as never },
      { snapLength: 0 },
      { snapLength: 300_000 },
      { bufferBytes: 0 },
      { bootSec: -1 },
    ]
    for (const options of bad) {
      expect(() => pcapWriter(kernel, () => {}, options)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
  })
})
