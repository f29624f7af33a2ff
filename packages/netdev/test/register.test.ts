import { createKernel, Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  allocEtherdevMqs,
  devChangeCarrier,
  devChangeName,
  devClose,
  devGetByIndex,
  devGetByName,
  devGetStats,
  devMcAdd,
  devOpen,
  devQueueXmit,
  devSetAllmulti,
  devSetMacAddress,
  devSetMtu,
  devSetPromiscuity,
  devUcAdd,
  forEachNetdev,
  freeNetdev,
  netdevHold,
  netdevPut,
  type NapiHandle,
  NET_XMIT_SUCCESS,
  type NetDevice,
  registerNetdev,
  registerNetdevice,
  registerNetdeviceNotifier,
  unregisterNetdev,
} from '../src/index.ts'
import { allocDev, frame, liveSkbs, logTexts, makeDev, reported, rules, sink } from './helpers.ts'

function code(fn: () => void): string {
  try {
    fn()
  } catch (error) {
    if (error instanceof Errno) return error.code
    throw error
  }
  return 'ok'
}

describe('registering', () => {
  it('LIFE-01 lets a listener open the device and send inside NETDEV_REGISTER', () => {
    const kernel = createKernel()
    const sent: number[] = []
    registerNetdeviceNotifier(kernel, (event, dev) => {
      if (event !== 'NETDEV_REGISTER') return
      devOpen(dev)
      sent.push(devQueueXmit(frame(dev)))
    })
    registerNetdev(allocDev(kernel))
    expect(sent).toEqual([NET_XMIT_SUCCESS])
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('LIFE-02 a listener that refuses undoes everything and its error comes out', () => {
    const kernel = createKernel()
    const log: string[] = []
    const dev = allocDev(kernel, {
      ndoInit: () => void log.push('init'),
      ndoUninit: () => void log.push('uninit'),
    })
    const stop = registerNetdeviceNotifier(kernel, (event) => {
      if (event === 'NETDEV_REGISTER') throw new Errno('ENOMEM')
    })
    expect(code(() => registerNetdev(dev))).toBe('ENOMEM')
    expect(log).toEqual(['init', 'uninit'])
    expect(forEachNetdev(kernel)).toEqual([])
    expect(dev.regState).toBe('unregistered')
    freeNetdev(dev)
    stop()
    registerNetdev(allocDev(kernel))
    expect(forEachNetdev(kernel).map((d) => d.name)).toEqual(['test0'])
  })

  it('LIFE-02 LIFE-07 a failing ndoInit aborts with its own error; ndoUninit is not called and a second try works', () => {
    const kernel = createKernel()
    const log: string[] = []
    let fail = true
    const dev = allocDev(kernel, {
      ndoInit: () => {
        log.push('init')
        if (fail) throw new Errno('EIO')
      },
      ndoUninit: () => void log.push('uninit'),
    })
    expect(code(() => registerNetdev(dev))).toBe('EIO')
    expect(log).toEqual(['init'])
    expect(dev.regState).toBe('uninitialized')
    expect(dev.name).toBe('test%d')
    fail = false
    registerNetdev(dev)
    expect(dev.name).toBe('test0')
  })

  it('LIFE-02 a taken name or index refuses the device and runs ndoUninit only after ndoInit', () => {
    const { kernel, dev } = makeDev({}, { name: 'eth0', down: true })
    const log: string[] = []
    const ops = { ndoInit: () => void log.push('init'), ndoUninit: () => void log.push('uninit') }
    expect(code(() => registerNetdev(allocDev(kernel, ops, { name: 'eth0' })))).toBe('EEXIST')
    expect(log).toEqual([])
    const second = allocDev(kernel, ops)
    second.ifindex = dev.ifindex
    expect(code(() => registerNetdev(second))).toBe('EBUSY')
    expect(log).toEqual(['init', 'uninit'])
    expect(second.regState).toBe('uninitialized')
  })

  it('LIFE-07 ndoInit runs before anyone can find the device', () => {
    const kernel = createKernel()
    let found: unknown = 'unset'
    registerNetdev(allocDev(kernel, { ndoInit: (dev) => void (found = devGetByName(kernel, dev.name)) }))
    expect(found).toBeUndefined()
    expect(devGetByName(kernel, 'test0')?.ifindex).toBe(devGetByIndex(kernel, 1)?.ifindex)
  })

  it('LIFE-06 registering twice is reported', () => {
    const { kernel, dev } = makeDev({}, { options: { strict: false }, down: true })
    expect(code(() => registerNetdev(dev))).toBe('EEXIST')
    expect(rules(kernel)).toEqual(['LIFE-06'])
  })

  it('LIFE-06 every wrong pair of state and step is reported', () => {
    const states: Record<string, (dev: NetDevice<any>) => void> = {
      uninitialized: () => {},
      registered: (dev) => registerNetdev(dev),
      unregistering: (dev) => {
        registerNetdev(dev)
        netdevHold(dev)
        unregisterNetdev(dev)
      },
      unregistered: (dev) => {
        registerNetdev(dev)
        unregisterNetdev(dev)
      },
      released: (dev) => freeNetdev(dev),
    }
    const steps: Record<string, (dev: NetDevice<any>) => void> = {
      register: registerNetdev,
      unregister: unregisterNetdev,
      free: freeNetdev,
    }
    const found: Record<string, string[]> = {}
    for (const [state, reach] of Object.entries(states)) {
      for (const [step, run] of Object.entries(steps)) {
        const kernel = createKernel({ strict: false })
        const dev = allocDev(kernel)
        reach(dev)
        expect(dev.regState).toBe(state)
        code(() => run(dev))
        found[`${state} ${step}`] = rules(kernel)
      }
    }
    expect(found).toEqual({
      'uninitialized register': [],
      'uninitialized unregister': ['LIFE-06'],
      'uninitialized free': [],
      'registered register': ['LIFE-06'],
      'registered unregister': [],
      'registered free': ['LIFE-05'],
      'unregistering register': ['LIFE-06'],
      'unregistering unregister': ['LIFE-06'],
      'unregistering free': [],
      'unregistered register': ['LIFE-06'],
      'unregistered unregister': ['LIFE-06'],
      'unregistered free': [],
      'released register': ['LIFE-06'],
      'released unregister': ['LIFE-06'],
      'released free': ['LIFE-05'],
    })
  })

  it('CTX-01 registering without rtnl is reported', () => {
    const kernel = createKernel()
    expect(reported(() => registerNetdevice(allocDev(kernel)))).toBe('CTX-01')
  })

  it('refuses impossible queue counts', () => {
    const kernel = createKernel()
    for (const txqs of [0, -1, 1.5, 4097]) {
      expect(code(() => allocEtherdevMqs(kernel, { name: 'a%d', ops: sink, priv: () => ({}), txqs }))).toBe(
        'EINVAL',
      )
    }
  })
})

describe('unregistering', () => {
  it('LIFE-03 stops a device that is up, once, and LIFE-08 ndoUninit comes after it', () => {
    const log: string[] = []
    const { kernel, dev } = makeDev({
      ndoStop: () => void log.push('stop'),
      ndoUninit: () => void log.push('uninit'),
    })
    registerNetdeviceNotifier(kernel, (event) => void log.push(event))
    log.length = 0
    unregisterNetdev(dev)
    expect(log).toEqual([
      'NETDEV_GOING_DOWN',
      'stop',
      'NETDEV_DOWN',
      'NETDEV_UNREGISTER',
      'NETDEV_PRE_UNINIT',
      'uninit',
    ])
    expect(dev.regState).toBe('unregistered')
  })

  it('LIFE-04 afterwards every op gives ENODEV, and reading still works', () => {
    const { kernel, dev } = makeDev({ ndoSetMacAddress: () => {}, ndoChangeCarrier: () => {} })
    netdevHold(dev)
    unregisterNetdev(dev)
    const addr = Uint8Array.of(2, 0, 0, 0, 0, 9)
    const calls: (() => void)[] = [
      () => devOpen(dev),
      () => devClose(dev),
      () => devSetMtu(dev, 1000),
      () => devSetMacAddress(dev, addr),
      () => devChangeName(dev, 'other'),
      () => devChangeCarrier(dev, false),
      () => devSetPromiscuity(dev, 1),
      () => devSetAllmulti(dev, 1),
      () => devUcAdd(dev, addr),
      () => devMcAdd(dev, addr),
    ]
    expect(calls.map((call) => kernel.rtnl.run(() => code(call)))).toEqual(calls.map(() => 'ENODEV'))
    expect(devGetStats(dev).txPackets).toBe(0n)
  })

  it('LIFE-04 a packet for a device that is gone is dropped and counted', () => {
    const { kernel, dev } = makeDev()
    const skb = frame(dev)
    unregisterNetdev(dev)
    devQueueXmit(skb)
    expect(devGetStats(dev).txDropped).toBe(1n)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('LIFE-03 LIFE-05 waits for those who hold the device, and frees it when the last lets go', () => {
    const { kernel, dev } = makeDev()
    netdevHold(dev)
    netdevHold(dev)
    unregisterNetdev(dev)
    expect(dev.regState).toBe('unregistering')
    expect(logTexts(kernel).at(-1)).toBe(
      'unregister_netdevice: waiting for test0 to become free. Usage count = 3',
    )
    freeNetdev(dev)
    netdevPut(dev)
    expect(dev.regState).toBe('unregistering')
    netdevPut(dev)
    expect(dev.regState).toBe('released')
    expect(kernel.census.take().filter((entry) => entry.kind === 'netdev')).toEqual([])
  })

  it('LIFE-03 letting go while someone holds rtnl frees the device when rtnl is given back', () => {
    const { kernel, dev } = makeDev()
    netdevHold(dev)
    unregisterNetdev(dev)
    kernel.rtnl.run(() => {
      netdevPut(dev)
      expect(dev.regState).toBe('unregistering')
    })
    expect(dev.regState).toBe('unregistered')
  })

  it('LIFE-03 letting go of what nobody holds is reported', () => {
    const { dev } = makeDev()
    expect(reported(() => netdevPut(dev))).toBe('LIFE-03')
  })

  it('NAPI-19 deletes the NAPI instances the driver left over', () => {
    const { dev } = makeDev()
    const deleted: number[] = []
    const napis: NapiHandle[] = [1, 2, 3].map((napiId) => {
      const napi: NapiHandle = {
        napiId,
        enabled: false,
        del: () => {
          deleted.push(napiId)
          dev.napiDetach(napi)
        },
      }
      return napi
    })
    for (const napi of napis) dev.napiAttach(napi)
    napis[1]!.del()
    unregisterNetdev(dev)
    expect(deleted).toEqual([2, 1, 3])
    expect(dev.napis.size).toBe(0)
  })

  it('a listener cannot refuse that a device goes', () => {
    const { kernel, dev } = makeDev()
    registerNetdeviceNotifier(kernel, (event) => {
      if (event === 'NETDEV_UNREGISTER') throw new Errno('EBUSY')
    })
    unregisterNetdev(dev)
    expect(dev.regState).toBe('unregistered')
  })
})

describe('private data and tags', () => {
  it('LIFE-11 a device counts as alive from allocation to free, under its module', () => {
    const kernel = createKernel()
    kernel.currentModule = 'mod'
    const dev = allocDev(kernel)
    kernel.currentModule = null
    const alive = () => kernel.census.take().filter((entry) => entry.kind === 'netdev')
    expect(alive()).toEqual([{ kind: 'netdev', name: 'test%d', module: 'mod' }])
    registerNetdev(dev)
    unregisterNetdev(dev)
    expect(alive()).toHaveLength(1)
    freeNetdev(dev)
    expect(alive()).toEqual([])
  })

  it('LIFE-11 hooks run tagged with the module of the device', () => {
    const tags: (string | null)[] = []
    const kernel = createKernel()
    kernel.currentModule = 'mod'
    const note = () => void tags.push(kernel.currentModule)
    const dev = allocDev(kernel, {
      ndoInit: note,
      ndoOpen: note,
      ndoStop: note,
      ndoUninit: note,
      ndoSetRxMode: note,
    })
    kernel.currentModule = null
    registerNetdev(dev)
    kernel.rtnl.run(() => devOpen(dev))
    unregisterNetdev(dev)
    expect(tags).toEqual(['mod', 'mod', 'mod', 'mod', 'mod'])
    expect(kernel.currentModule).toBeNull()
  })

  it('LIFE-12 each device has its own private part, made once with the device', () => {
    const kernel = createKernel()
    const made: unknown[] = []
    const priv = (dev: unknown) => {
      made.push(dev)
      return { count: 0 }
    }
    const a = allocEtherdevMqs(kernel, { name: 'p%d', ops: sink, priv })
    const b = allocEtherdevMqs(kernel, { name: 'p%d', ops: sink, priv })
    a.priv.count++
    expect(b.priv.count).toBe(0)
    expect(made).toEqual([a, b])
  })

  it('two kernels know nothing of each other', () => {
    const one = makeDev()
    const two = makeDev()
    expect(one.dev.name).toBe(two.dev.name)
    expect(one.dev.ifindex).toBe(two.dev.ifindex)
    unregisterNetdev(one.dev)
    expect(devGetByName(two.kernel, 'test0')).toBe(two.dev)
  })
})
