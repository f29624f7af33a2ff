import { Errno, mightSleep } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  devChangeFlags,
  devGetFlags,
  devMcAdd,
  devMcDel,
  devOpen,
  devSetAllmulti,
  devSetPromiscuity,
  devUcAdd,
  devUcDel,
  IfOper,
  Iff,
  IffPriv,
  type NetDevice,
  netifCarrierOff,
  netifDormantOn,
  registerNetdeviceNotifier,
} from '../src/index.ts'
import { logTexts, makeDev, reported, type TestDev } from './helpers.ts'

function change({ kernel, dev }: TestDev, set: number, clear = 0): void {
  kernel.rtnl.run(() => devChangeFlags(dev, (devGetFlags(dev) & ~clear) | set))
}

function events(test: TestDev): string[] {
  const seen: string[] = []
  registerNetdeviceNotifier(test.kernel, (event) => void seen.push(event))
  seen.length = 0
  return seen
}

describe('flags', () => {
  it('UP opens and closes, with one notice each', () => {
    const test = makeDev({}, { down: true })
    const seen = events(test)
    change(test, Iff.UP)
    change(test, Iff.UP)
    change(test, 0, Iff.UP)
    expect(seen).toEqual(['NETDEV_PRE_UP', 'NETDEV_UP', 'NETDEV_GOING_DOWN', 'NETDEV_DOWN'])
  })

  it('an open that fails leaves UP clear and gives the error', () => {
    const test = makeDev(
      {
        ndoOpen: () => {
          throw new Errno('ENOMEM')
        },
      },
      { down: true },
    )
    const seen = events(test)
    expect(() => change(test, Iff.UP)).toThrow(expect.objectContaining({ code: 'ENOMEM' }))
    expect(test.dev.flags & Iff.UP).toBe(0)
    expect(seen).toEqual(['NETDEV_PRE_UP'])
  })

  it('a user changes NOARP and MULTICAST and nothing the device itself is', () => {
    const test = makeDev()
    const seen = events(test)
    change(test, Iff.NOARP | Iff.LOOPBACK | Iff.POINTOPOINT, Iff.MULTICAST | Iff.BROADCAST)
    expect(devGetFlags(test.dev)).toBe(Iff.UP | Iff.BROADCAST | Iff.NOARP | Iff.RUNNING | Iff.LOWER_UP)
    expect(seen).toEqual(['NETDEV_CHANGE'])
  })

  it('a user asks for promiscuous mode once, however often', () => {
    const test = makeDev()
    const { dev, kernel } = test
    change(test, Iff.PROMISC)
    change(test, Iff.PROMISC)
    expect(dev.promiscuity).toBe(1)
    kernel.rtnl.run(() => devSetPromiscuity(dev, 1))
    change(test, 0, Iff.PROMISC)
    expect(dev.promiscuity).toBe(1)
    expect(devGetFlags(dev) & Iff.PROMISC).toBe(0)
    expect(dev.flags & Iff.PROMISC).not.toBe(0)
    kernel.rtnl.run(() => devSetPromiscuity(dev, -1))
    expect(logTexts(kernel).filter((text) => text.includes('promiscuous'))).toEqual([
      'device test0 entered promiscuous mode',
      'device test0 left promiscuous mode',
    ])
  })

  it('LINK-08 running means state up or never told', () => {
    const { dev } = makeDev()
    const table: Record<keyof typeof IfOper, boolean> = {
      UNKNOWN: true,
      NOTPRESENT: false,
      DOWN: false,
      LOWERLAYERDOWN: false,
      TESTING: false,
      DORMANT: false,
      UP: true,
    }
    for (const [name, running] of Object.entries(table)) {
      dev.operstate = IfOper[name as keyof typeof IfOper]
      expect([name, (devGetFlags(dev) & Iff.RUNNING) !== 0]).toEqual([name, running])
    }
  })

  it('LINK-08 LOWER_UP and DORMANT follow carrier and dormant state, and a closed device has none', () => {
    const { kernel, dev } = makeDev()
    expect(devGetFlags(dev) & Iff.LOWER_UP).not.toBe(0)
    netifCarrierOff(dev)
    netifDormantOn(dev)
    expect(devGetFlags(dev) & (Iff.LOWER_UP | Iff.DORMANT)).toBe(Iff.DORMANT)
    kernel.rtnl.run(() => devChangeFlags(dev, devGetFlags(dev) & ~Iff.UP))
    expect(devGetFlags(dev) & (Iff.RUNNING | Iff.LOWER_UP | Iff.DORMANT)).toBe(0)
  })
})

describe('receive mode', () => {
  function filtering(unicast: boolean) {
    const calls: string[] = []
    const keys = (list: Map<string, unknown>) => [...list.keys()].join()
    const test = makeDev(
      {
        ndoSetRxMode: (dev) =>
          void calls.push(
            `${dev.flags & Iff.PROMISC ? 'promisc ' : ''}${dev.flags & Iff.ALLMULTI ? 'allmulti ' : ''}uc=${keys(dev.uc)} mc=${keys(dev.mc)}`,
          ),
      },
      { setup: (dev) => void (unicast && (dev.privFlags |= IffPriv.UNICAST_FLT)) },
    )
    const run = (fn: (dev: NetDevice<any>) => void) => test.kernel.rtnl.run(() => fn(test.dev))
    calls.length = 0
    return { ...test, calls, run }
  }
  const A = Uint8Array.of(2, 0, 0, 0, 0, 0xa)
  const M = Uint8Array.of(1, 0, 0x5e, 0, 0, 1)

  it('RX-09 tells the driver of each address that comes or goes, and not of a second user', () => {
    const { run, calls } = filtering(true)
    run((dev) => devMcAdd(dev, M))
    run((dev) => devMcAdd(dev, M))
    run((dev) => devUcAdd(dev, A))
    run((dev) => devMcDel(dev, M))
    run((dev) => devMcDel(dev, M))
    run((dev) => devUcDel(dev, A))
    expect(calls).toEqual([
      'uc= mc=01:00:5e:00:00:01',
      'uc=02:00:00:00:00:0a mc=01:00:5e:00:00:01',
      'uc=02:00:00:00:00:0a mc=',
      'uc= mc=',
    ])
  })

  it('RX-09 a card without unicast filters goes promiscuous while there are unicast addresses', () => {
    const { run, calls, dev } = filtering(false)
    run((d) => devUcAdd(d, A))
    expect(calls).toEqual(['promisc uc=02:00:00:00:00:0a mc='])
    expect(dev.promiscuity).toBe(1)
    run((d) => devUcDel(d, A))
    expect(calls.at(-1)).toBe('uc= mc=')
    expect(dev.promiscuity).toBe(0)
  })

  it('RX-09 promiscuous and all-multicast are counted and passed on when they change', () => {
    const { run, calls } = filtering(true)
    run((dev) => devSetPromiscuity(dev, 1))
    run((dev) => devSetPromiscuity(dev, 1))
    run((dev) => devSetAllmulti(dev, 1))
    run((dev) => devSetPromiscuity(dev, -2))
    run((dev) => devSetAllmulti(dev, -1))
    expect(calls).toEqual(['promisc uc= mc=', 'promisc allmulti uc= mc=', 'allmulti uc= mc=', 'uc= mc='])
    expect(() => run((dev) => devSetAllmulti(dev, -1))).toThrow(
      expect.objectContaining({ code: 'EOVERFLOW' }),
    )
  })

  it('RX-09 a device that is down learns of everything when it opens', () => {
    const calls: number[] = []
    const { kernel, dev } = makeDev({ ndoSetRxMode: (d) => void calls.push(d.mc.size) }, { down: true })
    kernel.rtnl.run(() => devMcAdd(dev, M))
    expect(calls).toEqual([])
    kernel.rtnl.run(() => devOpen(dev))
    expect(calls).toEqual([1])
  })

  it('refuses an address of the wrong length and one that is not there', () => {
    const { run } = filtering(true)
    expect(() => run((dev) => devMcAdd(dev, Uint8Array.of(1, 2)))).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    )
    expect(() => run((dev) => devMcDel(dev, M))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })

  it('CTX-02 a driver that sleeps in ndoSetRxMode is reported', () => {
    const { kernel, dev } = makeDev(
      { ndoSetRxMode: (d) => mightSleep(d.kernel, 'the driver') },
      { down: true },
    )
    expect(reported(() => kernel.rtnl.run(() => devOpen(dev)))).toBe('CTX-02')
    expect(kernel.cpu.bhDepth).toBe(0)
  })

  it('counts of users agree with a model through any order of adds and deletes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 60 }), (steps) => {
        const { kernel, dev } = makeDev({}, { down: true })
        const model = new Map<number, number>()
        for (const [n, plus] of steps) {
          const addr = Uint8Array.of(1, 0, 0, 0, 0, n)
          const count = model.get(n) ?? 0
          const act = () => kernel.rtnl.run(() => (plus ? devMcAdd(dev, addr) : devMcDel(dev, addr)))
          if (!plus && count === 0) expect(act).toThrow(Errno)
          else {
            act()
            model.set(n, count + (plus ? 1 : -1))
          }
          expect(dev.mc.size).toBe([...model.values()].filter((c) => c > 0).length)
        }
      }),
      { numRuns: 50 },
    )
  })
})
