import {
  addrconfSetAddrGenMode,
  addrconfSetDisableIpv6,
  addrconfSetForwarding,
  In6AddrGenMode,
  ipv6Of,
  type Inet,
  type Inet6Dev,
  type Ipv6,
} from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import { devGetByName } from '@vnet/netdev'
import { IPV4_DEVCONF, IPV6_DEVCONF, type DevconfField, type Ipv6Cnf } from '../devconf.ts'
import { liveDir, mergedDir, staticDir } from '../vfs/dirs.ts'
import { intFile } from './int-file.ts'
import { sysNetCoreDir } from './sysctl-core.ts'
import { neighDir } from './sysctl-neigh.ts'
import type { VfsDir, VfsFile } from '../vfs/node.ts'

/** /proc/sys/net: what of it does something. @kernel net_sysctl_root net/sysctl_net.c */
export function sysNetDir(inet: Inet): VfsDir {
  return staticDir({
    core: sysNetCoreDir(inet.kernel),
    ipv4: staticDir({
      conf: ipv4Conf(inet),
      icmp_echo_ignore_all: flagFile(inet, 'icmpEchoIgnoreAll'),
      icmp_echo_ignore_broadcasts: flagFile(inet, 'icmpEchoIgnoreBroadcasts'),
      ip_default_ttl: ttlFile(inet),
      ip_forward: forwardFile(inet),
      neigh: neighDir(inet.neighTable(2)),
    }),
    ipv6: staticDir({ conf: ipv6Conf(inet), neigh: neighDir(inet.neighTable(10)) }),
  })
}

/** IPv4 passes packets on for all devices or for none. @kernel ipv4_doint_and_flush, devinet_sysctl_forward() net/ipv4/devinet.c */
function forwardFile(inet: Inet): VfsFile {
  return intFile(
    () => (inet.ipForward ? 1 : 0),
    (value) => (inet.ipForward = value !== 0),
  )
}

/** @throws Errno EINVAL outside 1 to 255 @kernel ipv4_table net/ipv4/sysctl_net_ipv4.c */
function ttlFile(inet: Inet): VfsFile {
  const { sysctl } = inet.ipv4
  return intFile(
    () => sysctl.ipDefaultTtl,
    (value) => {
      if (value < 1 || value > 255) throw new Errno('EINVAL')
      sysctl.ipDefaultTtl = value
    },
  )
}

function flagFile(inet: Inet, key: 'icmpEchoIgnoreAll' | 'icmpEchoIgnoreBroadcasts'): VfsFile {
  const { sysctl } = inet.ipv4
  return intFile(
    () => (sysctl[key] ? 1 : 0),
    (value) => (sysctl[key] = value !== 0),
  )
}

/** Settings say how packets go: with each change the ways are looked up anew. */
function fieldsDir<C>(inet: Inet, fields: readonly DevconfField<C>[], cnf: C): VfsDir {
  return liveDir(
    () => fields.map((field) => field.name),
    (name) => {
      const field = fields.find((one) => one.name === name)
      if (field === undefined) return undefined
      const { set } = field
      return intFile(
        () => field.get(cnf),
        set === undefined
          ? undefined
          : (value) => {
              set.call(field, cnf, value)
              inet.rtGenid.bump()
            },
      )
    },
  )
}

/** A directory for each device that IPv4 knows, and `all` for what concerns all. @kernel __devinet_sysctl_register() net/ipv4/devinet.c */
function ipv4Conf(inet: Inet): VfsDir {
  return liveDir(
    () => ['all', ...[...inet.ipv4.devices.keys()].map((dev) => dev.name)],
    (name) => {
      if (name === 'all') return staticDir({ forwarding: forwardFile(inet) })
      const dev = devGetByName(inet.kernel, name)
      const inDev = dev === undefined ? null : inet.ipv4.inDev(dev)
      return inDev === null ? undefined : fieldsDir(inet, IPV4_DEVCONF, inDev.cnf)
    },
  )
}

/** The same for IPv6, with `all` and `default`. @kernel __addrconf_sysctl_register() net/ipv6/addrconf.c */
function ipv6Conf(inet: Inet): VfsDir {
  const ipv6 = ipv6Of(inet)
  return liveDir(
    () => ['all', 'default', ...[...ipv6.devs.keys()].map((dev) => dev.name)],
    (name) => {
      if (name === 'all') return confDir(ipv6, ipv6.devconfAll, [...ipv6.devs.values()])
      if (name === 'default') return confDir(ipv6, ipv6.devconfDflt, [])
      const dev = devGetByName(inet.kernel, name)
      const idev = dev === undefined ? undefined : ipv6.devs.get(dev)
      return idev === undefined ? undefined : confDir(ipv6, idev.cnf, [idev])
    },
  )
}

/** The settings that only are kept, and those with consequences for devices. */
function confDir(ipv6: Ipv6, cnf: Ipv6Cnf, devices: readonly Inet6Dev[]): VfsDir {
  const { rtnl } = ipv6.kernel
  const acting = (
    key: 'addrGenMode' | 'disableIpv6' | 'forwarding',
    act: (idev: Inet6Dev, value: number) => void,
  ) =>
    intFile(
      () => cnf[key],
      (value) =>
        rtnl.run(() => {
          for (const idev of devices) act(idev, value)
          cnf[key] = value
          // What holds for all devices holds for those to come.
          if (key === 'forwarding' && cnf === ipv6.devconfAll) ipv6.devconfDflt.forwarding = value
        }),
    )
  return mergedDir(
    fieldsDir(ipv6.inet, IPV6_DEVCONF, cnf),
    staticDir({
      addr_gen_mode: acting('addrGenMode', setAddrGenMode),
      disable_ipv6: acting('disableIpv6', (idev, value) => addrconfSetDisableIpv6(idev, value !== 0)),
      forwarding: acting('forwarding', addrconfSetForwarding),
    }),
  )
}

/** A stable address needs a secret, which nobody has set. @throws Errno EINVAL @kernel addrconf_sysctl_addr_gen_mode() net/ipv6/addrconf.c */
function setAddrGenMode(idev: Inet6Dev, mode: number): void {
  if (mode !== In6AddrGenMode.EUI64 && mode !== In6AddrGenMode.NONE) throw new Errno('EINVAL')
  addrconfSetAddrGenMode(idev, mode)
}
