import { setEthtoolOps, ethtoolOpGetLink } from '@vnet/ethtool'
import { Errno, timerSetup, type Kernel } from '@vnet/kernel'
import { ifIndex, Netns } from '@vnet/linux'
import { netifNapiAdd } from '@vnet/napi'
import * as nd from '@vnet/netdev'
import type { XdpMode } from './bpf.ts'
import { afxdpNetdevOps, afxdpPoll, lookForCompletions } from './driver.ts'
import { HostLink } from './host-link.ts'
import type { AfxdpPriv } from './priv.ts'

/** What {@link createAfxdp} can be told. */
export interface AfxdpOptions {
  /** The host's interface. Its frames of this queue come here and no longer to the host. */
  readonly ifname: string
  /** @defaultValue 0 */
  readonly queue?: number
  /** Where the XDP program runs. @defaultValue 'native', and 'generic' where the driver cannot */
  readonly mode?: XdpMode
  /** Ask for zero copy, which few drivers can. @defaultValue false */
  readonly zeroCopy?: boolean
  /** Descriptors: powers of two, 64 to 32768. @defaultValue 1024 */
  readonly rxRing?: number
  readonly txRing?: number
  /** The device's name or pattern. @defaultValue 'xdp%d' */
  readonly name?: string
  /** Its address. @defaultValue a random one, from the kernel's chance */
  readonly macAddress?: Uint8Array
  /** The namespace the interface is in. @defaultValue this one */
  readonly netns?: Netns
}

const MIN_RING = 64
const MAX_RING = 32768

function ringSize(what: string, size = 1024): number {
  if (size >= MIN_RING && size <= MAX_RING && (size & (size - 1)) === 0) return size
  throw new Errno('EINVAL', `${what} is ${size}; it is a power of two from ${MIN_RING} to ${MAX_RING}`, what)
}

/**
 * Registers a device that drives a queue of a host's interface by AF_XDP. The socket is made by `ndoOpen`, so that is
 * where a refusal comes from.
 *
 * @throws Errno ENODEV for an interface that is not there, EINVAL for ring sizes no ring can have
 * @kernel none
 */
export function createAfxdp(kernel: Kernel, options: AfxdpOptions): nd.NetDevice<AfxdpPriv> {
  const rings = { rxRing: ringSize('rxRing', options.rxRing), txRing: ringSize('txRing', options.txRing) }
  const netns = options.netns ?? Netns.current()
  const ifindex = netns.run(() => ifIndex(options.ifname))
  if (ifindex === 0) throw new Errno('ENODEV', `there is no interface ${options.ifname}`)
  const irq = kernel.irq.allocLine('afxdp')
  const dev: nd.NetDevice<AfxdpPriv> = nd.allocEtherdevMqs<AfxdpPriv>(kernel, {
    name: options.name ?? 'xdp%d',
    ops: afxdpNetdevOps,
    priv: (d) => {
      const n = netifNapiAdd(d, afxdpPoll)
      n.data = d
      return {
        options: {
          ...rings,
          ifname: options.ifname,
          ifindex,
          queue: options.queue ?? 0,
          mode: options.mode ?? null,
          zeroCopy: options.zeroCopy ?? false,
        },
        netns,
        irq,
        link: new HostLink(options.ifname, ifindex, netns, (running) => linkChanged(d, running)),
        gro: nd.groInit(d),
        stats: new nd.U64Stats(6),
        lost: 0n,
        timer: timerSetup(kernel, () => lookForCompletions(d), 'afxdp-tx'),
        napi: n,
        xsk: null,
        program: null,
        watcher: null,
        region: null,
        rx: null,
        tx: null,
      }
    },
  })
  dev.priv.napi.flushHook = dev.priv.gro
  dev.driverName = 'afxdp'
  dev.busInfo = options.ifname
  if (options.macAddress === undefined) nd.ethHwAddrRandom(dev)
  else nd.ethHwAddrSet(dev, options.macAddress)
  setEthtoolOps(dev, { getLink: ethtoolOpGetLink })
  nd.netifCarrierOff(dev)
  try {
    nd.registerNetdev(dev)
  } catch (error) {
    dev.priv.link.close()
    nd.freeNetdev(dev)
    kernel.irq.freeLine(irq)
    throw error
  }
  return dev
}

/** Unregisters and frees it; it is stopped first if it is up. @kernel none */
export function destroyAfxdp(dev: nd.NetDevice<AfxdpPriv>): void {
  nd.unregisterNetdev(dev)
  dev.priv.link.close()
  dev.kernel.irq.freeLine(dev.priv.irq)
  nd.freeNetdev(dev)
}

function linkChanged(dev: nd.NetDevice<AfxdpPriv>, running: boolean): void {
  dev.kernel.hardware(() => {
    if (!nd.netifRunning(dev)) return
    if (running) nd.netifCarrierOn(dev)
    else nd.netifCarrierOff(dev)
  })
}
