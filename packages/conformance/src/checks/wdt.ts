import { netifDeviceAttach, netifDeviceDetach } from '@vnet/netdev'
import type { Check } from '../check.ts'
import { MS, SECOND, type Testbed } from '../testbed.ts'
import { beforeOps, count, fill, noLimit, watchdogNs, wrapOps } from './observe.ts'

/** A device with a full ring, at a cable that takes nothing; returns how often ndoTxTimeout was called. */
function stuck(t: Testbed): () => number {
  const dev = t.start({ txRing: 16 })
  let alarms = 0
  beforeOps(dev, ['ndoTxTimeout'], () => alarms++)
  noLimit(dev)
  t.cable.full = true
  fill(t)
  return () => alarms
}

/** The transmit watchdog. @kernel none */
export const wdtChecks: readonly Check[] = [
  {
    id: 'WDT-01',
    title: 'is told of a queue that made no progress for the watchdog time, also while it receives',
    needs: ['watchdog', 'txRing'],
    run(t) {
      const alarms = stuck(t)
      const limit = watchdogNs(t)
      const wait = (ns: number): void => {
        for (let passed = 0; passed < ns; passed += 100 * MS) {
          t.inject(1)
          t.run(100 * MS)
        }
      }
      wait(limit - SECOND / 2)
      t.equal(alarms(), 0, 'alarms before the time')
      wait(SECOND)
      t.equal([alarms(), t.dev.txq[0]!.txTimeouts], [1, 1], 'alarms, and alarms counted by the queue')
    },
  },
  {
    id: 'WDT-02',
    title: 'has no alarm without carrier, when detached and when down',
    needs: ['watchdog', 'txRing', 'carrier'],
    run(t) {
      const alarms = stuck(t)
      const wait = (): void => t.run(2 * watchdogNs(t) + SECOND)
      t.cable.setLink(false)
      wait()
      t.equal(alarms(), 0, 'alarms without carrier')
      t.cable.setLink(true)
      t.run(MS)
      netifDeviceDetach(t.dev)
      wait()
      t.equal(alarms(), 0, 'alarms when detached')
      netifDeviceAttach(t.dev)
      t.down()
      wait()
      t.equal(alarms(), 0, 'alarms when down')
    },
  },
  {
    id: 'WDT-03',
    title: 'recovers from a timeout: frees what was in flight, counts it as errors, and goes on',
    needs: ['watchdog', 'txRing'],
    run(t) {
      const dev = t.start({ txRing: 16 })
      const idle = count(t.alive(), 'skb')
      t.card('hang')()
      noLimit(dev)
      const sent = fill(t) - dev.txq[0]!.qdisc.qlen
      t.run(watchdogNs(t) + SECOND)
      const { txErrors, txDropped } = t.stats()
      t.equal([txErrors, txDropped], [BigInt(sent), 0n], 'errors and drops of what was in flight')
      t.equal(count(t.alive(), 'skb'), idle, 'packets alive')
      t.sendMany(20)
      t.run(SECOND)
      t.expect(
        t.cable.wire.length >= 20,
        `only ${t.cable.wire.length} of 20 frames were sent after the timeout`,
      )
    },
  },
  {
    id: 'WDT-04',
    title: 'has no watchdog without ndoTxTimeout',
    run(t) {
      const dev = t.create({ txRing: 16 })
      wrapOps(dev, () => ({ ndoTxTimeout: undefined }))
      t.up()
      noLimit(dev)
      t.cable.full = true
      fill(t, 64)
      t.run(60 * SECOND)
      t.equal(
        dev.txq.map((txq) => txq.txTimeouts),
        dev.txq.map(() => 0),
        'timeouts',
      )
      t.equal(
        t.alive().filter((e) => e.name.includes('watchdog')),
        [],
        'timers',
      )
    },
  },
]
