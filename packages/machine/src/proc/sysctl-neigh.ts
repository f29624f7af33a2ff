import type { NeighParms, NeighTable } from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import { devGetByName } from '@vnet/netdev'
import { liveDir, mergedDir, staticDir } from '../vfs/dirs.ts'
import type { VfsDir, VfsFile } from '../vfs/node.ts'
import { intFile } from './int-file.ts'

type Setting = { [K in keyof NeighParms]: NeighParms[K] extends number ? K : never }[keyof NeighParms]
/** Settings that only are computed. */
type Settable = Exclude<Setting, 'reachableTime'>

/** Milliseconds in the unit of a file. */
const MS = 1
const SECOND = 1000
/** Files of old whose unit is a tick of user space. @kernel USER_HZ include/asm-generic/param.h */
const USER_TICK = 10

const FIELDS: Readonly<Record<string, readonly [key: Settable, unit: number]>> = {
  anycast_delay: ['anycastDelay', USER_TICK],
  app_solicit: ['appProbes', 1],
  base_reachable_time: ['baseReachableTime', SECOND],
  base_reachable_time_ms: ['baseReachableTime', MS],
  delay_first_probe_time: ['delayProbeTime', SECOND],
  gc_stale_time: ['gcStaletime', SECOND],
  locktime: ['locktime', USER_TICK],
  mcast_resolicit: ['mcastReprobes', 1],
  mcast_solicit: ['mcastProbes', 1],
  proxy_delay: ['proxyDelay', USER_TICK],
  proxy_qlen: ['proxyQlen', 1],
  retrans_time: ['retransTime', USER_TICK],
  retrans_time_ms: ['retransTime', MS],
  ucast_solicit: ['ucastProbes', 1],
  unres_qlen_bytes: ['queueLenBytes', 1],
}

/** @throws Errno EINVAL below zero @kernel neigh_sysctl_template net/core/neighbour.c */
function settingFile(parms: NeighParms, key: Settable, unit: number): VfsFile {
  return intFile(
    () => Math.floor(parms[key] / unit),
    (value) => {
      if (value < 0) throw new Errno('EINVAL')
      parms[key] = value * unit
    },
  )
}

function parmsDir(parms: NeighParms): VfsDir {
  return liveDir(
    () => Object.keys(FIELDS),
    (name) => {
      if (!Object.hasOwn(FIELDS, name)) return undefined
      const [key, unit] = FIELDS[name]!
      return settingFile(parms, key, unit)
    },
  )
}

function threshold(table: NeighTable, key: 'gcThresh1' | 'gcThresh2' | 'gcThresh3'): VfsFile {
  return intFile(
    () => table[key],
    (value) => {
      if (value < 0) throw new Errno('EINVAL')
      table[key] = value
    },
  )
}

/** /proc/sys/net/ipv4/neigh and ipv6/neigh. @kernel neigh_sysctl_register() net/core/neighbour.c */
export function neighDir(table: NeighTable): VfsDir {
  const thresholds = staticDir({
    gc_thresh1: threshold(table, 'gcThresh1'),
    gc_thresh2: threshold(table, 'gcThresh2'),
    gc_thresh3: threshold(table, 'gcThresh3'),
  })
  return liveDir(
    () => ['default', ...[...table.devParms.keys()].map((dev) => dev.name)],
    (name) => {
      if (name === 'default') return mergedDir(parmsDir(table.parms), thresholds)
      const dev = devGetByName(table.kernel, name)
      const parms = dev === undefined ? undefined : table.devParms.get(dev)
      return parms === undefined ? undefined : parmsDir(parms)
    },
  )
}
