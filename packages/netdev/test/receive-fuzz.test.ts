import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  devAddPack,
  ETH_P_ALL,
  groInit,
  groReceiveSkb,
  kfreeSkb,
  netifReceiveSkb,
  netifRx,
  NETIF_F,
  pskbMayPull,
  rxStateOf,
  skbBytes,
  skbCacheOf,
  skbChecksumHelp,
  skbGetHash,
  skbGsoSegment,
  type SkBuff,
} from '../src/index.ts'
import { buildFrame, expectNoneAlive, lenientKernel, RxRing, rxDev } from './skb-helpers.ts'

/** Random bytes, or a good frame with some bytes spoilt, some cut off, some added. */
const frame: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 120 }),
  fc
    .record({ v6: fc.boolean(), udp: fc.boolean(), len: fc.nat(60), seq: fc.nat(3) })
    .map(({ v6, udp, len, seq }) =>
      buildFrame({ v6, proto: udp ? 'udp' : 'tcp', payload: new Uint8Array(len), seq: seq * len, id: seq }),
    ),
  fc
    .record({
      v6: fc.boolean(),
      udp: fc.boolean(),
      spoil: fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }),
      cut: fc.nat(100),
      pad: fc.nat(20),
    })
    .map(({ v6, udp, spoil, cut, pad }) => {
      const good = buildFrame({ v6, proto: udp ? 'udp' : 'tcp', payload: new Uint8Array(30) })
      for (const [at, value] of spoil) if (at < good.length) good[at] = value
      const kept = good.subarray(0, Math.max(0, good.length - (cut > 60 ? cut : 0)))
      const out = new Uint8Array(kept.length + pad)
      out.set(kept)
      return out
    }),
)
const steps = fc.array(
  fc.record({
    frame,
    how: fc.constantFrom('gro', 'gro', 'receive', 'rx'),
    flush: fc.boolean(),
    summed: fc.nat(2),
  }),
  { maxLength: 40 },
)

/** What a receiver may do with a packet: look at everything. */
function use(skb: SkBuff): void {
  skbGetHash(skb)
  skbBytes(skb)
  if (skb.gsoSize > 0) for (let seg = skbGsoSegment(skb, 0); seg !== null;) seg = drop(seg)
  if (skb.ipSummed === 3) expect(skbChecksumHelp(skb)).toBe(0)
  pskbMayPull(skb, 60)
  kfreeSkb(skb)
}

function drop(skb: SkBuff): SkBuff | null {
  const next = skb.next
  skb.next = null
  kfreeSkb(skb)
  return next
}

describe('any frame', () => {
  it('STAT-13 STAT-15 goes through without an exception, and the counters add up', () => {
    for (const checks of [true, false]) {
      fc.assert(
        fc.property(steps, fc.boolean(), (list, tap) => {
          const kernel = lenientKernel({ checks })
          const dev = rxDev(kernel)
          dev.features = NETIF_F.GRO | NETIF_F.GRO_UDP_FWD
          const ring = new RxRing(dev, 64, 256)
          const gro = groInit(dev)
          let handled = 0
          const func = (skb: SkBuff): number => (handled++, use(skb), 0)
          devAddPack(kernel, { type: 0x0800, func })
          devAddPack(kernel, { type: 0x86dd, func })
          if (tap) devAddPack(kernel, { type: ETH_P_ALL, func: (skb) => (use(skb), 0) })
          for (const { frame: bytes, how, flush, summed } of list) {
            const skb = ring.receive(bytes)
            skb.ipSummed = summed
            if (how === 'gro') groReceiveSkb(gro, skb)
            else if (how === 'rx') netifRx(skb)
            else netifReceiveSkb(skb)
            if (flush) gro.flush(false)
          }
          gro.flush(false)
          kernel.runFor(1e6)
          const rx = rxStateOf(kernel)
          expect(rx.received + gro.merged).toBe(list.length)
          expect(rx.delivered + rx.nohandler + rx.dropped).toBe(rx.received)
          // A tap also takes what no protocol does.
          if (tap) expect(rx.delivered).toBeGreaterThanOrEqual(handled)
          else expect(rx.delivered).toBe(handled)
          expect(dev.coreStats.rxDropped).toBe(rx.nohandler + rx.dropped)
          expect(kernel.violations).toEqual([])
          expectNoneAlive(kernel, ring.pool)
          const reasons = skbCacheOf(kernel).drops
          expect(reasons[4]! + reasons[25]!).toBe(rx.nohandler + rx.dropped)
        }),
        { numRuns: 60 },
      )
    }
  })

  it('of 0 to 64 KiB goes through', () => {
    const kernel = createKernel()
    const dev = rxDev(kernel)
    const ring = new RxRing(dev, 8, 66 * 1024)
    const gro = groInit(dev)
    let bytes = 0
    devAddPack(kernel, { type: 0x0800, func: (skb) => ((bytes += skb.len), use(skb), 0) })
    let sent = 0
    for (let len = 0; len <= 65536; len = len * 2 + 1) {
      const frame = new Uint8Array(Math.max(len, 14))
      frame.set(buildFrame({ payload: new Uint8Array(8) }).subarray(0, Math.min(frame.length, 62)))
      sent += frame.length - 14
      groReceiveSkb(gro, ring.receive(frame))
    }
    gro.flush(false)
    expect(bytes).toBe(sent)
    expectNoneAlive(kernel, ring.pool)
  })
})
