import { createKernel, Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { devChangeName, devClose, devGetByName } from '@vnet/netdev'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeMessages,
  encodeMessages,
  EthtoolCmd,
  NlAttrs,
  NlMessages,
  NlWriter,
  Sioc,
  sockIoctl,
  textOf,
} from '../src/index.ts'
import { card } from './card.ts'
import { CAPTURES, readCapture } from './captures.ts'
import { addDev, makeRig } from './rig.ts'

const seeds = CAPTURES.flatMap((name) => readCapture(name)).filter(({ bytes }) => (bytes[6]! & 1) !== 0)
const RUNS = { numRuns: 4000 }

/** Sends bytes and reads all that comes back; only an Errno may come out, and the answers end. */
function feed(socket: ReturnType<ReturnType<typeof makeRig>['server']['socket']>, bytes: Uint8Array): number {
  let answers = 0
  try {
    socket.send(bytes)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
  for (;;) {
    try {
      if (socket.recv() === null) return answers
    } catch (error) {
      if (!(error instanceof Errno)) throw error
    }
    if (++answers > 5000) throw new Error('the answers do not end')
  }
}

const attrArb: fc.Arbitrary<Uint8Array> = fc.letrec<{ attr: Uint8Array }>((tie) => ({
  attr: fc
    .record({
      type: fc.oneof(fc.nat(70), fc.nat(0xffff)),
      lie: fc.oneof(
        { weight: 6, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -9, max: 9 }) },
      ),
      body: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        fc.uint8Array({ maxLength: 40 }),
        fc.array(tie('attr'), { maxLength: 4 }).map((parts) => concat(parts)),
      ),
      nested: fc.boolean(),
    })
    .map(({ type, lie, body, nested }) => {
      const out = new Uint8Array((4 + body.length + 3) & ~3)
      const view = new DataView(out.buffer)
      view.setUint16(0, Math.max(0, 4 + body.length + lie), true)
      view.setUint16(2, (nested ? type | 0x8000 : type) & 0xffff, true)
      out.set(body, 4)
      return out
    }),
})).attr

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

const messageArb = fc
  .record({
    type: fc.oneof(fc.integer({ min: 16, max: 24 }), fc.integer({ min: 0, max: 130 })),
    flags: fc.oneof(fc.constantFrom(1, 5, 0x301, 0x305, 0x605), fc.nat(0xffff)),
    header: fc.oneof(
      fc.constant(new Uint8Array(16)),
      fc
        .tuple(fc.integer({ min: 0, max: 50 }), fc.uint8Array({ maxLength: 15 }))
        .map(([cmd, rest]) => Uint8Array.from([cmd, ...rest])),
      fc.integer({ min: 0, max: 50 }).map((cmd) => Uint8Array.from([cmd, 1, 0, 0])),
    ),
    attrs: fc.array(attrArb, { maxLength: 6 }),
    lie: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -20, max: 20 }) },
    ),
  })
  .map(({ type, flags, header, attrs, lie }) => {
    const w = new NlWriter()
    const at = w.begin(type, flags, 1, 0)
    w.raw(header)
    for (const attr of attrs) w.raw(attr)
    w.end(at)
    w.patchU32(at, Math.max(0, w.length + lie))
    return w.bytes()
  })

describe('whatever a program sends', () => {
  it('random bytes: answered by an errno, or ignored', () => {
    const { server } = makeRig(card())
    const sockets = [0, 16].map((nr) => server.socket(nr))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const socket of sockets) feed(socket, bytes)
      }),
      RUNS,
    )
  })

  it('messages that almost look right: nests in nests, lengths that lie', () => {
    const { server } = makeRig(card())
    const sockets = [0, 16].map((nr) => server.socket(nr))
    for (const socket of sockets) socket.extAck = true
    let answers = 0
    fc.assert(
      fc.property(fc.array(messageArb, { maxLength: 3 }), fc.boolean(), (messages, strict) => {
        for (const socket of sockets) {
          socket.strictCheck = strict
          answers += feed(socket, concat(messages))
        }
      }),
      RUNS,
    )
    expect(answers).toBeGreaterThan(RUNS.numRuns)
  })

  it('the recorded requests with some bytes changed, cut or repeated', () => {
    const { server } = makeRig(card())
    const sockets = new Map([0, 16].map((nr) => [nr, server.socket(nr)] as const))
    const change = fc.record({
      seed: fc.nat(seeds.length - 1),
      edits: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 }),
      cut: fc.nat(120),
      honest: fc.boolean(),
    })
    let answers = 0
    fc.assert(
      fc.property(change, ({ seed, edits, cut, honest }) => {
        const { bytes, protocol } = seeds[seed]!
        const copy = bytes.slice(0, Math.max(cut, 16))
        for (const [at, value] of edits) if (at < copy.length) copy[at] = value
        copy[6]! |= 1
        if (honest) new DataView(copy.buffer).setUint32(0, copy.length, true)
        answers += feed(sockets.get(protocol)!, copy)
      }),
      RUNS,
    )
    expect(answers).toBeGreaterThan(RUNS.numRuns / 2)
  })

  it('a thousand nests in each other end in a refusal, not in a full stack', () => {
    const { server } = makeRig(card())
    const socket = server.socket(0)
    const w = new NlWriter()
    const at = w.begin(19, 5, 1, 0)
    w.raw(new Uint8Array(16))
    const nests = Array.from({ length: 1000 }, () => w.nestStart(18))
    for (const nest of nests.reverse()) w.nestEnd(nest)
    w.end(at)
    expect(feed(socket, w.bytes())).toBe(1)
  })
})

describe('the readers', () => {
  it('walk over any bytes and end, inside the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(220), fc.nat(220), (bytes, start, end) => {
        const messages = new NlMessages(bytes)
        for (let i = 0; messages.next(); i++) {
          expect(i).toBeLessThan(bytes.length)
          expect(messages.end).toBeLessThanOrEqual(bytes.length)
        }
        const attrs = new NlAttrs(bytes, start, end)
        while (attrs.next())
          expect(attrs.data + attrs.length).toBeLessThanOrEqual(Math.min(end, bytes.length))
        expect(attrs.left).toBeGreaterThanOrEqual(0)
      }),
      RUNS,
    )
  })

  it('what is decoded and encoded stays the same from then on', () => {
    fc.assert(
      fc.property(messageArb, (bytes) => {
        const header = (): number => 16
        // Padding is not kept, so the first time around it may turn to zeros.
        const once = encodeMessages(decodeMessages(bytes, header))
        expect(once.length).toBeGreaterThanOrEqual(decodeMessages(bytes, header).length * 16)
        expect(encodeMessages(decodeMessages(once, header))).toEqual(once)
      }),
      { numRuns: 1000 },
    )
  })

  it('text is what TextDecoder reads, up to the first zero', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        const bytes = new TextEncoder().encode(text)
        expect(textOf(bytes, 0, bytes.length)).toBe(
          new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).split('\0')[0],
        )
      }),
      { numRuns: 1000 },
    )
  })
})

describe('whatever a program passes to ioctl', () => {
  it('any request, any structure, any address: an Errno or an answer', () => {
    const kernel = createKernel()
    addDev(kernel, 'vnet0', card())
    const page = new Uint8Array(8192)
    const memory = {
      copyFromUser(address: bigint, length: number) {
        const at = inside(address, length)
        return page.slice(at, at + length)
      },
      copyToUser(address: bigint, bytes: Uint8Array) {
        page.set(bytes, inside(address, bytes.length))
      },
    }
    const inside = (address: bigint, length: number): number => {
      if (address < 0x1000n || address + BigInt(length) > 0x1000n + BigInt(page.length))
        throw new Errno('EFAULT')
      return Number(address - 0x1000n)
    }
    const requests = [...Object.values(Sioc), 0x8999]
    const input = fc.record({
      request: fc.constantFrom(...requests),
      ethtool: fc.oneof(fc.constantFrom(...Object.values(EthtoolCmd)), fc.nat(100)),
      body: fc.uint8Array({ minLength: 60, maxLength: 60 }),
      named: fc.boolean(),
      pointer: fc.constantFrom(0x1000n + 64n, 0x1000n + 8180n, 0n, (1n << 64n) - 8n),
      admin: fc.boolean(),
    })
    let served = 0
    fc.assert(
      fc.property(input, ({ request, ethtool, body, named, pointer, admin }) => {
        page.fill(0)
        page.set(body.subarray(0, 40))
        if (named) page.set(new TextEncoder().encode('vnet0\0'), 0)
        if (request === Sioc.ETHTOOL) {
          new DataView(page.buffer).setBigUint64(16, pointer, true)
          page.set(body, 64)
          new DataView(page.buffer).setUint32(64, ethtool, true)
        }
        try {
          sockIoctl({ kernel, memory, capNetAdmin: admin }, request, 0x1000n)
          served++
        } catch (error) {
          if (!(error instanceof Errno)) throw error
        }
        expect(kernel.rtnl.held).toBe(false)
        const name = [...kernel.census.take()].find((one) => one.kind === 'netdev')?.name
        if (name !== 'vnet0') renameBack(kernel, name!)
      }),
      RUNS,
    )
    expect(served).toBeGreaterThan(RUNS.numRuns / 20)
  })
})

function renameBack(kernel: Kernel, name: string): void {
  kernel.rtnl.run(() => {
    const dev = devGetByName(kernel, name)!
    devClose(dev)
    devChangeName(dev, 'vnet0')
  })
}
