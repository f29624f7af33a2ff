import { Errno } from '@vnet/kernel'
import {
  Iff,
  IfOper,
  LinkState,
  netifCarrierOk,
  netifRunning,
  registerNetdeviceNotifier,
  type NetDeviceOps,
} from '@vnet/netdev'
import type { Check } from '../check.ts'
import { MS, SECOND, type Testbed } from '../testbed.ts'
import { beforeOps, onStep, replace, watch, wrapOps, type Step } from './observe.ts'

/** A device that works: frames pass both ways. */
function works(t: Testbed, when: string): void {
  const [sent, got] = [t.cable.wire.length, t.received.length]
  t.sendMany(4)
  t.inject(4)
  t.run(100 * MS)
  t.equal([t.cable.wire.length - sent, t.received.length - got], [4, 4], `frames sent and received ${when}`)
}

/** Fails unless the steps that were seen came in this order. */
export function inOrder(t: Testbed, seen: readonly string[], wanted: readonly string[], what: string): void {
  const firsts = wanted.filter((step) => seen.includes(step))
  const order = [...firsts].sort((a, b) => seen.indexOf(a) - seen.indexOf(b))
  t.equal(order, firsts, what)
}

/** Makes the driver refuse at one step of opening, by name, until the returned function is called. */
function refuse(t: Testbed, step: string): () => void {
  const fail = (): never => {
    throw new Errno('EPERM')
  }
  if (step.startsWith('NETDEV')) {
    return registerNetdeviceNotifier(t.kernel, (event) => {
      if (event === step) fail()
    })
  }
  const { ops } = t.dev
  wrapOps(t.dev, () => ({ [step]: fail }))
  return () => Object.assign(t.dev, { ops })
}

/** The places an opening can fail at: the interrupt, each allocation. Each returns what ends the fault. */
const FAULTS: Readonly<Record<string, (t: Testbed, at: number) => () => void>> = {
  'the interrupt': (t, at) => {
    let left = at
    return replace(t.kernel.irq, 'request', (old) => (irq, action) => {
      if (left-- === 0) throw new Errno('EBUSY')
      old(irq, action)
    })
  },
  'an allocation': (t, at) => {
    let left = at
    return replace(t.kernel.mem, 'alloc', (old) => (bytes, align) => {
      if (left-- === 0) throw new Errno('ENOMEM')
      return old(bytes, align)
    })
  },
  'a receive buffer': (t, at) => {
    let left = at
    const set = t.dut.card?.failAlloc?.bind(t.dut.card)
    set?.(() => left-- === 0)
    return () => set?.(null)
  },
}

const alive = (t: Testbed): string[] => t.alive().map((e) => `${e.kind} ${e.name}`)

/** Opening. @kernel none */
export const openChecks: readonly Check[] = [
  {
    id: 'OPEN-01',
    title: 'is opened in the order of the core, and is not running when a step fails',
    run(t) {
      const dev = t.create()
      for (const step of ['NETDEV_PRE_UP', 'ndoValidateAddr', 'ndoOpen']) {
        const stop = refuse(t, step)
        t.equal(
          t.errnoOf(() => t.up()),
          'EPERM',
          `error when ${step} refuses`,
        )
        t.equal(
          [netifRunning(dev), dev.flags & Iff.UP],
          [false, 0],
          `running and IFF_UP when ${step} refused`,
        )
        stop()
      }
      const log: string[] = []
      registerNetdeviceNotifier(t.kernel, (event) => log.push(event))
      log.length = 0
      const calls: readonly (keyof NetDeviceOps<any>)[] = ['ndoValidateAddr', 'ndoOpen', 'ndoSetRxMode']
      wrapOps(dev, (ops) => ({
        ndoOpen: (on: typeof dev) => {
          ops.ndoOpen?.(on)
          log.push('opened')
        },
      }))
      beforeOps(dev, calls, (name) => log.push(name))
      watch(dev, 'state', (now, before) => {
        if ((now & ~before & LinkState.START) !== 0) log.push('running')
      })
      watch(dev, 'flags', (now, before) => {
        if ((now & ~before & Iff.UP) !== 0) log.push('flag up')
      })
      t.up()
      const wanted = [
        'NETDEV_PRE_UP',
        'running',
        'ndoValidateAddr',
        'ndoOpen',
        'opened',
        'flag up',
        'ndoSetRxMode',
        'NETDEV_UP',
      ]
      const has = (step: string): boolean => !calls.includes(step as never) || step in dev.ops
      t.equal(
        log.filter((step) => wanted.includes(step)),
        wanted.filter(has),
        'order of opening',
      )
    },
  },
  {
    id: 'OPEN-02',
    title: 'is ready for an interrupt the moment it asks for it',
    run(t) {
      t.create()
      let fired = 0
      replace(t.kernel.irq, 'request', (old) => (irq, action) => {
        old(irq, action)
        fired++
        t.kernel.irq.pulse(irq)
      })
      t.up()
      if (fired === 0) t.skip('it has no interrupt')
      t.down()
      t.up()
      works(t, 'after interrupts that came too early')
    },
  },
  {
    id: 'OPEN-03',
    title: 'has receive buffers in the ring before it receives',
    needs: ['rxRing'],
    run(t) {
      const dev = t.create()
      let buffers = 0
      const probe = (): boolean => {
        if (buffers++ < 3) t.inject(1)
        return false
      }
      t.card('failAlloc')(probe)
      onStep(t, probe)
      t.up()
      t.inject(1)
      t.run(10 * MS)
      t.equal(t.stats().rxMissedErrors, 0n, 'frames missed while opening')
      t.equal(t.received.length, t.cable.taken, `frames received of those ${dev.name} took`)
      t.expect(t.cable.taken > 0, 'the frame right after opening was not taken')
    },
  },
  {
    id: 'OPEN-04',
    title: 'opens in order: interrupt, NAPI, queues; nothing it takes in between is lost',
    run(t) {
      t.start()
      t.down()
      const steps: Step[] = []
      onStep(t, (step) => {
        steps.push(step)
        t.inject(1)
      })
      t.up()
      t.run(10 * MS)
      inOrder(t, steps, ['irq on', 'napi on', 'queues on'], 'order of opening')
      t.equal(t.received.length, t.cable.taken, 'frames received of those taken while opening')
    },
  },
  {
    id: 'OPEN-05',
    title: 'undoes an opening that fails half way, and can be opened later',
    run(t) {
      t.create({ rxRing: 8, txRing: 8 })
      for (const [what, inject] of Object.entries(FAULTS)) {
        for (let at = 0; at < 4; at++) {
          const before = alive(t)
          const stop = inject(t, at)
          const code = t.errnoOf(() => t.up())
          stop()
          if (code === 'none') t.down()
          else t.equal(alive(t), before, `alive after opening without ${what} (number ${at + 1})`)
        }
      }
      t.up()
      works(t, 'after openings that failed')
    },
  },
  {
    id: 'OPEN-06',
    title: 'keeps its counters when it is opened',
    run(t) {
      t.start()
      t.sendMany(5)
      t.inject(5)
      t.run(10 * MS)
      t.down()
      const before = t.stats()
      t.up()
      t.run(10 * MS)
      const now = t.stats()
      t.equal(
        [now.txPackets, now.rxPackets],
        [before.txPackets, before.rxPackets],
        'packets after opening again',
      )
      t.equal([now.txPackets, now.rxPackets], [5n, 5n], 'packets sent and received')
    },
  },
  {
    id: 'OPEN-07',
    title: 'opens with carrier off when the other end is down',
    needs: ['carrier'],
    run(t) {
      const dev = t.create()
      t.cable.setLink(false)
      t.up()
      t.run(2 * SECOND)
      t.expect(!netifCarrierOk(dev), 'the carrier is on')
      t.expect(dev.operstate !== IfOper.UP, 'its state is UP')
      t.cable.setLink(true)
      t.run(2 * SECOND)
      t.expect(netifCarrierOk(dev) && dev.operstate === IfOper.UP, 'it does not come up with the cable')
    },
  },
]
