import { createKernel, Errno, type Kernel } from '@vnet/kernel'
import { readFileSync } from 'node:fs'
import {
  allocEtherdevMqs,
  Arphrd,
  devGetByName,
  devOpen,
  ethHwAddrSet,
  ethMacAddr,
  freeNetdev,
  Iff,
  IffPriv,
  isValidEtherAddr,
  type NetDevice,
  type NetDeviceOps,
  netifCarrierOff,
  netifCarrierOn,
  netifRunning,
  parseMac,
  registerNetdev,
  RtnlLinkStats64,
  setDefaultQdisc,
  unregisterNetdev,
} from '../../src/index.ts'
import { sink } from '../helpers.ts'

/** What answers a command: the words after `ip`. */
export type RunIp = (
  kernel: Kernel,
  argv: readonly string[],
) => { stdout: string; stderr: string; exitCode: number }

/** What was printed beside what was recorded. */
export interface Replayed {
  kernel: Kernel
  found: object[]
  recorded: object[]
}

interface Step {
  do?: 'load' | 'unload'
  argv: string[]
  stdout: string
  stderr: string
  exitCode: number
  /** rx bytes, packets, errors, dropped, multicast; tx bytes, packets, errors, dropped; carrier changes. */
  counters?: (number | null)[]
  carrier?: boolean
}

const COUNTED = [
  'rxBytes',
  'rxPackets',
  'rxErrors',
  'rxDropped',
  'multicast',
  'txBytes',
  'txPackets',
  'txErrors',
  'txDropped',
] as const

interface Card {
  stats: RtnlLinkStats64
}

function ops(more: Partial<NetDeviceOps<Card>>): NetDeviceOps<Card> {
  return { ...sink, ndoGetStats64: (dev, stats) => void Object.assign(stats, dev.priv.stats), ...more }
}

function machine(): Kernel {
  const kernel = createKernel()
  // Debian's default.
  setDefaultQdisc(kernel, 'fq_codel')
  const lo = alloc(kernel, 'lo', ops({}))
  Object.assign(lo, {
    type: Arphrd.LOOPBACK,
    flags: Iff.LOOPBACK,
    mtu: 65536,
    minMtu: 0,
    maxMtu: 0,
    tsoMaxSize: 524280,
  })
  lo.privFlags |= IffPriv.NO_QUEUE
  lo.broadcast.fill(0)
  registerNetdev(lo)
  kernel.rtnl.run(() => devOpen(lo))
  return kernel
}

function alloc(kernel: Kernel, name: string, table: NetDeviceOps<Card>): NetDevice<Card> {
  const dev = allocEtherdevMqs<Card>(kernel, {
    name,
    ops: table,
    priv: () => ({ stats: new RtnlLinkStats64() }),
  })
  dev.addrGenMode = 'eui64'
  return dev
}

function load(
  kernel: Kernel,
  name: string,
  mac: string,
  table: Partial<NetDeviceOps<Card>>,
  init: Partial<NetDevice<Card>>,
): NetDevice<Card> {
  const dev = alloc(kernel, name, ops(table))
  ethHwAddrSet(dev, parseMac(mac))
  Object.assign(dev, init)
  registerNetdev(dev)
  return dev
}

/** Takes an address like the seed driver: looks at it first, and refuses while up. */
function seedMac(dev: NetDevice<Card>, addr: Uint8Array): void {
  if (!isValidEtherAddr(addr)) throw new Errno('EADDRNOTAVAIL')
  if (netifRunning(dev)) throw new Errno('EBUSY')
  ethHwAddrSet(dev, addr)
}

/** Runs the steps, and gives what was printed beside what was recorded. */
function replay(
  name: string,
  kernel: Kernel,
  make: () => NetDevice<Card>,
  all: Step[],
  run: RunIp,
): Replayed {
  let dev: NetDevice<Card> | null = name.startsWith('vnet7') ? null : make()
  const found: object[] = []
  const recorded: object[] = []
  for (const [at, step] of all.entries()) {
    if (step.do === 'load') dev = make()
    else if (step.do === 'unload') {
      unregisterNetdev(dev!)
      freeNetdev(dev!)
      dev = null
    } else {
      if (dev !== null) before(kernel, dev, step)
      const what = `${name} step ${at}: ip ${step.argv.join(' ')}`
      found.push({ what, ...run(kernel, step.argv) })
      recorded.push({ what, stdout: step.stdout, stderr: step.stderr, exitCode: step.exitCode })
      kernel.runFor(2e9)
    }
  }
  return { kernel, found, recorded }
}

function before(kernel: Kernel, dev: NetDevice<Card>, step: Step): void {
  if (step.counters !== undefined) {
    COUNTED.forEach((key, i) => (dev.priv.stats[key] = BigInt(step.counters![i]!)))
    const changes = step.counters[9]
    if (changes != null) {
      dev.carrierUpCount = Math.ceil(changes / 2)
      dev.carrierDownCount = Math.floor(changes / 2)
    }
  }
  if (step.carrier !== undefined) {
    kernel.hardware(() => (step.carrier ? netifCarrierOn(dev) : netifCarrierOff(dev)))
    kernel.runFor(2e9)
  }
}

function steps(name: string): Step[] {
  return JSON.parse(
    readFileSync(new URL(`../fixtures/ip-link-${name}.json`, import.meta.url), 'utf8'),
  ) as Step[]
}

/** The C driver of phase 7, with IPv6 and without. */
export function replayVnet7(name: 'vnet7' | 'vnet7-noipv6', run: RunIp): Replayed {
  const kernel = machine()
  if (name === 'vnet7-noipv6') devGetByName(kernel, 'lo')!.addrGenMode = null
  const make = () => {
    const dev = load(kernel, 'vnet%d', '02:00:00:00:00:01', { ndoSetMacAddress: seedMac }, {})
    if (name === 'vnet7-noipv6') dev.addrGenMode = null
    return dev
  }
  return replay(name, kernel, make, steps(name), run)
}

/** The kernel's dummy: all but the unload. */
export function replayDummy(run: RunIp): Replayed {
  const kernel = machine()
  const table: Partial<NetDeviceOps<Card>> = {
    ndoSetMacAddress: ethMacAddr,
    ndoChangeCarrier: (dev, on) => (on ? netifCarrierOn(dev) : netifCarrierOff(dev)),
  }
  const make = () =>
    load(kernel, 'dummy%d', '12:61:eb:2a:b6:73', table, {
      flags: Iff.BROADCAST | Iff.NOARP,
      privFlags: IffPriv.NO_QUEUE | IffPriv.LIVE_ADDR_CHANGE,
      minMtu: 0,
      maxMtu: 0,
      linkKind: 'dummy',
      addrAssignType: 1,
    })
  return replay('dummy', kernel, make, steps('dummy').slice(0, -1), run)
}

/** The kernel's e1000 on QEMU's card. */
export function replayE1000(run: RunIp): Replayed {
  const kernel = machine()
  const table = { ndoSetMacAddress: ethMacAddr }
  const make = () => {
    const dev = load(kernel, 'eth%d', '52:54:00:12:34:01', table, {
      privFlags: IffPriv.LIVE_ADDR_CHANGE,
      minMtu: 46,
      maxMtu: 16110,
      parentBus: 'pci',
      parentDev: '0000:00:02.0',
    })
    netifCarrierOff(dev)
    return dev
  }
  return replay('e1000', kernel, make, steps('e1000'), run)
}

/** A pair of the kernel's veth. */
export function replayVeth(run: RunIp): Replayed {
  const kernel = machine()
  const pair = new Map<NetDevice<Card>, NetDevice<Card>>()
  const table: Partial<NetDeviceOps<Card>> = {
    ndoOpen(dev) {
      const peer = pair.get(dev)!
      if (!netifRunning(peer)) return
      netifCarrierOn(dev)
      netifCarrierOn(peer)
    },
  }
  const common = {
    privFlags: IffPriv.NO_QUEUE,
    maxMtu: 65535,
    tsoMaxSize: 524280,
    linkKind: 'veth',
    addrAssignType: 1,
  }
  const veth1 = load(kernel, 'veth1', 'e2:f4:fa:c4:5c:e4', table, common)
  const veth0 = load(kernel, 'veth0', '0e:83:d4:72:e0:98', table, common)
  pair.set(veth0, veth1).set(veth1, veth0)
  veth0.iflink = veth1.ifindex
  veth1.iflink = veth0.ifindex
  for (const dev of [veth0, veth1]) netifCarrierOff(dev)
  veth0.carrierDownCount = veth1.carrierDownCount = 0
  kernel.runFor(2e9)
  return replay('veth', kernel, () => veth0, steps('veth'), run)
}
