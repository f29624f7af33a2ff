import { udelay } from '@vnet/kernel'
import { NAPI_POLL_WEIGHT, napiList, napiSchedule, pollOneNapi, softnet } from '@vnet/napi'
import type { Check } from '../check.ts'
import { MS, SECOND, US } from '../testbed.ts'
import { Neighbour, eachFrame, expectAlive, flood, napiOf, queuedAgain } from './napi-kit.ts'

/** NAPI, the rest: order of calls, fairness, life. @kernel none */
export const napiLifeChecks: readonly Check[] = [
  {
    id: 'NAPI-14',
    title: 'does no harm when polled without a reason',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      const before = JSON.stringify(t.stats(), big)
      for (let k = 0; k < 20; k++) {
        if (k % 3 === 0) pollOneNapi(n)
        else napiSchedule(n)
        t.run(k * 10 * US)
      }
      t.equal(JSON.stringify(t.stats(), big), before, 'counters after polls with nothing to do')
      t.inject(3)
      t.send(60)
      for (let k = 0; k < 5; k++) napiSchedule(n)
      t.run(10 * MS)
      t.equal([t.received.length, t.cable.wire.length], [3, 1], 'frames received and sent among them')
      expectAlive(t, n)
    },
  },
  {
    id: 'NAPI-15',
    title: 'enables and disables its instances in turn',
    needs: ['napi'],
    run(t) {
      t.create()
      for (let k = 0; k < 5; k++) {
        t.up()
        t.inject(2)
        t.run(MS)
        t.down()
      }
      t.expect(
        !t.kernel.violations.some((v) => v.rule === 'NAPI-15'),
        'an instance was enabled or disabled twice in a row',
      )
    },
  },
  {
    id: 'NAPI-16',
    title: 'has a weight of at most 64',
    needs: ['napi'],
    run(t) {
      t.start()
      for (const n of napiList(t.dev)) t.expect(n.weight <= NAPI_POLL_WEIGHT, `a weight of ${n.weight}`)
    },
  },
  {
    id: 'NAPI-17',
    title: 'lets the softirq stop after 300 packets, and goes on later',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 256 })
      const others = [1, 2, 3, 4].map(() => new Neighbour(t))
      const taken = flood(t, others, 200)
      t.run(50 * MS)
      for (const other of others) other.leave()
      if (taken < 200) t.skip(`its ring takes ${taken} frames`)
      t.expect(softnet(t.kernel).timeSqueeze > 0, 'five busy instances counted no squeeze')
      t.equal(t.received.length, taken, 'frames received in the end')
      t.expect(
        others.every((other) => other.polls > 1),
        'another instance starved',
      )
    },
  },
  {
    id: 'NAPI-17',
    title: 'lets the softirq stop after two ticks',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 256 })
      eachFrame(t, () => udelay(t.kernel, 300))
      const taken = t.inject(200).filter(Boolean).length
      t.run(SECOND)
      if (queuedAgain(t)) return
      t.expect(softnet(t.kernel).timeSqueeze > 0, `${taken} frames of 300 us each counted no squeeze`)
      t.equal(t.received.length, taken, 'frames received in the end')
    },
  },
  {
    id: 'NAPI-18',
    title: 'shares the softirq with another busy instance',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 512 })
      const other = new Neighbour(t)
      const order: string[] = []
      t.kernel.trace.on('napi:napi_poll', (e) => {
        if (other.busy && Number(e.fields['work']) >= NAPI_POLL_WEIGHT - 1) order.push(e.subject)
        if (order.length >= 8) other.busy = false
      })
      const taken = flood(t, [other], 500)
      t.run(10 * MS)
      other.leave()
      if (taken < 4 * NAPI_POLL_WEIGHT) t.skip(`its ring takes ${taken} frames`)
      const mine = order.filter((name) => name === t.dev.name).length
      if (order.length < 8) t.skip(`both were busy for ${order.length} polls only`)
      t.expect(
        mine >= 3 && mine <= 5,
        `${mine} of the first 8 full polls were the device's: ${order.join(' ')}`,
      )
    },
  },
  {
    id: 'NAPI-19',
    title: 'leaves no instance behind',
    needs: ['napi'],
    run(t) {
      t.start()
      t.inject(3)
      t.run(MS)
      t.down()
      t.up()
      t.run(MS)
      t.destroy()
      const left = t.kernel.census
        .take()
        .filter((e) => e.kind === 'napi')
        .map((e) => e.name)
      t.equal(left, [], 'instances alive after the driver is gone')
    },
  },
  {
    id: 'NAPI-20',
    title: 'keeps the settings of an instance over down and up',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      n.groFlushTimeout = 123_000
      n.irqSuspendTimeout = 456_000
      const id = n.napiId
      t.down()
      t.up()
      const again = napiOf(t)
      t.equal(
        [again.groFlushTimeout, again.irqSuspendTimeout, again.napiId],
        [123_000, 456_000, id],
        'flush timeout, suspend timeout, id',
      )
    },
  },
  {
    id: 'NAPI-21',
    title: 'adds each instance once, and polls the one it added',
    needs: ['napi'],
    run(t) {
      t.start()
      t.expect(
        napiList(t.dev).length <= Math.max(t.dev.numRxQueues, t.dev.numTxQueues) * 2,
        'more instances than two a queue',
      )
      t.inject(1)
      t.run(MS)
      t.down()
      t.up()
      t.inject(1)
      t.run(MS)
      t.equal(t.received.length, 2, 'frames received')
      t.expect(
        !t.kernel.violations.some((v) => v.rule === 'NAPI-21'),
        'an instance was added twice or written over',
      )
    },
  },
]

function big(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value
}
