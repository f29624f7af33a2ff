import { generator, loopback, nullBackend, type Backend } from '@vnet/backend'
import {
  cancelWorkSync,
  prInfo,
  scheduleWork,
  workSetup,
  type Kernel,
  type ModuleContext,
  type ModuleDefinition,
  type ModuleParam,
  type WorkStruct,
} from '@vnet/kernel'
import { isValidEtherAddr, parseMac, type NetDevice } from '@vnet/netdev'
import { createCard, type VnetCard } from './card.ts'
import { DRV_NAME, DRV_VERSION, createVnet, destroyVnet } from './device.ts'
import { vnetDebug } from './debug.ts'
import type { VnetPriv } from './queue.ts'
import { checkRingSize } from './ring-size.ts'

const NS_PER_US = 1_000
const US_PER_HOUR = 3_600_000_000
const MAX_QUEUES = 16
const MAX_DEVICES = 1024

const oneOf =
  (...names: string[]) =>
  (value: string): string | undefined =>
    names.includes(value) ? undefined : `one of ${names.join(', ')}`

const ring = (description: string): ModuleParam<number> => ({
  type: 'uint',
  default: 256,
  description,
  check: checkRingSize,
})

function checkMac(text: string): string | undefined {
  if (text === '' || (isMac(text) && isValidEtherAddr(parseMac(text)))) return undefined
  return 'a unicast address such as 02:00:00:00:00:0a'
}

const isMac = (text: string): boolean => /^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(text)

const params = {
  tx_ring: ring('Descriptors in each transmit ring: a power of two, 2 to 4096'),
  rx_ring: ring('Descriptors in each receive ring: a power of two, 2 to 4096'),
  queues: { type: 'uint', default: 1, min: 1, max: MAX_QUEUES, description: 'Queue pairs of each device' },
  devices: { type: 'uint', default: 1, min: 1, max: MAX_DEVICES, description: 'Devices to create' },
  max_mtu: { type: 'uint', default: 1500, min: 68, max: 9000, description: 'Largest MTU the user may set' },
  backend: {
    type: 'charp',
    default: 'generator',
    check: oneOf('generator', 'loopback', 'null'),
    description: 'The cable: generator, loopback or null; a machine takes more, such as tap:NAME',
  },
  frame: {
    type: 'charp',
    default: 'hello',
    check: oneOf('hello', 'arp', 'icmp', 'udp', 'mix'),
    description: 'What the generator sends: hello, arp, icmp, udp or mix',
  },
  interval_us: {
    type: 'uint',
    default: 1_000_000,
    max: US_PER_HOUR,
    description: 'Microseconds between generated frames; 0 sends as fast as it goes',
  },
  mac: {
    type: 'charp',
    default: '',
    check: checkMac,
    description: 'Address of the first card; the next has the next. Empty: 02:00:00:00:00:01',
  },
  count: { type: 'uint', default: 0, description: 'Frames to generate; 0 never ends' },
} satisfies Record<string, ModuleParam<number> | ModuleParam<string>>

/** One device of the module, with the card it drives. */
export interface VnetInstance {
  readonly card: VnetCard
  readonly dev: NetDevice<VnetPriv>
}

/** Devices of a loaded vnet module: what its `ModuleContext.data` holds. @kernel none */
export class VnetInstances {
  readonly all: VnetInstance[] = []
  private readonly removals: WorkStruct[] = []

  /** Plugs a card in and registers its device. @throws Errno what registering refused */
  probe(kernel: Kernel, card: VnetCard, ctx: ModuleContext): VnetInstance {
    const p = ctx.params as Record<keyof typeof params, number>
    const dev = createVnet(kernel, { hw: card, txRing: p.tx_ring, rxRing: p.rx_ring, maxMtu: p.max_mtu })
    const instance = { card, dev }
    const removal = workSetup(kernel, () => this.remove(instance), DRV_NAME)
    card.onUnplug = () => scheduleWork(removal)
    this.removals.push(removal)
    this.all.push(instance)
    prInfo(kernel, `${DRV_NAME}: registered device ${dev.name}`)
    return instance
  }

  /** Unregisters one device and takes its card apart. */
  remove(instance: VnetInstance): void {
    const at = this.all.indexOf(instance)
    if (at < 0) return
    this.all.splice(at, 1)
    const { card, dev } = instance
    prInfo(dev.kernel, `${DRV_NAME}: unregistering device ${dev.name}`)
    destroyVnet(dev)
    card.destroy()
  }

  removeAll(): void {
    for (const work of this.removals.splice(0)) cancelWorkSync(work)
    while (this.all.length > 0) this.remove(this.all[this.all.length - 1]!)
  }
}

/** What {@link createVnetModule} can be told beyond the module's parameters. */
export interface VnetModuleOptions {
  /** The cable of each device. @defaultValue what the parameter `backend` says */
  backend?: (kernel: Kernel, index: number) => Backend
}

/**
 * The vnet driver as a loadable module.
 *
 * @kernel none
 * @rule LIFE-02 LIFE-11 LIFE-12
 */
export function createVnetModule(options: VnetModuleOptions = {}): ModuleDefinition {
  return {
    name: DRV_NAME,
    version: DRV_VERSION,
    license: 'Dual MIT/GPL',
    author: 'The vnet authors',
    description: 'Virtual Ethernet network driver (vnet0)',
    params,
    init: (ctx) =>
      vnetInit(ctx, options.backend ?? ((kernel) => moduleCable(kernel, String(ctx.params['backend']), ctx))),
    exit: (ctx) => (ctx.data as VnetInstances).removeAll(),
  }
}

function vnetInit(ctx: ModuleContext, backend: (kernel: Kernel, index: number) => Backend): void {
  const { kernel } = ctx
  const instances = new VnetInstances()
  ctx.data = instances
  vnetDebug(kernel, ctx.name, (name) => instances.all.some(({ dev }) => dev.name === name))
  try {
    for (let i = 0; i < Number(ctx.params['devices']); i++) {
      const card = createCard(kernel, {
        name: `${DRV_NAME}-card${i}`,
        macAddress: burntInAddress(String(ctx.params['mac']), i),
        queues: Number(ctx.params['queues']),
        backend: backend(kernel, i),
      })
      probeOrDestroy(instances, card, ctx)
    }
  } catch (error) {
    instances.removeAll()
    throw error
  }
}

function probeOrDestroy(instances: VnetInstances, card: VnetCard, ctx: ModuleContext): void {
  try {
    instances.probe(ctx.kernel, card, ctx)
  } catch (error) {
    card.destroy()
    throw error
  }
}

const FIRST_MAC = '02:00:00:00:00:01'

/** The first card's address, counted on in its last three bytes. */
function burntInAddress(first: string, index: number): Uint8Array {
  const address = parseMac(first === '' ? FIRST_MAC : first)
  const n = ((address[3]! << 16) | (address[4]! << 8) | address[5]!) + index
  address.set([n >> 16, n >> 8, n], 3)
  return address
}

/**
 * Makes one of the cables the module knows by name, with the module's parameters: `null`, `loopback`, else the generator.
 *
 * @kernel none
 */
export function moduleCable(kernel: Kernel, name: string, ctx: Pick<ModuleContext, 'params'>): Backend {
  const p = ctx.params as Record<keyof typeof params, string>
  if (name === 'null') return nullBackend()
  if (name === 'loopback') return loopback(kernel)
  return generator(kernel, {
    everyNs: Number(p.interval_us) * NS_PER_US,
    ...(Number(p.count) > 0 && { count: Number(p.count) }),
    frame: p.frame as 'hello' | 'arp' | 'icmp' | 'udp' | 'mix',
  })
}
