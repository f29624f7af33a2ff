import { ethtoolGetStats, ethtoolGetStdStats, ethtoolGetStrings, ethtoolSetRingparam } from '@vnet/ethtool'
import { QueueState, RtnlLinkStats64, devGetStats, devSetMtu, devSetPromiscuity } from '@vnet/netdev'
import type { Check } from '../check.ts'
import { testFrame } from '../frames.ts'
import { MS, SECOND, type Testbed } from '../testbed.ts'
import { countTaken, txAccount } from './account.ts'
import { fill, noLimit, onReceive, watchdogNs } from './observe.ts'

/** What the standard set has a place for, as ethtool -S would spell it. */
const STANDARD = new Set(
  Object.keys(new RtnlLinkStats64()).map((key) => key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)),
)
/** A host that is not the device under test. */
const SOMEBODY_ELSE = [2, 0, 0, 0, 0x99, 0x99]

type Key = keyof RtnlLinkStats64

/** What goes back between two snapshots, as text; empty when nothing does. */
function goneBack(before: RtnlLinkStats64, now: RtnlLinkStats64): string {
  const keys = Object.keys(before) as Key[]
  return keys
    .filter((key) => now[key] < before[key])
    .map((key) => `${key} from ${before[key]} to ${now[key]}`)
    .join(', ')
}

/** Sums of the driver's per-queue counters, by 'tx packets' and the like. */
function queueSums(t: Testbed): Map<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const { name, value } of ethtoolGetStats(t.dev)) {
    const [, way, what] = /^(rx|tx)_queue_\d+_(packets|bytes)$/.exec(name) ?? []
    if (way !== undefined) sums.set(`${way} ${what}`, (sums.get(`${way} ${what}`) ?? 0n) + value)
  }
  return sums
}

/** Statistics. @kernel none */
export const statChecks: readonly Check[] = [
  {
    id: 'STAT-01',
    title: 'counts the bytes of the Ethernet frame, header and all, both ways',
    run(t) {
      t.start()
      for (const length of [60, 61, 1000]) {
        const before = t.stats()
        t.send(length)
        t.inject(testFrame(length))
        t.run(100 * MS)
        const now = t.stats()
        t.equal(now.txBytes - before.txBytes, BigInt(length), `txBytes of a frame of ${length} bytes`)
        t.equal(now.rxBytes - before.rxBytes, BigInt(length), `rxBytes of a frame of ${length} bytes`)
      }
    },
  },
  {
    id: 'STAT-02',
    title: 'counts a frame as sent when the card took it, not before',
    needs: ['completion'],
    run(t) {
      t.start()
      t.card('hang')()
      t.sendMany(3)
      t.run(MS)
      t.equal(t.stats().txPackets, 0n, 'txPackets while the card hangs')
      t.equal(t.stats().txBytes, 0n, 'txBytes while the card hangs')
      t.card('recover')()
      t.run(100 * MS)
      t.equal(t.stats().txPackets, 3n, 'txPackets after the card took them')
    },
  },
  {
    id: 'STAT-03',
    title: 'counts good frames that reached the host, also those the stack drops',
    run(t) {
      t.start()
      t.kernel.rtnl.run(() => devSetPromiscuity(t.dev, 1))
      t.inject(...[0, 1, 2, 3].map((n) => testFrame(60, n, SOMEBODY_ELSE)))
      t.run(100 * MS)
      t.equal(t.stats().rxPackets, 4n, 'rxPackets of frames for another host, in promiscuous mode')
    },
  },
  {
    id: 'STAT-04',
    title: 'has every detailed error in rxErrors or txErrors too',
    run(t) {
      t.start()
      t.inject(testFrame(13), testFrame(0), testFrame(4000), testFrame(60))
      t.send(4000)
      t.run(100 * MS)
      // The core adds up the details at each reading.
      t.stats()
    },
  },
  {
    id: 'STAT-05',
    title: 'never lets a counter go back: not at a resize, an MTU change or a reset',
    run(t) {
      const dev = t.start()
      let before = t.stats()
      const look = (after: string): void => {
        for (const frames of [0, 5]) {
          t.sendMany(frames)
          t.inject(frames)
          t.run(50 * MS)
          const now = t.stats()
          t.equal(goneBack(before, now), '', `what went back after ${after}`)
          before = now
        }
      }
      look('traffic')
      if (t.supports.ringparam) {
        t.kernel.rtnl.run(() => ethtoolSetRingparam(dev, { rxPending: 32 }))
        look('a resize')
      }
      t.kernel.rtnl.run(() => devSetMtu(dev, 1000))
      look('an MTU change')
      if (t.supports.watchdog && t.dut.card?.hang !== undefined) {
        t.card('hang')()
        fill(t)
        t.run(2 * watchdogNs(t) + SECOND)
        look('a reset by the watchdog')
      }
    },
  },
  {
    id: 'STAT-06',
    title: 'still has its counters while the device is down',
    run(t) {
      t.start()
      t.sendMany(5)
      t.inject(5)
      t.run(100 * MS)
      const before = t.stats()
      t.down()
      t.equal(goneBack(before, t.stats()), '', 'what went back when the device went down')
      t.equal(t.stats().txPackets, 5n, 'txPackets while down')
    },
  },
  {
    id: 'STAT-07',
    title: 'does not repeat in ethtool -S what the standard statistics have a place for',
    needs: ['ethtoolStats'],
    run(t) {
      t.create()
      const repeated = ethtoolGetStrings(t.dev, 'stats').filter((name) => STANDARD.has(name))
      t.equal(repeated, [], 'driver statistics that the standard set has')
    },
  },
  {
    id: 'STAT-08',
    title: 'shows whole counters only, also in the middle of an update',
    run(t) {
      t.start()
      const seen: bigint[] = []
      onReceive(t, () => seen.push(t.stats().rxBytes))
      for (let round = 0; round < 8; round++) {
        t.inject(...Array.from({ length: 8 }, (_, n) => testFrame(200, n)))
        t.run(MS)
      }
      // What it counts for a frame is STAT-01's; here each value must be a whole number of frames.
      const each = t.stats().rxBytes / 64n
      t.equal(seen.filter((bytes) => bytes % each !== 0n), [], 'values of rxBytes that no whole number of frames gives') // prettier-ignore
      const back = seen.filter((bytes, i) => i > 0 && bytes < seen[i - 1]!)
      t.equal(back, [], 'values of rxBytes that went back')
    },
  },
  {
    id: 'STAT-09',
    title: 'has queue counters that add up to those of the device',
    needs: ['ethtoolStats'],
    run(t) {
      const dev = t.start(t.supports.queues ? { queues: 2 } : {})
      t.sendMany(10, 100)
      t.inject(10)
      t.run(100 * MS)
      const sums = queueSums(t)
      if (sums.size === 0) t.skip('it has no counters named tx_queue_0_packets and the like')
      const s = devGetStats(dev)
      const totals = new Map([['tx packets', s.txPackets], ['tx bytes', s.txBytes], ['rx packets', s.rxPackets], ['rx bytes', s.rxBytes]]) // prettier-ignore
      for (const [what, sum] of sums) t.equal(sum, totals.get(what), `${what} added up over the queues`)
    },
  },
  {
    id: 'STAT-10',
    title: 'leaves out a standard statistic it does not keep, instead of saying 0',
    run(t) {
      t.start()
      t.sendMany(5)
      t.inject(5)
      t.run(100 * MS)
      const s = t.stats()
      const kept = new Map([['FramesTransmittedOK', s.txPackets], ['FramesReceivedOK', s.rxPackets]]) // prettier-ignore
      for (const [name, value] of ethtoolGetStdStats(t.dev).flatMap((g) => g.stats)) {
        if (kept.has(name)) t.equal(value, kept.get(name), `${name} after 5 frames`)
      }
    },
  },
  {
    id: 'STAT-11',
    title: 'has the same driver statistics in the same order as long as it is registered',
    needs: ['ethtoolStats'],
    run(t) {
      const dev = t.create()
      const names = ethtoolGetStrings(dev, 'stats')
      t.up()
      t.equal(ethtoolGetStrings(dev, 'stats'), names, 'names when up')
      t.kernel.rtnl.run(() => devSetMtu(dev, 1000))
      if (t.supports.ringparam) t.kernel.rtnl.run(() => ethtoolSetRingparam(dev, { rxPending: 32 }))
      t.equal(ethtoolGetStats(dev).map((s) => s.name), names, 'names after a change of settings') // prettier-ignore
      t.down()
      t.equal(ethtoolGetStats(dev).length, names.length, 'number of values when down again')
    },
  },
  {
    id: 'STAT-12',
    title: 'gives every reader the same values; reading changes nothing',
    run(t) {
      const dev = t.start()
      const pairs: [RtnlLinkStats64, RtnlLinkStats64][] = []
      onReceive(t, () => pairs.push([devGetStats(dev), devGetStats(dev)]))
      t.inject(testFrame(13), testFrame(4000), testFrame(60), testFrame(60))
      t.sendMany(3)
      t.run(100 * MS)
      pairs.push([devGetStats(dev), devGetStats(dev)])
      for (const [one, other] of pairs) t.equal(other, one, 'what a second reader sees')
    },
  },
  {
    id: 'STAT-13',
    title: 'accounts for every frame: in is out, dropped, failed or still in a ring',
    run(t) {
      const dev = t.start({ txRing: 16, rxRing: 16 })
      noLimit(dev)
      const taken = countTaken(t)
      t.sendMany(20)
      for (let n = 0; n < 10; n++) {
        t.inject(7)
        t.run(MS)
      }
      t.equal(txAccount(dev), taken(), 'sent, dropped and failed, against frames the driver took')
      t.dut.card?.slow?.(5 * MS)
      t.sendMany(40)
      t.run(7 * MS)
      const s = t.stats()
      t.equal(s.rxPackets + s.rxDropped + s.rxErrors + s.rxMissedErrors - BigInt(dev.coreStats.rxDropped), 70n, 'received, dropped, failed and missed, of 70 frames') // prettier-ignore
      t.down()
      t.equal(txAccount(dev), taken(), 'sent, dropped and failed after a stop with frames in the ring')
    },
  },
  {
    id: 'STAT-14',
    title: 'counts the stops and wakes of its queues',
    needs: ['txRing'],
    run(t) {
      const dev = t.start({ txRing: 8 })
      noLimit(dev)
      const txq = dev.txq[0]!
      t.card('slow')(100_000)
      const look = (when: string): void => {
        const stopped = (txq.state & QueueState.DRV_XOFF) !== 0 ? 1 : 0
        t.equal(txq.stops - txq.wakes, stopped, `stops less wakes ${when}`)
      }
      look('after opening')
      const before = txq.stops
      t.sendMany(100)
      look('under load')
      t.run(SECOND)
      look('when all was sent')
      t.expect(txq.stops > before, 'a ring of 8 took 100 frames from a slow card without a counted stop')
    },
  },
  {
    id: 'STAT-15',
    title: 'gives a reason for every frame it drops',
    run(t) {
      const dev = t.start({ txRing: 8 })
      noLimit(dev)
      const unexplained: string[] = []
      t.kernel.trace.on('skb:kfree_skb', (e) => {
        if (e.fields['reason'] === 'NOT_SPECIFIED') unexplained.push(`a frame of ${e.fields['len']} bytes`)
      })
      t.send(4000)
      t.dut.card?.slow?.(MS)
      t.sendMany(4)
      t.inject(testFrame(13), testFrame(4000))
      t.down()
      t.equal(unexplained, [], 'drops without a reason')
    },
  },
]
