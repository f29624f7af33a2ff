import { ethtoolGetCoalesce, ethtoolSetCoalesce } from '@vnet/ethtool'
import {
  BUSY_POLL_BUDGET,
  devSetThreaded,
  napiBusyLoop,
  napiIsScheduled,
  napiList,
  napiResumeIrqs,
  napiSuspendIrqs,
} from '@vnet/napi'
import { netifCarrierOk } from '@vnet/netdev'
import type { Check } from '../check.ts'
import { frameNumber, testFrame } from '../frames.ts'
import { MS, SECOND, US, type Testbed } from '../testbed.ts'
import { napiOf, pollsOf } from './napi-kit.ts'

/** The interrupt lines of the device. */
function linesOf(t: Testbed): number[] {
  const mine = t.kernel.irq.list().filter((line) => line.name.includes(t.dev.name))
  if (mine.length === 0) t.skip('no interrupt line bears the name of the device')
  return mine.map((line) => line.irq)
}

/** Sets moderation, or skips the check when the driver cannot have it. */
function coalesce(t: Testbed, usecs: number, frames: number): void {
  t.kernel.rtnl.run(() => ethtoolSetCoalesce(t.dev, { rxCoalesceUsecs: usecs, rxMaxCoalescedFrames: frames }))
  const now = ethtoolGetCoalesce(t.dev)
  if (now.rxCoalesceUsecs !== usecs || now.rxMaxCoalescedFrames !== frames)
    t.skip('it rounds the moderation asked for')
}

/** Has `defer` empty polls and `timeoutNs` between them on every instance. */
function deferral(t: Testbed, defer: number, timeoutNs: number): void {
  for (const n of napiList(t.dev)) {
    n.deferHardIrqs = defer
    n.groFlushTimeout = timeoutNs
  }
}

/** Interrupts. @kernel none */
const lineChecks: readonly Check[] = [
  {
    id: 'IRQ-01',
    title: 'says of an interrupt without a cause that it is not its own',
    run(t) {
      t.start()
      t.run(MS)
      const answers: number[] = []
      t.kernel.trace.on('irq:irq_handler_exit', (e) => answers.push(Number(e.fields['ret'])))
      for (const line of linesOf(t)) {
        // A pulse as another card on the same line would send.
        t.kernel.hardware(() => t.kernel.irq.pulse(line))
      }
      t.run(MS)
      t.expect(answers.length > 0, 'the handler was not called')
      t.equal(answers.filter((ret) => ret !== 0).length, 0, 'times it claimed the interrupt of another card')
    },
  },
  {
    id: 'IRQ-02',
    title: 'acknowledges every cause, so that the line falls',
    run(t) {
      t.start()
      t.inject(3)
      t.send(60)
      t.run(MS)
      // Two causes at one moment.
      t.kernel.hardware(() => {
        t.cable.injectNow(testFrame(60, 9))
        t.cable.setLink(false)
      })
      t.run(MS)
      t.expect(!t.kernel.violations.some((v) => v.rule === 'IRQ-02'), 'an interrupt fired without end')
    },
  },
  {
    id: 'IRQ-03',
    title: 'gives its interrupt back, and none runs afterwards',
    run(t) {
      t.start()
      const lines = linesOf(t)
      t.down()
      const calls: string[] = []
      t.kernel.trace.on('irq:irq_handler_entry', (e) => calls.push(e.subject))
      for (const line of lines) t.kernel.hardware(() => t.kernel.irq.pulse(line))
      t.inject(2)
      t.run(MS)
      t.equal(calls, [], 'handlers called after closing')
    },
  },
  {
    id: 'IRQ-04',
    title: 'tells a change of the link from packets',
    needs: ['carrier', 'napi'],
    run(t) {
      t.start()
      t.run(MS)
      const polls = pollsOf(t)
      t.cable.setLink(false)
      t.run(MS)
      t.equal(
        [netifCarrierOk(t.dev), polls.length],
        [false, 0],
        'carrier, and polls, after the link went down',
      )
      t.cable.setLink(true)
      t.run(MS)
      t.equal([netifCarrierOk(t.dev), polls.length], [true, 0], 'carrier, and polls, after it came up')
      t.inject(1)
      t.run(MS)
      t.equal(t.received.length, 1, 'frames received afterwards')
    },
  },
]

/** Moderation by the card. @kernel none */
const cardChecks: readonly Check[] = [
  {
    id: 'COAL-01',
    title: 'interrupts when the time is over',
    needs: ['coalesce'],
    run(t) {
      t.start()
      coalesce(t, 100, 8)
      t.inject(1)
      t.run(90 * US)
      t.equal(t.received.length, 0, 'frames received 90 us after one came, with 100 us or 8 frames')
      t.run(20 * US)
      t.equal(t.received.length, 1, 'frames received after 110 us')
    },
  },
  {
    id: 'COAL-01',
    title: 'interrupts when the number of frames is reached',
    needs: ['coalesce'],
    run(t) {
      t.start()
      coalesce(t, 100, 4)
      t.inject(3)
      t.run(5 * US)
      t.equal(t.received.length, 0, 'frames received 5 us after 3 came, with 100 us or 4 frames')
      t.inject(testFrame(60, 3))
      t.run(5 * US)
      t.equal(t.received.map(frameNumber), [0, 1, 2, 3], 'frames received when the fourth came')
    },
  },
  {
    id: 'COAL-02',
    title: 'refuses moderation that would never interrupt',
    needs: ['coalesce'],
    run(t) {
      t.start()
      const set = (rxCoalesceUsecs: number, rxMaxCoalescedFrames: number): void => {
        t.kernel.rtnl.run(() => ethtoolSetCoalesce(t.dev, { rxCoalesceUsecs, rxMaxCoalescedFrames }))
      }
      coalesce(t, 0, 1)
      t.equal(
        t.errnoOf(() => set(0, 0)),
        'EINVAL',
        '0 us and 0 frames',
      )
      const left = ethtoolGetCoalesce(t.dev)
      t.equal([left.rxCoalesceUsecs, left.rxMaxCoalescedFrames], [0, 1], 'what is left')
      t.inject(1)
      t.run(10 * US)
      t.equal(t.received.length, 1, 'frames received at once with 0 us and 1 frame, which is off')
    },
  },
]

/** Deferral and busy polling. @kernel none */
const pollChecks: readonly Check[] = [
  {
    id: 'COAL-03',
    title: 'waits so many empty polls on a timer before it unmasks',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      const polls = pollsOf(t)
      deferral(t, 3, 200 * US)
      t.inject(1)
      t.run(10 * MS)
      // One with work, then one at each of the three timeouts: the first counts as the poll with work put the timer up.
      t.equal(
        [polls.filter((p) => p.work > 0).length, n.stats.timerFired],
        [1, 3],
        'polls with work, and polls on the timer',
      )
      const before = n.stats.timerFired
      t.inject(1)
      t.run(100 * US)
      t.equal(
        [t.received.length, n.stats.timerFired - before],
        [2, 0],
        'frames received, after interrupts were back, and timers until then',
      )
    },
  },
  ...(
    [
      ['a timeout', 0, 200 * US],
      ['a number of polls', 3, 0],
    ] as const
  ).map(([what, defer, timeout]): Check => ({
    id: 'COAL-04',
    title: `does not defer interrupts with ${what} alone`,
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      deferral(t, defer, timeout)
      for (let k = 0; k < 3; k++) {
        t.inject(1)
        t.run(20 * US)
      }
      t.equal([t.received.length, n.stats.deferred], [3, 0], 'frames received at once, and deferrals')
    },
  })),
  {
    id: 'COAL-05',
    title: 'is polled by the deferral timer without owing another poll',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      deferral(t, 2, 200 * US)
      t.inject(1)
      t.run(10 * MS)
      t.equal(n.stats.missed, 0, 'schedules noted as missed')
      t.expect(!napiIsScheduled(n), 'the instance is still owned')
    },
  },
  {
    id: 'COAL-06',
    title: 'keeps interrupts masked while an application busy polls, until it finds nothing',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      deferral(t, 1, 50 * US)
      n.irqSuspendTimeout = 20 * MS
      const interrupts = t.card('interrupts')
      t.inject(1)
      t.run(10 * US)
      const before = interrupts()
      let found = 0
      for (let round = 0; round < 5; round++) {
        t.inject(2)
        found += napiBusyLoop(n, () => true, BUSY_POLL_BUDGET, true)
        napiSuspendIrqs(n)
        t.run(MS)
      }
      t.equal([found, interrupts() - before], [10, 0], 'frames found by busy polls, and interrupts meanwhile')
      napiResumeIrqs(n)
      t.run(10 * MS)
      t.inject(1)
      t.run(MS)
      // One for the frame; one more where the causes of the frames found by polling still stood.
      const after = interrupts() - before
      t.equal(
        [t.received.length, after > 0 && after <= 2],
        [12, true],
        'frames received in all, and one or two interrupts after it went to sleep',
      )
    },
  },
  {
    id: 'COAL-06',
    title: 'has its interrupts back when the application does not return',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      deferral(t, 1, 50 * US)
      n.irqSuspendTimeout = 5 * MS
      t.inject(1)
      t.run(10 * US)
      napiBusyLoop(n, () => true, BUSY_POLL_BUDGET, true)
      napiSuspendIrqs(n)
      t.run(MS)
      t.inject(3)
      t.run(SECOND)
      t.equal(t.received.length, 4, 'frames received')
    },
  },
  {
    id: 'COAL-07',
    title: 'receives within a budget of 8 when an application polls it',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      const polls = pollsOf(t)
      let rounds = 0
      t.kernel.hardware(() => undefined)
      const found = napiBusyLoop(n, () => {
        if (rounds === 0) t.cable.inject(...Array.from({ length: 20 }, (_, k) => testFrame(60, k)))
        return ++rounds > 10
      })
      t.equal([found, t.received.length], [20, 20], 'frames found by the busy loop, and received')
      t.expect(
        polls.every((p) => p.work <= p.budget),
        'a poll did more than its budget',
      )
      t.equal(Math.max(...polls.map((p) => p.budget)), BUSY_POLL_BUDGET, 'the largest budget')
    },
  },
  {
    id: 'COAL-08',
    title: 'works the same with a thread for each instance',
    needs: ['napi'],
    run(t) {
      const dev = t.start({ rxRing: 256 })
      const n = napiOf(t)
      devSetThreaded(napiList(dev), true)
      const taken = t.inject(65).filter(Boolean).length
      t.sendMany(5)
      t.run(10 * MS)
      t.equal([t.received.length, t.cable.wire.length], [taken, 5], 'frames received and sent')
      t.expect(t.stats().txPackets === 5n, 'sent frames were not taken back')
      const names = t.kernel.kthreads.map((k) => k.name)
      t.expect(
        names.includes(`napi/${dev.name}-${n.napiId}`),
        `no thread named after device and instance: ${names.join()}`,
      )
      devSetThreaded(napiList(dev), false)
      t.inject(1)
      t.run(MS)
      t.equal(
        [t.received.length, t.kernel.kthreads.length],
        [taken + 1, 0],
        'frames received, and threads, afterwards',
      )
    },
  },
]

/** Interrupts and their moderation. @kernel none */
export const irqChecks: readonly Check[] = [...lineChecks, ...cardChecks, ...pollChecks]
