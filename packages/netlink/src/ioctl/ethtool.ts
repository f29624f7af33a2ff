import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { EthtoolCall } from './call.ts'
import type { EthtoolIoctl } from './call.ts'
import { EthtoolCmd } from './ethtool-cmd.ts'
import { CARD_IOCTLS } from './ethtool-card.ts'
import { PARAM_IOCTLS } from './ethtool-params.ts'
import { RXFH_IOCTLS } from './ethtool-rxfh.ts'
import { STRING_IOCTLS } from './ethtool-strings.ts'
import { UserStruct } from './memory.ts'
import type { IoctlCaller } from './memory.ts'

const IOCTLS: ReadonlyMap<number, EthtoolIoctl> = new Map([
  ...CARD_IOCTLS,
  ...PARAM_IOCTLS,
  ...STRING_IOCTLS,
  ...RXFH_IOCTLS,
])

/** What everyone may ask; all else needs the right to change the network. */
const FOR_ALL: ReadonlySet<number> = new Set([
  EthtoolCmd.GDRVINFO,
  EthtoolCmd.GMSGLVL,
  EthtoolCmd.GLINK,
  EthtoolCmd.GCOALESCE,
  EthtoolCmd.GRINGPARAM,
  EthtoolCmd.GPAUSEPARAM,
  EthtoolCmd.GRXCSUM,
  EthtoolCmd.GTXCSUM,
  EthtoolCmd.GSG,
  EthtoolCmd.GSTRINGS,
  EthtoolCmd.GSTATS,
  EthtoolCmd.GTSO,
  EthtoolCmd.GPERMADDR,
  EthtoolCmd.GGSO,
  EthtoolCmd.GFLAGS,
  EthtoolCmd.GPFLAGS,
  EthtoolCmd.GRXFH,
  EthtoolCmd.GGRO,
  EthtoolCmd.GRXRINGS,
  EthtoolCmd.GRXCLSRLCNT,
  EthtoolCmd.GRXCLSRULE,
  EthtoolCmd.GRXCLSRLALL,
  EthtoolCmd.GSSET_INFO,
  EthtoolCmd.GRXFHINDIR,
  EthtoolCmd.GFEATURES,
  EthtoolCmd.GCHANNELS,
  EthtoolCmd.GET_TS_INFO,
  EthtoolCmd.GRSSH,
  EthtoolCmd.GLINKSETTINGS,
])

/**
 * SIOCETHTOOL: the command is the first word of the program's structure.
 *
 * @throws Errno EFAULT, EPERM, EOPNOTSUPP, and what the operation throws
 * @kernel dev_ethtool() net/ethtool/ioctl.c
 */
export function devEthtool(caller: IoctlCaller, dev: NetDevice<any>, address: bigint): void {
  const cmd = new UserStruct(caller.memory.copyFromUser(address, 4)).u32(0)
  if (!FOR_ALL.has(cmd) && !caller.capNetAdmin) throw new Errno('EPERM')
  const ioctl = IOCTLS.get(cmd)
  if (ioctl === undefined) throw new Errno('EOPNOTSUPP')
  ioctl(new EthtoolCall(caller, dev, cmd, address))
}
