import { Errno, Rng } from '@vnet/kernel'
import { SockOption, SOL_SOCKET } from '@vnet/netlink'
import type { Sock } from '@vnet/netlink'
import { describe, expect, it } from 'vitest'
import { PacketOption, SOL_PACKET, TPacket } from '../../src/packet/index.ts'
import { arrive, down, frame, MAC, makeRig, open, PEER, sll, up, words } from './rig.ts'

const OPTIONS = [...Object.values(PacketOption), 4, 99]
const SOCKET_OPTIONS: number[] = Object.values(SockOption)

describe('packet sockets under random calls', () => {
  it('refuse with an errno or do it, and leave nothing: 30,000 calls', () => {
    const rng = new Rng(21)
    const rig = makeRig()
    const { kernel, dev } = rig
    const before = kernel.census.take().filter(({ kind }) => kind !== 'memory')
    const numbers = [
      0,
      1,
      2,
      3,
      4,
      8,
      14,
      16,
      20,
      48,
      64,
      2048,
      4096,
      8192,
      65536,
      1 << 20,
      2 ** 31,
      2 ** 32 - 1,
    ]
    const number = (): number => numbers[rng.below(numbers.length)]!
    const value = (): Uint8Array =>
      rng.below(3) === 0
        ? new Uint8Array(rng.below(40)).map(() => rng.below(256))
        : words(...Array.from({ length: 1 + rng.below(8) }, number))
    const ring = (): Uint8Array => {
      const blocks = 1 + rng.below(4)
      return words(4096, blocks, 4096, blocks, rng.below(20), rng.below(100), 0)
    }
    let done = 0
    const attempt = (fn: () => unknown): void => {
      try {
        fn()
        done++
      } catch (error) {
        if (!(error instanceof Errno)) throw error
      }
    }
    let socks: Sock[] = []
    const calls: ((sock: Sock) => unknown)[] = [
      (sock) => sock.bind(sll(rng.below(4) - 1, [0, 3, 0x0800, rng.below(65536)][rng.below(4)]!)),
      (sock) => sock.setsockopt(SOL_PACKET, OPTIONS[rng.below(OPTIONS.length)]!, value()),
      (sock) =>
        sock.setsockopt(SOL_PACKET, PacketOption.RX_RING, rng.below(4) === 0 ? new Uint8Array(28) : ring()),
      (sock) =>
        sock.setsockopt(SOL_PACKET, PacketOption.VERSION, words([TPacket.V2, TPacket.V3][rng.below(2)]!)),
      (sock) => sock.getsockopt(SOL_PACKET, OPTIONS[rng.below(OPTIONS.length)]!, value()),
      (sock) => sock.setsockopt(SOL_SOCKET, SOCKET_OPTIONS[rng.below(SOCKET_OPTIONS.length)]!, value()),
      (sock) => sock.getsockopt(SOL_SOCKET, SOCKET_OPTIONS[rng.below(SOCKET_OPTIONS.length)]!, value()),
      (sock) => sock.recvmsg(rng.below(2000), rng.below(4) === 0 ? 2 : 0),
      (sock) =>
        sock.sendmsg({
          bytes: new Uint8Array(rng.below(1600)),
          address:
            rng.below(2) === 0 ? null : sll(rng.below(3), rng.below(65536), PEER.subarray(0, rng.below(7))),
          flags: 0,
        }),
      (sock) => sock.mmap?.(number()),
      (sock) => sock.getsockname(),
      () =>
        arrive(
          dev,
          frame(MAC, PEER, [0x0800, 0x8100, 0x0806, 5][rng.below(4)]!, new Uint8Array(46 + rng.below(1400))),
        ),
      () => (rng.below(10) === 0 ? down(dev) : up(dev)),
      () => kernel.runFor(rng.below(20) * 1e6),
      // The program gives every block back.
      () => rig.files.forEach((file) => new DataView(file.bytes.buffer).setUint32(8, rng.below(2), true)),
    ]
    for (let i = 0; i < 30_000; i++) {
      if (socks.length < 4)
        attempt(() => socks.push(open(kernel, 2 + rng.below(2), [0, 0x0300, 0x0008][rng.below(3)]!)))
      const sock = socks[rng.below(socks.length)]!
      if (rng.below(100) === 0) {
        sock.close()
        socks = socks.filter((other) => other !== sock)
      } else attempt(() => calls[rng.below(calls.length)]!(sock))
    }
    for (const sock of socks) sock.close()
    kernel.runFor(1e9)
    expect(done).toBeGreaterThan(10_000)
    expect([dev.promiscuity, dev.allmulti, dev.mc.size, dev.uc.size]).toEqual([0, 0, 0, 0])
    expect(rig.files.every((file) => file.released)).toBe(true)
    expect(kernel.census.take().filter(({ kind }) => kind !== 'memory')).toEqual(before)
    expect(kernel.violations).toEqual([])
  })
})
