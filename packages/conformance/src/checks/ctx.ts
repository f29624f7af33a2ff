import { inSoftirq, localBhDisable, localBhEnable } from '@vnet/kernel'
import { NAPIF_STATE_SCHED } from '@vnet/napi'
import {
  QueueState,
  devSetMacAddress,
  devSetMtu,
  netdevUpdateFeatures,
  netifXmitStopped,
  type NetDeviceOps,
} from '@vnet/netdev'
import type { Check } from '../check.ts'
import { MS, SECOND, type Testbed } from '../testbed.ts'
import { beforeOps, fill, napisOf, onReceive, replace, watchdogNs, wrapOps } from './observe.ts'

const CONTROL: readonly (keyof NetDeviceOps<any>)[] = [
  'ndoOpen', 'ndoStop', 'ndoUninit', 'ndoValidateAddr', 'ndoSetMacAddress', 'ndoChangeMtu', 'ndoFixFeatures', 'ndoSetFeatures', 'ndoChangeCarrier',
] // prettier-ignore

/** Traffic both ways. */
function traffic(t: Testbed, rounds = 4): void {
  for (let n = 0; n < rounds; n++) {
    t.sendMany(8)
    t.inject(8)
    t.run(MS)
  }
}

/** Everything a user can do to a device. */
function settings(t: Testbed): void {
  const { dev } = t
  const { rtnl } = t.kernel
  rtnl.run(() => devSetMtu(dev, dev.mtu - 100))
  rtnl.run(() => netdevUpdateFeatures(dev))
  t.down()
  t.errnoOf(() => rtnl.run(() => devSetMacAddress(dev, Uint8Array.of(2, 0, 0, 0, 0, 9))))
  t.up()
}

/** Hangs the card until the watchdog fires, and lets the driver recover. */
function alarm(t: Testbed): void {
  t.card('hang')()
  fill(t)
  t.run(watchdogNs(t) + SECOND)
  t.card('recover')()
  t.run(SECOND)
}

/** Execution contexts. @kernel none */
export const ctxChecks: readonly Check[] = [
  {
    id: 'CTX-01',
    title: 'runs its control operations in process context with rtnl held, and changes nothing without',
    run(t) {
      t.create()
      const wrong: string[] = []
      beforeOps(t.dev, CONTROL, (name) => {
        if (t.kernel.ctx !== 'process' || !t.kernel.rtnl.held) wrong.push(`${name} in ${t.kernel.ctx}`)
      })
      t.up()
      traffic(t)
      settings(t)
      if (t.supports.watchdog === true && t.dut.card?.hang !== undefined) alarm(t)
      t.down()
      t.equal(wrong, [], 'operations called wrongly')
    },
  },
  {
    id: 'CTX-02',
    title: 'sends with softirqs off and the xmit lock held, without sleeping or being entered twice',
    run(t) {
      const dev = t.start()
      let depth = 0
      let deepest = 0
      let again = true
      const wrong: string[] = []
      wrapOps(dev, (ops) => ({
        ndoStartXmit: (...[skb, on]: Parameters<typeof ops.ndoStartXmit>) => {
          deepest = Math.max(deepest, ++depth)
          if (!inSoftirq(t.kernel)) wrong.push('softirqs are on')
          if (!dev.txq[skb.queueMapping]!.xmitLocked) wrong.push('the xmit lock is not held')
          if (again) {
            again = false
            t.send(60, 1)
          }
          const rc = ops.ndoStartXmit(skb, on)
          depth--
          return rc
        },
      }))
      t.send(60, 0)
      t.send(20, 2)
      t.run(100 * MS)
      t.equal(wrong, [], 'what was wrong in ndoStartXmit')
      t.equal(deepest, 1, 'calls of ndoStartXmit at once')
      t.equal(t.cable.wire.length, 3, 'frames on the wire')
    },
  },
  {
    id: 'CTX-03',
    title: 'tells its counters while they change, in atomic context, without sleeping',
    run(t) {
      const dev = t.start()
      let readings = 0
      const read = (): void => {
        t.stats()
        readings++
      }
      beforeOps(dev, ['ndoStartXmit'], read)
      t.kernel.trace.on('napi:napi_poll', read)
      onReceive(t, read)
      traffic(t)
      read()
      t.expect(readings > 32, 'the counters were read too seldom to prove anything')
    },
  },
  {
    id: 'CTX-04',
    title: 'receives only in its poll function, called by the owner of the instance',
    needs: ['napi'],
    run(t) {
      const dev = t.start()
      let polling = 0
      const wrong: string[] = []
      for (const napi of napisOf(dev)) {
        replace(napi, 'poll', (poll) => (n, budget) => {
          if (!inSoftirq(t.kernel) && n.thread === null) wrong.push('polled outside softirqs')
          if ((n.state & NAPIF_STATE_SCHED) === 0) wrong.push('polled without being scheduled')
          polling++
          const work = poll(n, budget)
          polling--
          return work
        })
      }
      onReceive(t, () => {
        if (polling === 0) wrong.push('received outside the poll')
      })
      traffic(t)
      localBhDisable(t.kernel)
      t.inject(4)
      t.send()
      localBhEnable(t.kernel)
      t.run(MS)
      t.equal(wrong, [], 'what was wrong')
      t.equal(t.received.length, 36, 'frames received')
    },
  },
  {
    id: 'CTX-05',
    title:
      'is told of a timeout with softirqs off, all queues frozen and the queue stopped, and sends nothing then',
    needs: ['watchdog'],
    run(t) {
      const dev = t.start()
      let alarms = 0
      let inside = false
      const wrong: string[] = []
      wrapOps(dev, (ops) => ({
        ndoStartXmit: (...args: Parameters<typeof ops.ndoStartXmit>) => {
          if (inside) wrong.push('ndoStartXmit during ndoTxTimeout')
          return ops.ndoStartXmit(...args)
        },
        ndoTxTimeout: (on: typeof dev, queue: number) => {
          alarms++
          if (!inSoftirq(t.kernel)) wrong.push('softirqs are on')
          if (dev.txq.some((txq) => (txq.state & QueueState.FROZEN) === 0))
            wrong.push('a queue is not frozen')
          if (!netifXmitStopped(dev.txq[queue]!)) wrong.push('the queue is not stopped')
          inside = true
          t.send()
          ops.ndoTxTimeout!(on, queue)
          inside = false
        },
      }))
      t.card('hang')()
      fill(t)
      t.run(watchdogNs(t) + SECOND)
      t.expect(alarms > 0, 'ndoTxTimeout was not called')
      t.equal(wrong, [], 'what was wrong')
    },
  },
  {
    id: 'CTX-06',
    title: 'neither sleeps nor frees with the process-context helper in its interrupt handler',
    run(t) {
      t.start()
      traffic(t)
      t.cable.setLink(false)
      t.cable.setLink(true)
      t.run(2 * SECOND)
      t.sendMany(4)
      t.run(MS)
      // What breaks the rule the kernel reports; here it must only have had the chance.
      t.equal(t.cable.wire.length, 36, 'frames on the wire')
    },
  },
  {
    id: 'CTX-07',
    title: 'takes a lock that softirqs take too only with softirqs off',
    run(t) {
      t.start()
      traffic(t)
      t.stats()
      settings(t)
      traffic(t)
      t.stats()
      t.down()
      t.stats()
      t.equal(t.kernel.lockdep.heldNames(), [], 'locks still held')
    },
  },
  {
    id: 'CTX-08',
    title: 'holds no lock while it passes packets up, allocates or logs',
    run(t) {
      t.start()
      const wrong = new Set<string>()
      const look = (what: string): boolean => {
        const held = t.kernel.lockdep.heldNames()
        if (held.length > 0) wrong.add(`${what} with ${held.join(', ')} held`)
        return false
      }
      onReceive(t, () => look('passed a packet up'))
      t.kernel.log.subscribe(() => look('logged'))
      t.dut.card?.failAlloc?.(() => look('allocated'))
      traffic(t)
      t.equal([...wrong], [], 'what was done under a lock')
    },
  },
]
