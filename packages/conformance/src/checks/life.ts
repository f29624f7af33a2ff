import { Errno } from '@vnet/kernel'
import {
  Iff, allocEtherdevMqs, devClose, devGetByName, devGetStats, devOpen, devSetMtu, devValidName, freeNetdev, netdevHold, netdevPut, registerNetdev,
  registerNetdeviceNotifier, unregisterNetdev, type NetDevice, type NetDeviceOps, type RegState,
} from '@vnet/netdev' // prettier-ignore
import type { Kernel } from '@vnet/kernel'
import type { Check } from '../check.ts'
import { frameNumber, testFrame } from '../frames.ts'
import { MS, SECOND } from '../testbed.ts'
import { beforeOps, reported, watch } from './observe.ts'

/** A device of the kit, to drive the core with. */
function bareDevice(
  kernel: Kernel,
  ops: Partial<NetDeviceOps<object>> = {},
  name = 'kit%d',
): NetDevice<object> {
  return allocEtherdevMqs<object>(kernel, { name, ops: { ndoStartXmit: () => 0, ...ops }, priv: () => ({}) })
}

/** Takes a device to a state of its life. */
const TO_STATE: Readonly<Record<Exclude<RegState, 'unregistering'>, (dev: NetDevice<object>) => void>> = {
  uninitialized: () => {},
  registered: registerNetdev,
  unregistered: (dev) => {
    registerNetdev(dev)
    unregisterNetdev(dev)
  },
  released: freeNetdev,
}

/** The life of a device. @kernel none */
export const lifeChecks: readonly Check[] = [
  {
    id: 'LIFE-01',
    title: 'can be opened and used as soon as it is registered',
    run(t) {
      let done = false
      registerNetdeviceNotifier(t.kernel, (event, dev) => {
        if (event !== 'NETDEV_REGISTER' || done) return
        done = true
        devOpen(dev)
        t.send(60, 7, dev)
      })
      t.create()
      t.expect(done, 'no NETDEV_REGISTER was sent')
      t.run(SECOND)
      t.equal(t.cable.wire.map(frameNumber), [7], 'frames sent inside NETDEV_REGISTER')
      t.inject(testFrame(60, 8))
      t.run(SECOND)
      t.equal(t.received.map(frameNumber), [8], 'frames received')
    },
  },
  {
    id: 'LIFE-02',
    title: 'passes on the real error when it cannot be registered, and leaves nothing',
    run(t) {
      for (const refused of ['NETDEV_POST_INIT', 'NETDEV_REGISTER'] as const) {
        const stop = registerNetdeviceNotifier(t.kernel, (event) => {
          if (event === refused) throw new Errno('EXDEV')
        })
        t.equal(
          t.errnoOf(() => t.create()),
          'EXDEV',
          `error when ${refused} is refused`,
        )
        stop()
        t.equal(t.alive(), [], `alive after ${refused} was refused`)
      }
      t.start()
      t.send()
      t.run(SECOND)
      t.equal(t.cable.wire.length, 1, 'frames of the device registered after that')
    },
  },
  {
    id: 'LIFE-03',
    title: 'is stopped exactly once when it is unregistered while up, and stays while someone holds it',
    run(t) {
      const dev = t.start()
      const log: string[] = []
      beforeOps(dev, ['ndoStop'], (name) => log.push(name))
      t.sendMany(4)
      netdevHold(dev)
      t.destroy()
      t.equal(log, ['ndoStop'], 'operations called')
      t.equal(dev.regState, 'unregistering', 'state while it is held')
      netdevPut(dev)
      t.equal(dev.regState, 'released', 'state when it is let go')
    },
  },
  {
    id: 'LIFE-04',
    title: 'cannot be acted on after it was unregistered',
    run(t) {
      const dev = t.start()
      netdevHold(dev)
      t.destroy()
      const called: string[] = []
      beforeOps(dev, ['ndoOpen', 'ndoStop', 'ndoChangeMtu'], (name) => called.push(name))
      for (const [what, act] of [
        ['devOpen', () => devOpen(dev)],
        ['devClose', () => devClose(dev)],
        ['devSetMtu', () => devSetMtu(dev, 1000)],
      ] as const) {
        t.equal(
          t.errnoOf(() => t.kernel.rtnl.run(act)),
          'ENODEV',
          `error of ${what}`,
        )
      }
      t.equal(called, [], 'operations called')
      netdevPut(dev)
    },
  },
  {
    id: 'LIFE-05',
    title: 'is freed once, after it was unregistered',
    run(t) {
      const dev = t.start()
      t.destroy()
      t.equal(dev.regState, 'released', 'state')
      const early = reported((kernel) => {
        const device = bareDevice(kernel)
        registerNetdev(device)
        freeNetdev(device)
      })
      const twice = reported((kernel) => {
        const device = bareDevice(kernel)
        freeNetdev(device)
        freeNetdev(device)
      })
      t.equal([early, twice], [['LIFE-05'], ['LIFE-05']], 'reported for freeing too early, and twice')
    },
  },
  {
    id: 'LIFE-06',
    title: 'goes through the states of its life one way',
    run(t) {
      const dev = t.start()
      const states: string[] = []
      watch(dev, 'regState', (state) => states.push(state))
      t.destroy()
      t.equal(states, ['unregistering', 'unregistered', 'released'], 'states')
      for (const [state, bring] of Object.entries(TO_STATE)) {
        const wrong = (act: (dev: NetDevice<object>) => void): string[] =>
          reported((kernel) => {
            const device = bareDevice(kernel)
            bring(device)
            t.errnoOf(() => act(device))
          })
        t.equal(
          wrong(registerNetdev),
          state === 'uninitialized' ? [] : ['LIFE-06'],
          `registering when ${state}`,
        )
        t.equal(
          wrong(unregisterNetdev),
          state === 'registered' ? [] : ['LIFE-06'],
          `unregistering when ${state}`,
        )
      }
    },
  },
  {
    id: 'LIFE-07',
    title: 'runs ndoInit once, before it is visible, and not ndoUninit if that failed',
    run(t) {
      const dev = t.create()
      const log: string[] = []
      beforeOps(dev, ['ndoInit'], (name) => log.push(name))
      t.up()
      t.down()
      t.up()
      t.equal(log, [], 'operations called after registering')
      const kit = bareDevice(t.kernel, {
        ndoInit: (d) => {
          log.push(devGetByName(t.kernel, d.name) === undefined ? 'ndoInit' : 'ndoInit of a visible device')
          throw new Errno('ENXIO')
        },
        ndoUninit: () => log.push('ndoUninit'),
      })
      t.equal(
        t.errnoOf(() => registerNetdev(kit)),
        'ENXIO',
        'error of registering',
      )
      t.equal(log, ['ndoInit'], 'operations called')
      freeNetdev(kit)
    },
  },
  {
    id: 'LIFE-08',
    title: 'runs ndoUninit once, after it was closed',
    run(t) {
      const dev = t.start()
      const log: string[] = []
      beforeOps(dev, ['ndoStop', 'ndoUninit'], (name) => log.push(name))
      t.down()
      t.up()
      t.down()
      t.destroy()
      const wanted = dev.ops.ndoUninit === undefined ? [] : ['ndoUninit']
      t.equal(log, ['ndoStop', 'ndoStop', ...wanted], 'operations called')
      const kit = bareDevice(t.kernel, {
        ndoOpen: () => log.push('open'),
        ndoStop: () => log.push('stop'),
        ndoUninit: () => log.push('uninit'),
      })
      log.length = 0
      registerNetdev(kit)
      t.kernel.rtnl.run(() => devOpen(kit))
      unregisterNetdev(kit)
      freeNetdev(kit)
      t.equal(log, ['open', 'stop', 'uninit'], 'operations of a device of the kit')
    },
  },
  {
    id: 'LIFE-09',
    title: 'has a valid name, with the lowest free number',
    run(t) {
      const first = t.create().name
      const pattern = /^(.*?)(\d+)$/.exec(first)
      t.expect(devValidName(first), `'${first}' is no name`)
      const second = t.another()
      if (pattern !== null) {
        const name = (n: number): string => `${pattern[1]}${n}`
        t.equal(first, name(0), 'name of the first')
        t.equal(second.dut.dev.name, name(1), 'name of the second')
        t.equal(t.another().dut.dev.name, name(2), 'name of the third')
        t.takeAway(second.dut)
        t.equal(t.another().dut.dev.name, name(1), 'name when number 1 is free again')
      }
      for (const bad of ['', '.', '..', 'a/b', 'a:b', 'a b', 'sixteencharacter', 'a%d%d', 'a%s', '%']) {
        const kit = bareDevice(t.kernel, {}, bad)
        t.equal(
          t.errnoOf(() => registerNetdev(kit)),
          'EINVAL',
          `error for the name '${bad}'`,
        )
        freeNetdev(kit)
      }
    },
  },
  {
    id: 'LIFE-10',
    title: 'has an interface index of its own',
    run(t) {
      t.create()
      const all = [t.dev, t.another().dut.dev, t.another().dut.dev].map((dev) => dev.ifindex)
      t.expect(
        all.every((index) => Number.isInteger(index) && index > 0),
        `indexes ${all.join(', ')}`,
      )
      t.equal(new Set(all).size, 3, `different indexes among ${all.join(', ')}`)
    },
  },
  {
    id: 'LIFE-11',
    title: 'keeps its private data as long as the device lives, and then leaves nothing',
    run(t) {
      const dev = t.start()
      t.sendMany(8)
      t.inject(8)
      t.run(10 * MS)
      netdevHold(dev)
      const { txPackets } = t.stats()
      t.destroy()
      t.equal(devGetStats(dev).txPackets, txPackets, 'txPackets read by one who holds it after unregistering')
      netdevPut(dev)
      t.run(2 * SECOND)
      // Packets have a rule of their own (SKB-06).
      t.equal(
        t.alive().filter((e) => e.kind !== 'skb'),
        [],
        'alive',
      )
    },
  },
  {
    id: 'LIFE-12',
    title: 'keeps the state of two devices apart',
    run(t) {
      const dev = t.start()
      const { dut, cable } = t.another()
      t.kernel.rtnl.run(() => devOpen(dut.dev))
      t.sendMany(8)
      t.inject(8)
      t.run(10 * MS)
      t.equal([t.cable.wire.length, cable.wire.length], [8, 0], 'frames on the two wires')
      const { txPackets, txBytes, rxPackets, rxBytes } = devGetStats(dut.dev)
      t.equal([txPackets, txBytes, rxPackets, rxBytes], [0n, 0n, 0n, 0n], 'counters of the idle device')
      t.down()
      t.expect((dut.dev.flags & Iff.UP) !== 0, `${dut.dev.name} went down with ${dev.name}`)
      t.send(60, 1, dut.dev)
      t.run(10 * MS)
      t.equal(cable.wire.length, 1, 'frames of the second when the first is down')
    },
  },
]
