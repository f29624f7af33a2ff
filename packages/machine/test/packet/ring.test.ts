import { Errno, Rng } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { PacketOption, SOL_PACKET, TPacket, TpStatus } from '../../src/packet/index.ts'
import type { FakeFile } from './rig.ts'
import { arrive, frame, MAC, makeRig, open, PEER, readWords, sll, WALL_CLOCK, words } from './rig.ts'

const BLOCK = 8192
const BLOCKS = 3

function ringSock(version: number, request: readonly number[], reserve = 0) {
  const rig = makeRig()
  const sock = open(rig.kernel)
  sock.setsockopt(SOL_PACKET, PacketOption.VERSION, words(version))
  if (reserve > 0) sock.setsockopt(SOL_PACKET, PacketOption.RESERVE, words(reserve))
  sock.setsockopt(SOL_PACKET, PacketOption.RX_RING, words(...request))
  sock.bind(sll(rig.dev.ifindex, 3))
  const file = rig.files[0]!
  return { ...rig, sock, file, view: new DataView(file.bytes.buffer) }
}

const v3 = (retireMs = 100, privateSize = 0) =>
  ringSock(TPacket.V3, [BLOCK, BLOCKS, BLOCK, BLOCKS, retireMs, privateSize, 0])

/** Reads a block as libpcap does, and gives it back. */
function takeBlock(
  file: FakeFile,
  block: number,
): { frames: Uint8Array[]; times: number[]; status: number; seq: bigint } {
  const view = new DataView(file.bytes.buffer)
  const at = block * BLOCK
  const status = view.getUint32(at + 8, true)
  const count = view.getUint32(at + 12, true)
  let packet = at + view.getUint32(at + 16, true)
  const frames: Uint8Array[] = []
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const mac = view.getUint16(packet + 24, true)
    frames.push(file.bytes.slice(packet + mac, packet + mac + view.getUint32(packet + 12, true)))
    times.push(view.getUint32(packet + 4, true))
    const next = view.getUint32(packet, true)
    expect(next === 0).toBe(i === count - 1)
    packet += next
  }
  view.setUint32(at + 8, 0, true)
  return { frames, times, status, seq: view.getBigUint64(at + 24, true) }
}

const payloadOf = (length: number, fill: number): Uint8Array =>
  frame(MAC, PEER, 0x0800, new Uint8Array(length).fill(fill))

describe('a ring of blocks (TPACKET_V3)', () => {
  it('hands a block over when its time is up, and nothing before', () => {
    const { kernel, dev, sock, file } = v3()
    let woken = 0
    sock.onReadable = () => woken++
    kernel.runFor(1e9)
    expect([woken, sock.readable]).toEqual([0, false])
    arrive(dev, payloadOf(46, 7))
    kernel.runFor(50e6)
    arrive(dev, payloadOf(100, 8))
    expect([woken, sock.readable]).toEqual([0, false])
    kernel.runFor(60e6)
    expect([woken, sock.readable]).toEqual([1, true])
    const { frames, times, status, seq } = takeBlock(file, 0)
    expect(frames).toEqual([payloadOf(46, 7), payloadOf(100, 8)])
    expect(times).toEqual([Number(WALL_CLOCK / 1_000_000_000n) + 1, Number(WALL_CLOCK / 1_000_000_000n) + 1])
    expect(status).toBe(TpStatus.USER | TpStatus.BLK_TMO)
    expect(seq).toBe(1n)
    expect(sock.readable).toBe(false)
  })

  it('lays a packet out as the kernel does', () => {
    const { kernel, dev, view, file } = v3()
    arrive(dev, payloadOf(46, 7))
    kernel.runFor(110e6)
    expect([0, 4, 8, 12, 16, 20].map((at) => view.getUint32(at, true))).toEqual([
      2,
      48,
      0x21,
      1,
      48,
      48 + 144,
    ])
    const at = 48
    expect([0, 12, 16].map((field) => view.getUint32(at + field, true))).toEqual([0, 60, 60])
    expect([view.getUint16(at + 24, true), view.getUint16(at + 26, true)]).toEqual([82, 96])
    expect(file.bytes.slice(at + 48, at + 68)).toEqual(
      Uint8Array.from([17, 0, 8, 0, dev.ifindex, 0, 0, 0, 1, 0, 0, 6, ...PEER, 0, 0]),
    )
  })

  it('moves on when a block is full, stops when all are, and goes on when one is given back', () => {
    const { kernel, dev, sock, file } = v3(60_000)
    for (let i = 0; i < 30; i++) arrive(dev, payloadOf(1000, i))
    expect(sock.readable).toBe(true)
    const statistics = readWords(sock.getsockopt(SOL_PACKET, PacketOption.STATISTICS, words(0)))
    const kept = 7 * BLOCKS
    expect(statistics).toEqual([30, 30 - kept, 1])
    expect(takeBlock(file, 0)).toMatchObject({ status: TpStatus.USER, seq: 1n })
    arrive(dev, payloadOf(1000, 99))
    kernel.runFor(61e9)
    const last = takeBlock(file, 0)
    expect(last.frames).toEqual([payloadOf(1000, 99)])
    expect(last.seq).toBe(4n)
    // The block behind it is the program's still.
    expect(readWords(sock.getsockopt(SOL_PACKET, PacketOption.STATISTICS, words(0)))).toEqual([1, 0, 1])
  })

  it('cuts a packet that is longer than a block', () => {
    const { kernel, dev, file } = (() => {
      const rig = ringSock(TPacket.V3, [4096, 2, 4096, 2, 10, 2000, 0], 1000)
      return rig
    })()
    arrive(dev, payloadOf(1400, 1))
    kernel.runFor(20e6)
    const view = new DataView(file.bytes.buffer)
    const first = view.getUint32(16, true)
    expect(first).toBe(2048)
    expect(view.getUint32(first + 16, true)).toBe(1414)
    expect(view.getUint32(first + 12, true)).toBe(4096 - 2048 - 1082)
  })

  it('keeps every packet of a long random run in order', () => {
    const { kernel, dev, sock, file } = v3(5)
    const rng = new Rng(3)
    const seen: number[] = []
    let block = 0
    const read = (): void => {
      for (;;) {
        const view = new DataView(file.bytes.buffer)
        if ((view.getUint32(block * BLOCK + 8, true) & 1) === 0) return
        for (const bytes of takeBlock(file, block).frames)
          seen.push(new DataView(bytes.buffer).getUint32(14, true))
        block = (block + 1) % BLOCKS
      }
    }
    sock.onReadable = () => (rng.below(3) === 0 ? undefined : read())
    const sent: number[] = []
    for (let i = 0; i < 3000; i++) {
      const payload = new Uint8Array(46 + rng.below(1400))
      new DataView(payload.buffer).setUint32(0, i, true)
      arrive(dev, frame(MAC, PEER, 0x0800, payload))
      sent.push(i)
      if (rng.below(10) === 0) kernel.runFor(rng.below(10) * 1e6)
      if (rng.below(4) === 0) read()
    }
    kernel.runFor(1e9)
    read()
    const [packets, drops] = readWords(sock.getsockopt(SOL_PACKET, PacketOption.STATISTICS, words(0)))
    expect(packets).toBe(3000)
    expect(seen.length).toBe(3000 - drops!)
    expect(drops).toBeLessThan(300)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('is released with the socket, and its timer too', () => {
    const { kernel, dev, sock, file, stop } = v3()
    arrive(dev, payloadOf(46, 7))
    expect(kernel.census.take().some(({ name }) => name === 'af_packet')).toBe(true)
    sock.close()
    expect(file.released).toBe(true)
    expect(kernel.census.take().some(({ name }) => name === 'af_packet')).toBe(false)
    stop()
  })
})

describe('a ring of slots (TPACKET_V2)', () => {
  it('hands over each packet at once, in slots of one size', () => {
    const { dev, sock, file, view } = ringSock(TPacket.V2, [4096, 2, 2048, 4])
    for (let i = 0; i < 5; i++) arrive(dev, payloadOf(46, i))
    expect(readWords(sock.getsockopt(SOL_PACKET, PacketOption.STATISTICS, words(0)))).toEqual([5, 1])
    for (let i = 0; i < 4; i++) {
      const at = i * 2048
      expect(view.getUint32(at, true) & TpStatus.USER).toBe(1)
      const mac = view.getUint16(at + 12, true)
      expect(mac).toBe(66)
      expect(file.bytes.slice(at + mac, at + mac + 60)).toEqual(payloadOf(46, i))
      view.setUint32(at, 0, true)
    }
    expect(sock.readable).toBe(false)
    arrive(dev, payloadOf(46, 9))
    expect(sock.readable).toBe(true)
  })
})

describe('making a ring', () => {
  const codeOf = (fn: () => unknown): string => {
    try {
      fn()
      return 'none'
    } catch (error) {
      return error instanceof Errno ? error.code : String(error)
    }
  }

  it('refuses sizes that do not fit, a second ring, and hosts without files', () => {
    const { kernel } = makeRig()
    const sock = open(kernel)
    sock.setsockopt(SOL_PACKET, PacketOption.VERSION, words(TPacket.V3))
    const ring = (...request: number[]): string =>
      codeOf(() => sock.setsockopt(SOL_PACKET, PacketOption.RX_RING, words(...request, 0, 0, 0)))
    expect(ring(0, 1, 4096, 1)).toBe('EINVAL')
    expect(ring(4097, 1, 4096, 1)).toBe('EINVAL')
    expect(ring(4096, 1, 4095, 1)).toBe('EINVAL')
    expect(ring(4096, 1, 64, 64)).toBe('EINVAL')
    expect(ring(4096, 2, 4096, 1)).toBe('EINVAL')
    expect(ring(0, 0, 0, 1)).toBe('EINVAL')
    expect(ring(1 << 28, 2, 1 << 28, 2)).toBe('ENOMEM')
    expect(
      codeOf(() => sock.setsockopt(SOL_PACKET, PacketOption.RX_RING, words(4096, 1, 4096, 1, 0, 4090, 0))),
    ).toBe('EINVAL')
    expect(codeOf(() => sock.setsockopt(SOL_PACKET, PacketOption.RX_RING, words(4096, 1)))).toBe('EINVAL')
    expect(codeOf(() => sock.mmap!(4096))).toBe('EINVAL')
    expect(ring(4096, 2, 4096, 2)).toBe('none')
    expect(sock.mmap!(8192)).toBe('/dev/shm/ring')
    expect(ring(4096, 2, 4096, 2)).toBe('EBUSY')
    expect(codeOf(() => sock.setsockopt(SOL_PACKET, PacketOption.VERSION, words(1)))).toBe('EBUSY')
    expect(codeOf(() => sock.setsockopt(SOL_PACKET, PacketOption.RESERVE, words(1)))).toBe('EBUSY')
    expect(ring(0, 0, 0, 0)).toBe('none')
    expect(codeOf(() => sock.setsockopt(SOL_PACKET, PacketOption.VERSION, words(9)))).toBe('EINVAL')
    const poor = open(makeRig(false).kernel)
    poor.setsockopt(SOL_PACKET, PacketOption.VERSION, words(TPacket.V3))
    const request = words(4096, 1, 4096, 1, 0, 0, 0)
    expect(codeOf(() => poor.setsockopt(SOL_PACKET, PacketOption.RX_RING, request))).toBe('ENOPROTOOPT')
    expect(readWords(sock.getsockopt(SOL_PACKET, PacketOption.HDRLEN, words(TPacket.V3)))).toEqual([48])
    expect(codeOf(() => sock.getsockopt(SOL_PACKET, PacketOption.HDRLEN, words(7)))).toBe('EINVAL')
  })
})
