import { ethtoolSetRingparam } from '@vnet/ethtool'
import { onAnotherCpu } from '@vnet/kernel'
import { devSetMtu, netifCarrierOk, netifRunning, netifTxQueueStopped } from '@vnet/netdev'
import type { Check } from '../check.ts'
import { MS, SECOND, US } from '../testbed.ts'
import { beforeOps, count, fill, noLimit, onStep } from './observe.ts'
import { inOrder } from './open.ts'

/** What must not be pending in a device that is down. */
const ACTIVE = ['timer', 'hrtimer', 'hwevent', 'work', 'irq', 'kthread']

/** Stopping. @kernel none */
export const stopChecks: readonly Check[] = [
  {
    id: 'STOP-01',
    title: 'neither sends nor receives when it is down, and nothing of it is pending',
    run(t) {
      const dev = t.start()
      t.sendMany(20)
      t.inject(20)
      t.down()
      const active = t.alive().filter((e) => ACTIVE.includes(e.kind))
      t.equal(active, [], 'pending after stopping')
      const [sent, got] = [t.cable.wire.length, t.received.length]
      const events: string[] = []
      t.kernel.trace.on('*', (e) => {
        if (e.subject.includes(dev.name)) events.push(`${e.name} ${e.subject}`)
      })
      t.inject(4)
      t.run(600 * SECOND)
      t.equal(
        [t.cable.wire.length - sent, t.received.length - got],
        [0, 0],
        'frames sent and received when down',
      )
      t.equal(events, [], 'events in ten minutes')
    },
  },
  {
    id: 'STOP-02',
    title: 'waits for a running ndoStartXmit before it takes anything away from it',
    needs: ['txRing', 'ringparam'],
    run(t) {
      const dev = t.start({ txRing: 16 })
      noLimit(dev)
      let blocked = 0
      let went = 0
      t.kernel.preemptHook = (point) => {
        if (!dev.txq[0]!.xmitLocked || blocked + went > 0) return
        for (const act of [() => ethtoolSetRingparam(dev, { txPending: 32 }), () => devSetMtu(dev, 1000)]) {
          try {
            onAnotherCpu(t.kernel, () => t.kernel.rtnl.run(act))
            went++
          } catch (error) {
            t.equal((error as Error).name, 'ScheduleBlocked', `what ended the reconfiguration at ${point}`)
            t.brokeOff = true
            blocked++
          }
        }
      }
      fill(t)
      t.kernel.preemptHook = null
      if (blocked + went === 0) t.skip('its ndoStartXmit has no preemption point')
      t.equal(went, 0, 'reconfigurations that did not wait')
    },
  },
  {
    id: 'STOP-03',
    title: 'stops in order: receiving, queues, carrier, NAPI, then the rings are emptied',
    run(t) {
      t.start()
      t.dut.card?.slow?.(MS)
      noLimit(t.dev)
      t.sendMany(10)
      const steps: string[] = []
      const { missed, taken } = t.cable
      onStep(t, (step) => {
        steps.push(step)
        t.cable.injectNow(new Uint8Array(60).fill(0xff))
      })
      t.kernel.trace.on('skb:*', () => steps.push('rings emptied'))
      t.down()
      if (t.supports.carrier === true) t.expect(!netifCarrierOk(t.dev), 'the carrier is still on')
      inOrder(t, steps, ['queues off', 'carrier off', 'napi off', 'rings emptied'], 'order of stopping')
      t.equal(t.cable.taken - taken, 0, `frames taken while stopping, of ${t.cable.missed - missed}`)
    },
  },
  {
    id: 'STOP-04',
    title: 'frees what is in its rings when it stops',
    run(t) {
      t.start({ txRing: 16, rxRing: 16 })
      t.dut.card?.slow?.(MS)
      noLimit(t.dev)
      t.sendMany(100)
      t.run(10 * US)
      t.inject(8)
      t.down()
      t.equal(count(t.alive(), 'skb'), 0, 'packets alive when down')
      const { length } = t.cable.wire
      t.up()
      t.run(SECOND)
      t.equal(t.cable.wire.length, length, 'old frames sent by the next opening')
    },
  },
  {
    id: 'STOP-05',
    title: 'is not running any more when it is told to stop',
    run(t) {
      const dev = t.start()
      const running: boolean[] = []
      beforeOps(dev, ['ndoStop'], () => running.push(netifRunning(dev)))
      t.down()
      t.equal(running, [false], 'netifRunning in ndoStop')
    },
  },
  {
    id: 'STOP-06',
    title: 'goes up and down 1,000 times under traffic without a leak, a stall or a counter going back',
    run(t) {
      t.create({ txRing: 8, rxRing: 2 })
      const alive = t.alive().length
      let before = t.stats()
      for (let n = 0; n < 1000; n++) {
        t.up()
        t.sendMany(2)
        t.inject(1)
        if (n % 4 !== 0) t.run(20 * US)
        t.down()
        if (n % 10 !== 0) continue
        const now = t.stats()
        t.expect(
          now.txPackets >= before.txPackets && now.rxPackets >= before.rxPackets,
          `counters went back in round ${n}`,
        )
        before = now
      }
      t.equal(t.alive().length, alive, 'things alive')
      t.up()
      noLimit(t.dev)
      const [sent, got] = [t.cable.wire.length, t.received.length]
      t.sendMany(30)
      t.inject(1)
      t.run(100 * MS)
      t.equal(
        [t.cable.wire.length - sent, t.received.length - got],
        [30, 1],
        'frames sent and received at last',
      )
      t.expect(!netifTxQueueStopped(t.dev.txq[0]!), 'the queue is stopped')
    },
  },
]
