import type { Inet } from '@vnet/inet'
import type { Kernel } from '@vnet/kernel'
import { devGetByName, forEachNetdev } from '@vnet/netdev'
import { procModules } from '../module-text.ts'
import { liveDir, procFile, staticDir } from '../vfs/dirs.ts'
import type { VfsDir } from '../vfs/node.ts'
import { procNetArp, procNetIfInet6, procNetIgmp, procNetIgmp6, procNetRoute } from './inet-files.ts'
import { procInterrupts, procSoftirqs, procSoftnetStat } from './interrupts.ts'
import { procNetDev, procNetDevMcast } from './net-dev.ts'
import { procNetPacket } from './packet.ts'
import { procNetPtype } from './ptype.ts'
import { procNetDevSnmp6, procNetSnmp, procNetSnmp6 } from './snmp.ts'
import { sysNetDir } from './sysctl.ts'
import { procUptime, versionText } from './system.ts'

/** /proc. @kernel proc_root fs/proc/root.c */
export function procTree(kernel: Kernel, inet: Inet, name: string): VfsDir {
  return staticDir({
    interrupts: procFile(() => procInterrupts(kernel)),
    modules: procFile(() => procModules(kernel)),
    net: netDir(kernel, inet),
    softirqs: procFile(() => procSoftirqs(kernel)),
    sys: staticDir({
      kernel: staticDir({ tainted: procFile(() => `${kernel.modules.tainted}\n`) }),
      net: sysNetDir(inet),
    }),
    uptime: procFile(() => procUptime(kernel)),
    version: procFile(() => `${versionText(name)}\n`),
  })
}

/** /proc/net. @kernel proc_net_init() fs/proc/proc_net.c */
function netDir(kernel: Kernel, inet: Inet): VfsDir {
  return staticDir({
    arp: procFile(() => procNetArp(inet)),
    dev: procFile(() => procNetDev(kernel)),
    dev_mcast: procFile(() => procNetDevMcast(kernel)),
    dev_snmp6: devSnmp6Dir(kernel, inet),
    if_inet6: procFile(() => procNetIfInet6(inet)),
    igmp: procFile(() => procNetIgmp(inet)),
    igmp6: procFile(() => procNetIgmp6(inet)),
    packet: procFile(() => procNetPacket(kernel)),
    ptype: procFile(() => procNetPtype(kernel)),
    route: procFile(() => procNetRoute(inet)),
    snmp: procFile(() => procNetSnmp(inet)),
    snmp6: procFile(() => procNetSnmp6(inet)),
    softnet_stat: procFile(() => procSoftnetStat(kernel)),
  })
}

function devSnmp6Dir(kernel: Kernel, inet: Inet): VfsDir {
  return liveDir(
    () => forEachNetdev(kernel).map((dev) => dev.name),
    (name) => {
      const dev = devGetByName(kernel, name)
      if (dev === undefined || procNetDevSnmp6(inet, dev) === undefined) return undefined
      return procFile(() => procNetDevSnmp6(inet, dev) ?? '')
    },
  )
}
