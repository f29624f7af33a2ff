import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, unsupported } from './core.ts'
import { ethtoolOps } from './ops.ts'
import { ssetCount } from './strset.ts'

/**
 * Who drives a device, and how much it can tell.
 *
 * @kernel struct ethtool_drvinfo include/uapi/linux/ethtool.h
 */
export interface EthtoolDrvinfo {
  readonly driver: string
  readonly version: string
  readonly fwVersion: string
  readonly eromVersion: string
  readonly busInfo: string
  readonly nStats: number
  readonly testinfoLen: number
  readonly eedumpLen: number
  readonly regdumpLen: number
  readonly nPrivFlags: number
}

/**
 * Reads who drives a device.
 *
 * The driver need not say: its name comes from the device, or the kind of a virtual device, or the module.
 *
 * @throws Errno EOPNOTSUPP nobody knows a driver's name; ENODEV
 * @kernel ethtool_get_drvinfo() net/ethtool/ioctl.c
 * @rule ETH-13
 */
export function ethtoolGetDrvinfo(dev: NetDevice<any>): EthtoolDrvinfo {
  const ops = ethtoolOps(dev)
  const defaults = coreDrvinfo(dev)
  if (ops.getDrvinfo === undefined && defaults.driver === '') throw unsupported()
  return ethnlOps(dev, () => ({
    ...defaults,
    ...withoutEmpty(ops.getDrvinfo?.(dev)),
    nStats: ssetCount(dev, 'stats') ?? 0,
    testinfoLen: ssetCount(dev, 'test') ?? 0,
    eedumpLen: ops.getEepromLen?.(dev) ?? 0,
    regdumpLen: ops.getRegsLen?.(dev) ?? 0,
    nPrivFlags: ssetCount(dev, 'priv-flags') ?? 0,
  }))
}

function coreDrvinfo(
  dev: NetDevice<any>,
): Pick<EthtoolDrvinfo, 'driver' | 'version' | 'fwVersion' | 'eromVersion' | 'busInfo'> {
  const module = dev.module === null ? undefined : dev.kernel.modules.get(dev.module)
  return {
    driver: dev.driverName || dev.linkKind || dev.module || '',
    version: dev.driverVersion || (module?.def.version ?? ''),
    fwVersion: dev.firmwareVersion,
    eromVersion: '',
    busInfo: dev.busInfo || (dev.parentDev ?? ''),
  }
}

/** What a driver leaves empty, the core fills in. */
function withoutEmpty(info: Partial<EthtoolDrvinfo> | undefined): Partial<EthtoolDrvinfo> {
  return Object.fromEntries(Object.entries(info ?? {}).filter(([, value]) => value !== ''))
}
