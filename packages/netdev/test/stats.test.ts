import { mightSleep } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { consumeSkb, devGetStats, devQueueXmit, RtnlLinkStats64, U64Stats } from '../src/index.ts'
import { frame, lenient, makeDev, reported, rules } from './helpers.ts'

describe('64-bit counters', () => {
  it('STAT-05 STAT-08 count like a 64-bit number that wraps', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        fc.array(fc.integer({ min: 0, max: 2 ** 52 })),
        (start, adds) => {
          const stats = new U64Stats(3)
          stats.set(1, start)
          let model = start
          for (const n of adds) {
            stats.add(1, n)
            model = BigInt.asUintN(64, model + BigInt(n))
            expect(stats.get(1)).toBe(model)
          }
          expect([stats.get(0), stats.get(2)]).toEqual([0n, 0n])
        },
      ),
    )
  })

  it('carry from the low word into the high one', () => {
    const stats = new U64Stats(1)
    stats.set(0, 0xffff_fffen)
    for (let i = 0; i < 4; i++) stats.add(0, 1)
    expect(stats.get(0)).toBe(0x1_0000_0002n)
    expect([...stats.words]).toEqual([2, 1])
  })
})

describe('devGetStats', () => {
  it('adds what the core dropped to what the driver says, and fills the record it is given', () => {
    const { dev } = makeDev({
      ndoGetStats64(_dev, stats) {
        stats.rxDropped = 5n
        stats.txPackets = 7n
      },
    })
    Object.assign(dev.coreStats, { rxDropped: 1, txDropped: 2, rxNohandler: 3, rxOtherhostDropped: 4 })
    const storage = new RtnlLinkStats64()
    storage.rxErrors = 99n
    expect(devGetStats(dev, storage)).toBe(storage)
    expect(storage).toMatchObject({
      rxDropped: 6n,
      txDropped: 2n,
      rxNohandler: 3n,
      rxOtherhostDropped: 4n,
      txPackets: 7n,
      rxErrors: 0n,
    })
  })

  it('works without the hook', () => {
    const { dev } = makeDev()
    dev.coreStats.txDropped = 1
    expect(devGetStats(dev)).toMatchObject({ txDropped: 1n, rxPackets: 0n })
  })

  it('CTX-03 STAT-12 may be asked inside xmit, and a driver that sleeps there is reported', () => {
    let asked = 0
    const { kernel, dev } = makeDev({
      ndoGetStats64: () => void asked++,
      ndoStartXmit(skb, d) {
        devGetStats(d)
        consumeSkb(skb)
        return 0
      },
    })
    devQueueXmit(frame(dev))
    expect(asked).toBe(1)
    const sleepy = makeDev({ ndoGetStats64: (d) => mightSleep(d.kernel, 'the driver') })
    expect(reported(() => void devGetStats(sleepy.dev))).toBe('CTX-03')
    expect([kernel.cpu.rcuDepth, sleepy.kernel.cpu.rcuDepth]).toEqual([0, 0])
  })

  it('STAT-04 details that add up to more than the total are reported', () => {
    const { kernel, dev } = makeDev(
      {
        ndoGetStats64(_dev, stats) {
          stats.rxErrors = 1n
          stats.rxCrcErrors = 1n
          stats.rxLengthErrors = 1n
          stats.txErrors = 1n
          stats.txFifoErrors = 2n
        },
      },
      { options: lenient },
    )
    devGetStats(dev)
    expect(rules(kernel)).toEqual(['STAT-04', 'STAT-04'])
  })
})
