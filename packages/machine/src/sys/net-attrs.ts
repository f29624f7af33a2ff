import { ethtoolGetLinkKsettings, Duplex } from '@vnet/ethtool'
import { Errno, kstrtobool } from '@vnet/kernel'
import {
  devSetThreaded,
  napiList,
  netdevSetDeferHardIrqs,
  netdevSetGroFlushTimeout,
  softnet,
} from '@vnet/napi'
import {
  devChangeCarrier,
  devChangeFlags,
  devChangeTxQueueLen,
  devSetAlias,
  devSetGroup,
  devSetMtu,
  IfOper,
  netifCarrierOk,
  netifDormant,
  netifRunning,
  netifTesting,
  type NetDevice,
} from '@vnet/netdev'
import { attribute, refusing } from '../vfs/dirs.ts'
import type { VfsFile } from '../vfs/node.ts'
import { dec, hex, unsigned } from './attr-text.ts'
import { netSysfsState } from './net-state.ts'
import { netDeviceUevent } from './uevent.ts'

type Dev = NetDevice<any>
type Attr = (dev: Dev) => VfsFile

const U32_MAX = 0xffffffff
const OPERSTATES = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up']

/** The directory may be open while the device goes away. @kernel dev_isalive() net/core/net-sysfs.c */
function alive<T>(dev: Dev, fn: () => T): T {
  if (dev.regState !== 'registered') throw new Errno('EINVAL')
  return fn()
}

function show(text: (dev: Dev) => string): Attr {
  return (dev) => attribute(() => alive(dev, () => text(dev)))
}

/** What can be set: a number goes in, under rtnl. @kernel netdev_store() net/core/net-sysfs.c */
function number(text: (dev: Dev) => string, set: (dev: Dev, value: number) => void): Attr {
  return (dev) =>
    attribute(
      () => alive(dev, () => text(dev)),
      (written) => {
        const value = unsigned(written)
        alive(dev, () => dev.kernel.rtnl.run(() => set(dev, value)))
      },
    )
}

/** Only a device that is up can say. */
function running(value: (dev: Dev) => boolean): (dev: Dev) => string {
  return (dev) => {
    if (!netifRunning(dev)) throw new Errno('EINVAL')
    return dec(value(dev) ? 1 : 0)
  }
}

function macText(address: Uint8Array, length: number): string {
  return (
    Array.from(address.subarray(0, length), (byte) => byte.toString(16).padStart(2, '0')).join(':') + '\n'
  )
}

/** Speed or duplex. A device that is down or does not tell answers EINVAL, whatever the reason. @kernel speed_show() net/core/net-sysfs.c */
function linkSetting(text: (settings: ReturnType<typeof ethtoolGetLinkKsettings>) => string): Attr {
  return show((dev) => {
    if (!netifRunning(dev)) throw new Errno('EINVAL')
    try {
      return text(ethtoolGetLinkKsettings(dev))
    } catch (error) {
      throw error instanceof Errno ? new Errno('EINVAL') : error
    }
  })
}

function duplexName(duplex: number): string {
  return duplex === Duplex.FULL ? 'full' : duplex === Duplex.HALF ? 'half' : 'unknown'
}

function threaded(dev: Dev): boolean {
  return napiList(dev).some((napi) => napi.threaded)
}

/** @kernel modify_napi_threaded() net/core/net-sysfs.c */
function setThreaded(dev: Dev, value: number): void {
  if (napiList(dev).length === 0 || value > 1) throw new Errno('EOPNOTSUPP')
  devSetThreaded(napiList(dev), value === 1)
}

/** @kernel change_carrier() net/core/net-sysfs.c */
const carrier: Attr = (dev) =>
  attribute(
    () => alive(dev, () => running(netifCarrierOk)(dev)),
    (text) => {
      if (dev.ops.ndoChangeCarrier === undefined) throw new Errno('EOPNOTSUPP')
      const on = kstrtobool(text)
      if (!netifRunning(dev)) throw new Errno('EINVAL')
      alive(dev, () => dev.kernel.rtnl.run(() => devChangeCarrier(dev, on)))
    },
  )

/** @kernel ifalias_store() net/core/net-sysfs.c */
const ifalias: Attr = (dev) =>
  attribute(
    () => alive(dev, () => (dev.ifalias === '' ? '' : `${dev.ifalias}\n`)),
    (text) => {
      const alias = text.endsWith('\n') ? text.slice(0, -1) : text
      alive(dev, () => dev.kernel.rtnl.run(() => devSetAlias(dev, alias)))
    },
  )

/** What new instances of a device get. */
function napiSettings(dev: Dev): { readonly deferHardIrqs: number; readonly groFlushTimeout: number } {
  return softnet(dev.kernel).configs.get(dev) ?? { deferHardIrqs: 0, groFlushTimeout: 0 }
}

function setDeferHardIrqs(dev: Dev, value: number): void {
  if (value > 0x7fffffff) throw new Errno('ERANGE')
  netdevSetDeferHardIrqs(dev, value)
}

/**
 * The files in the directory of a network device.
 *
 * @kernel net_class_attrs[] net/core/net-sysfs.c
 */
export const NET_CLASS_ATTRS: Readonly<Record<string, Attr>> = {
  addr_assign_type: show((dev) => dec(dev.addrAssignType)),
  addr_len: show((dev) => dec(dev.addrLen)),
  address: show((dev) => macText(dev.devAddr, dev.addrLen)),
  broadcast: show((dev) => macText(dev.broadcast, dev.addrLen)),
  carrier,
  carrier_changes: show((dev) => dec(dev.carrierUpCount + dev.carrierDownCount)),
  carrier_down_count: show((dev) => dec(dev.carrierDownCount)),
  carrier_up_count: show((dev) => dec(dev.carrierUpCount)),
  dev_id: show(() => hex(0)),
  dev_port: show(() => dec(0)),
  dormant: show(running(netifDormant)),
  duplex: linkSetting((settings) => `${duplexName(settings.duplex)}\n`),
  flags: number((dev) => hex(dev.flags), devChangeFlags),
  gro_flush_timeout: number((dev) => dec(napiSettings(dev).groFlushTimeout), netdevSetGroFlushTimeout),
  ifalias,
  ifindex: show((dev) => dec(dev.ifindex)),
  iflink: show((dev) => dec(dev.iflink === 0 ? dev.ifindex : dev.iflink)),
  link_mode: show((dev) => dec(dev.linkmode)),
  mtu: number((dev) => dec(dev.mtu), devSetMtu),
  name_assign_type: show((dev) => dec(netSysfsState(dev.kernel).nameAssignType(dev))),
  napi_defer_hard_irqs: number((dev) => dec(napiSettings(dev).deferHardIrqs), setDeferHardIrqs),
  netdev_group: number(
    (dev) => dec(dev.group),
    (dev, value) => devSetGroup(dev, inRange(value)),
  ),
  operstate: show((dev) => `${OPERSTATES[netifRunning(dev) ? dev.operstate : IfOper.DOWN]}\n`),
  phys_port_id: () => refusing('EOPNOTSUPP'),
  phys_port_name: () => refusing('EOPNOTSUPP'),
  phys_switch_id: () => refusing('EOPNOTSUPP'),
  proto_down: number(
    () => dec(0),
    () => {
      throw new Errno('EOPNOTSUPP')
    },
  ),
  speed: linkSetting((settings) => dec(settings.speed | 0)),
  testing: show(running(netifTesting)),
  threaded: number((dev) => dec(threaded(dev) ? 1 : 0), setThreaded),
  tx_queue_len: number((dev) => dec(dev.txQueueLen), devChangeTxQueueLen),
  type: show((dev) => dec(dev.type)),
  uevent: netDeviceUevent,
}

function inRange(value: number): number {
  if (value > U32_MAX) throw new Errno('ERANGE')
  return value
}
