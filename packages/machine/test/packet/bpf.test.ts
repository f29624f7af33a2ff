import { Errno, Rng } from '@vnet/kernel'
import { SockOption, SOL_SOCKET } from '@vnet/netlink'
import { describe, expect, it } from 'vitest'
import { BpfProgram } from '../../src/packet/index.ts'
import type { BpfContext } from '../../src/packet/index.ts'
import { arrive, drain, frame, MAC, makeRig, open, PEER } from './rig.ts'

type Code = readonly (readonly [op: number, jt: number, jf: number, k: number])[]

function bytesOf(code: Code): Uint8Array {
  const view = new DataView(new ArrayBuffer(code.length * 8))
  for (const [i, [op, jt, jf, k]] of code.entries()) {
    view.setUint16(i * 8, op, true)
    view.setUint8(i * 8 + 2, jt)
    view.setUint8(i * 8 + 3, jf)
    view.setInt32(i * 8 + 4, k | 0, true)
  }
  return new Uint8Array(view.buffer)
}

function context(bytes: Uint8Array, more: Partial<BpfContext> = {}): BpfContext {
  return {
    bytes,
    length: bytes.length,
    networkOffset: 14,
    protocol: 0x0800,
    pktType: 4,
    ifindex: 2,
    hatype: 1,
    mark: 7,
    queue: 3,
    hash: 11,
    vlanPresent: true,
    vlanTci: 5,
    vlanProto: 0x8100,
    random: () => 0xffffffff,
    ...more,
  }
}

const run = (code: Code, bytes: Uint8Array): number => new BpfProgram(bytesOf(code)).run(context(bytes))

function refused(code: Code): boolean {
  try {
    new BpfProgram(bytesOf(code))
    return false
  } catch (error) {
    return error instanceof Errno && error.code === 'EINVAL'
  }
}

/** What libpcap makes of `icmp`. */
const ICMP: Code = [
  [0x28, 0, 0, 12],
  [0x15, 0, 3, 0x800],
  [0x30, 0, 0, 23],
  [0x15, 0, 1, 1],
  [6, 0, 0, 0x40000],
  [6, 0, 0, 0],
]

/** What libpcap makes of `tcp port 80`. */
const PORT_80: Code = [
  [0x28, 0, 0, 12],
  [0x15, 0, 6, 0x86dd],
  [0x30, 0, 0, 20],
  [0x15, 0, 15, 6],
  [0x28, 0, 0, 54],
  [0x15, 12, 0, 80],
  [0x28, 0, 0, 56],
  [0x15, 10, 11, 80],
  [0x15, 0, 10, 0x800],
  [0x30, 0, 0, 23],
  [0x15, 0, 8, 6],
  [0x28, 0, 0, 20],
  [0x45, 6, 0, 0x1fff],
  [0xb1, 0, 0, 14],
  [0x48, 0, 0, 14],
  [0x15, 2, 0, 80],
  [0x48, 0, 0, 16],
  [0x15, 0, 1, 80],
  [6, 0, 0, 0x40000],
  [6, 0, 0, 0],
]

function ipv4(protocol: number, ports: readonly [number, number], options = 0, fragment = 0): Uint8Array {
  const header = new Uint8Array(20 + options + 20)
  header[0] = 0x45 + options / 4
  header[6] = fragment >> 8
  header[7] = fragment & 0xff
  header[9] = protocol
  new DataView(header.buffer).setUint16(20 + options, ports[0], false)
  new DataView(header.buffer).setUint16(22 + options, ports[1], false)
  return frame(MAC, PEER, 0x0800, header)
}

describe('classic BPF', () => {
  it('runs what libpcap makes', () => {
    expect(run(ICMP, ipv4(1, [0, 0]))).toBe(0x40000)
    expect(run(ICMP, ipv4(6, [0, 0]))).toBe(0)
    expect(run(ICMP, frame(MAC, PEER, 0x0806, new Uint8Array(28)))).toBe(0)
    expect(run(PORT_80, ipv4(6, [80, 1000]))).toBe(0x40000)
    expect(run(PORT_80, ipv4(6, [1000, 80], 12))).toBe(0x40000)
    expect(run(PORT_80, ipv4(6, [1000, 81], 12))).toBe(0)
    expect(run(PORT_80, ipv4(17, [80, 80]))).toBe(0)
    expect(run(PORT_80, ipv4(6, [80, 80], 0, 5))).toBe(0)
  })

  it('ends with nothing where it looks outside of the packet', () => {
    for (const [op, k] of [
      [0x20, 11],
      [0x28, 13],
      [0x30, 14],
      [0xb1, 14],
      [0x20, 0x7fffffff],
      [0x20, -0x200001],
      [0x20, -0x1000 + 1],
    ] as const) {
      expect(
        run(
          [
            [op, 0, 0, k],
            [6, 0, 0, 1],
          ],
          new Uint8Array(14),
        ),
        `op ${op} k ${k}`,
      ).toBe(0)
    }
    expect(
      run(
        [
          [0x20, 0, 0, 10],
          [6, 0, 0, 1],
        ],
        new Uint8Array(14),
      ),
    ).toBe(1)
    expect(
      run(
        [
          [0x01, 0, 0, -5],
          [0x50, 0, 0, 4],
          [6, 0, 0, 1],
        ],
        new Uint8Array(14),
      ),
    ).toBe(0)
    expect(
      run(
        [
          [0x20, 0, 0, -0x100000 + 2],
          [6, 0, 0, 1],
        ],
        new Uint8Array(20),
      ),
    ).toBe(1)
    expect(
      run(
        [
          [0x20, 0, 0, -0x200000 + 2],
          [0x16, 0, 0, 0],
        ],
        Uint8Array.of(0, 0, 1, 2, 3, 4),
      ),
    ).toBe(0x01020304)
  })

  it('divides by a register that is 0 by ending with nothing', () => {
    expect(
      run(
        [
          [0x00, 0, 0, 5],
          [0x3c, 0, 0, 0],
          [6, 0, 0, 1],
        ],
        new Uint8Array(14),
      ),
    ).toBe(0)
    expect(
      run(
        [
          [0x00, 0, 0, 5],
          [0x9c, 0, 0, 0],
          [6, 0, 0, 1],
        ],
        new Uint8Array(14),
      ),
    ).toBe(0)
  })

  it('knows what stands beside the packet', () => {
    const ask = (what: number): number =>
      run(
        [
          [0x00, 0, 0, 6],
          [0x01, 0, 0, 3],
          [0x20, 0, 0, -0x1000 + what],
          [0x16, 0, 0, 0],
        ],
        new Uint8Array(14),
      )
    expect([0, 4, 8, 20, 24, 28, 32, 36, 40, 44, 48, 56, 60].map(ask)).toEqual([
      0x0800, 4, 2, 7, 3, 1, 11, 0, 5, 5, 1, 0xffffffff, 0x8100,
    ])
    expect(ask(12)).toBe(0)
  })

  it('refuses programs that could do harm', () => {
    const ret = [6, 0, 0, 0] as const
    expect(refused([])).toBe(true)
    expect(refused([[0x28, 0, 0, 12]])).toBe(true)
    expect(refused([[0x15, 1, 0, 0], ret])).toBe(true)
    expect(refused([[0x15, 0, 0, 0], ret])).toBe(false)
    expect(refused([[0x05, 0, 0, 1], ret])).toBe(true)
    expect(refused([[0x05, 0, 0, -1], ret])).toBe(true)
    expect(refused([[0x34, 0, 0, 0], ret])).toBe(true)
    expect(refused([[0x94, 0, 0, 0], ret])).toBe(true)
    expect(refused([[0x64, 0, 0, 32], ret])).toBe(true)
    expect(refused([[0x60, 0, 0, 16], ret])).toBe(true)
    expect(refused([[0x02, 0, 0, -1], ret])).toBe(true)
    expect(refused([[0xffff, 0, 0, 0], ret])).toBe(true)
    expect(refused(Array.from({ length: 4097 }, () => ret))).toBe(true)
    expect(() => new BpfProgram(new Uint8Array(9))).toThrow('Invalid argument')
  })

  it('counts as machines of 32 bits do: 20,000 random sums against BigInt', () => {
    const rng = new Rng(5)
    const mask = (1n << 32n) - 1n
    const by: Record<number, (a: bigint, b: bigint) => bigint> = {
      0x00: (a, b) => a + b,
      0x10: (a, b) => a - b,
      0x20: (a, b) => a * b,
      0x30: (a, b) => a / b,
      0x40: (a, b) => a | b,
      0x50: (a, b) => a & b,
      0x60: (a, b) => a << (b & 31n),
      0x70: (a, b) => a >> (b & 31n),
      0x90: (a, b) => a % b,
      0xa0: (a, b) => a ^ b,
    }
    const ops = Object.keys(by).map(Number)
    for (let i = 0; i < 20_000; i++) {
      const op = ops[rng.below(ops.length)]!
      const a = rng.u32()
      const b = rng.u32() || 1
      const got = run(
        [
          [0x00, 0, 0, a],
          [0x01, 0, 0, b],
          [op | 0xc, 0, 0, 0],
          [0x16, 0, 0, 0],
        ],
        new Uint8Array(1),
      )
      const want = Number(by[op]!(BigInt(a), BigInt(b)) & mask)
      if (got !== want) throw new Error(`${a} op ${op} ${b} gave ${got}, not ${want}`)
    }
    expect(
      run(
        [
          [0x00, 0, 0, 5],
          [0x84, 0, 0, 0],
          [0x16, 0, 0, 0],
        ],
        new Uint8Array(1),
      ),
    ).toBe(0xfffffffb)
  })

  it('ends whatever the program: 100,000 random ones', () => {
    const rng = new Rng(6)
    const ops = [
      0, 1, 2, 3, 4, 5, 6, 7, 0x15, 0x1d, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x61, 0x80, 0x87, 0xb1,
      0x16, 0x45,
    ]
    const packet = new Uint8Array(64).map(() => rng.below(256))
    let ran = 0
    for (let i = 0; i < 100_000; i++) {
      const code: [number, number, number, number][] = Array.from({ length: 1 + rng.below(12) }, () => [
        rng.below(20) === 0 ? rng.below(256) : ops[rng.below(ops.length)]!,
        rng.below(4),
        rng.below(4),
        rng.below(3) === 0 ? rng.u32() | 0 : rng.below(20),
      ])
      code.push([6, 0, 0, 1])
      if (refused(code)) continue
      ran++
      const result = run(code, packet)
      if (!(result >= 0 && result <= 0xffffffff)) throw new Error(`gave ${result}`)
    }
    expect(ran).toBeGreaterThan(5000)
  })
})

describe('a filter on a socket', () => {
  it('keeps what it is told to, and as much of it', () => {
    const { kernel, dev } = makeRig()
    const sock = open(kernel, 3, 0x0300)
    const snap = ICMP.map((one, i) => (i === 4 ? ([6, 0, 0, 20] as const) : one))
    sock.setsockopt(SOL_SOCKET, SockOption.ATTACH_FILTER, bytesOf(snap))
    arrive(dev, ipv4(6, [1, 2]))
    arrive(dev, ipv4(1, [8, 0]))
    const got = drain(sock)
    expect(got.map(({ bytes }) => bytes.length)).toEqual([20])
    sock.setsockopt(SOL_SOCKET, SockOption.DETACH_FILTER, new Uint8Array(4))
    expect(() => sock.setsockopt(SOL_SOCKET, SockOption.DETACH_FILTER, new Uint8Array(4))).toThrow(
      'No such file',
    )
    arrive(dev, ipv4(6, [1, 2]))
    expect(drain(sock)).toHaveLength(1)
  })
})
