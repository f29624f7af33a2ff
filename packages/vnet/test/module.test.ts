import { Errno, createKernel, dmesg, type Kernel, type LoadedModule } from '@vnet/kernel'
import { devGetByName, devGetStats, devOpen, netifCarrierOk } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { createVnetModule, type VnetInstances } from '../src/index.ts'
import { MS } from './setup.ts'

const SECOND = 1000 * MS

function load(...args: string[]): { kernel: Kernel; module: LoadedModule; devices: VnetInstances['all'] } {
  const kernel = createKernel()
  let data: unknown
  const def = createVnetModule()
  const module = kernel.modules.insmod(
    {
      ...def,
      init(ctx) {
        def.init(ctx)
        data = ctx.data
      },
    },
    args,
  )
  return { kernel, module, devices: (data as VnetInstances).all }
}

const codeOf = (fn: () => unknown): string => {
  try {
    fn()
  } catch (error) {
    if (error instanceof Errno) return error.code
    throw error
  }
  return 'none'
}

/** What is alive, the kernel's own memory of sk_buffs aside. */
const alive = (kernel: Kernel): unknown[] => {
  // The link watch may rest for a second between two events.
  kernel.runFor(2 * SECOND)
  return kernel.census.take().filter((e) => e.kind !== 'memory' || e.module !== null)
}

describe('the module', () => {
  it('registers vnet0, says so, and leaves nothing when it goes', () => {
    const { kernel } = load()
    expect(devGetByName(kernel, 'vnet0')).toBeDefined()
    kernel.modules.rmmod('vnet')
    expect(devGetByName(kernel, 'vnet0')).toBeUndefined()
    expect(dmesg(kernel, { time: false }).split('\n')).toEqual(
      expect.arrayContaining(['vnet: registered device vnet0', 'vnet: unregistering device vnet0']),
    )
    expect(alive(kernel)).toEqual([])
  })

  it('hears "Hello from vnet RX" each second, and is removed while up', () => {
    const { kernel, devices } = load()
    const dev = devices[0]!.dev
    kernel.rtnl.run(() => devOpen(dev))
    kernel.runFor(5.5 * SECOND)
    expect(devGetStats(dev)).toMatchObject({ rxPackets: 5n, rxBytes: 300n })
    kernel.modules.rmmod('vnet')
    expect(alive(kernel)).toEqual([])
  })

  it('counts card addresses on from the one it is given, and refuses one no card has', () => {
    const { devices } = load('devices=3', 'mac=02:00:00:00:0a:ff')
    expect(devices.map(({ dev }) => [...dev.devAddr].slice(3))).toEqual([
      [0, 0x0a, 0xff],
      [0, 0x0b, 0],
      [0, 0x0b, 1],
    ])
    for (const bad of ['01:00:00:00:00:01', '00:00:00:00:00:00', '2:0:0:0:0:1', 'abc'])
      expect(codeOf(() => load(`mac=${bad}`))).toBe('EINVAL')
  })

  it('makes as many devices as asked, each with its own address', () => {
    const { kernel, devices } = load('devices=3')
    expect(devices.map(({ dev }) => [dev.name, dev.devAddr[5]])).toEqual([
      ['vnet0', 1],
      ['vnet1', 2],
      ['vnet2', 3],
    ])
    // LIFE-12
    for (const { dev } of devices) kernel.rtnl.run(() => devOpen(dev))
    kernel.runFor(SECOND * 1.5)
    kernel.rtnl.run(() => undefined)
    kernel.modules.rmmod('vnet')
  })

  it.each([
    ['tx_ring=0'],
    ['tx_ring=3'],
    ['rx_ring=1048576'],
    ['rx_ring=1'],
    ['tx_ring=-8'],
    ['queues=0'],
    ['queues=17'],
    ['max_mtu=67'],
    ['max_mtu=65536'],
    ['backend=rope'],
    ['interval_us=3600000001'],
    ['tx_ring=abc'],
  ])('refuses %s with EINVAL, or ERANGE, and is not loaded', (arg) => {
    // prettier-ignore
    const kernel = createKernel()
    expect(['EINVAL', 'ERANGE']).toContain(codeOf(() => kernel.modules.insmod(createVnetModule(), [arg])))
    expect(dmesg(kernel, { time: false })).toContain(`for parameter \`${arg.split('=')[0]!}'`)
    expect(kernel.modules.list()).toEqual([])
    expect(alive(kernel)).toEqual([])
  })

  it('ignores an unknown parameter, and says so', () => {
    const { kernel } = load('colour=red')
    expect(dmesg(kernel, { time: false })).toContain("vnet: unknown parameter 'colour' ignored")
  })

  it('LIFE-02 undoes everything when the third device cannot be made', () => {
    const kernel = createKernel()
    let cards = 0
    const def = createVnetModule({
      backend: () => {
        if (++cards === 3) throw new Errno('ENOMEM')
        return { name: 'none', linkUp: true, counters: null as never, attach() {}, transmit: () => true }
      },
    })
    expect(codeOf(() => kernel.modules.insmod(def, ['devices=4']))).toBe('ENOMEM')
    expect(alive(kernel)).toEqual([])
    expect(kernel.modules.get('vnet')).toBeUndefined()
  })

  it('twice is EEXIST; removing what is not loaded is ENOENT', () => {
    const { kernel } = load()
    expect(codeOf(() => kernel.modules.insmod(createVnetModule()))).toBe('EEXIST')
    kernel.modules.rmmod('vnet')
    expect(codeOf(() => kernel.modules.rmmod('vnet'))).toBe('ENOENT')
  })

  it('a card pulled out takes its device with it', () => {
    const { kernel, devices } = load('interval_us=1000')
    const { card, dev } = devices[0]!
    kernel.rtnl.run(() => devOpen(dev))
    kernel.runFor(10 * MS)
    card.unplug()
    kernel.runFor(10 * MS)
    expect(devGetByName(kernel, 'vnet0')).toBeUndefined()
    kernel.modules.rmmod('vnet')
    expect(alive(kernel)).toEqual([])
  })

  it('has a carrier as soon as it is up', () => {
    const { kernel, devices } = load()
    const dev = devices[0]!.dev
    expect(netifCarrierOk(dev)).toBe(false)
    kernel.rtnl.run(() => devOpen(dev))
    expect(netifCarrierOk(dev)).toBe(true)
  })
})
