import { Iff } from './constants.ts'
import { enterControl } from './control.ts'
import { netifCarrierOk, netifDormant, netifOperUp } from './carrier.ts'
import type { NetDevice } from './netdevice.ts'
import { tellNetdeviceNotifiers } from './notifier.ts'
import { devOpenLocked, devStop } from './open.ts'
import { devSetRxMode, setAllmulti, setPromiscuity } from './rx-mode.ts'
import { netifRunning } from './running.ts'

const USER_FLAGS =
  Iff.DEBUG | Iff.NOTRAILERS | Iff.NOARP | Iff.DYNAMIC | Iff.MULTICAST | Iff.PORTSEL | Iff.AUTOMEDIA
const VOLATILE =
  Iff.LOOPBACK |
  Iff.POINTOPOINT |
  Iff.BROADCAST |
  Iff.ECHO |
  Iff.MASTER |
  Iff.SLAVE |
  Iff.RUNNING |
  Iff.LOWER_UP |
  Iff.DORMANT
const COUNTED = Iff.PROMISC | Iff.ALLMULTI

/**
 * The flags as user space sees them: RUNNING, LOWER_UP and DORMANT follow the operational state, PROMISC and ALLMULTI
 * say what a user asked for.
 *
 * @kernel dev_get_flags() net/core/dev.c
 * @rule LINK-08
 */
export function devGetFlags(dev: NetDevice<any>): number {
  let flags = (dev.flags & ~(COUNTED | Iff.RUNNING | Iff.LOWER_UP | Iff.DORMANT)) | (dev.gflags & COUNTED)
  if (!netifRunning(dev)) return flags
  if (netifOperUp(dev)) flags |= Iff.RUNNING
  if (netifCarrierOk(dev)) flags |= Iff.LOWER_UP
  if (netifDormant(dev)) flags |= Iff.DORMANT
  return flags
}

/**
 * Sets a device's flags as `ip link set` does; UP opens or closes it. rtnl is held.
 *
 * @param flags - all flags, as `devGetFlags` gives them with some changed
 * @kernel dev_change_flags() net/core/dev.c
 * @rule CTX-01
 */
export function devChangeFlags(dev: NetDevice<any>, flags: number): void {
  enterControl(dev, 'devChangeFlags')
  const oldFlags = dev.flags
  const oldAsked = dev.gflags
  try {
    changeFlags(dev, flags, oldFlags)
  } finally {
    notifyFlags(dev, (oldFlags ^ dev.flags) | (oldAsked ^ dev.gflags))
  }
}

function changeFlags(dev: NetDevice<any>, flags: number, old: number): void {
  dev.flags = (flags & USER_FLAGS) | (old & (Iff.UP | VOLATILE | COUNTED))
  devSetRxMode(dev)
  if (((old ^ flags) & Iff.UP) !== 0) {
    if ((old & Iff.UP) !== 0) devStop(dev)
    else devOpenLocked(dev)
  }
  if (((flags ^ dev.gflags) & Iff.PROMISC) !== 0) {
    dev.gflags ^= Iff.PROMISC
    if (setPromiscuity(dev, (flags & Iff.PROMISC) !== 0 ? 1 : -1)) devSetRxMode(dev)
  }
  if (((flags ^ dev.gflags) & Iff.ALLMULTI) !== 0) {
    dev.gflags ^= Iff.ALLMULTI
    if (setAllmulti(dev, (flags & Iff.ALLMULTI) !== 0 ? 1 : -1)) devSetRxMode(dev)
  }
}

function notifyFlags(dev: NetDevice<any>, changes: number): void {
  if ((changes & Iff.UP) !== 0)
    tellNetdeviceNotifiers((dev.flags & Iff.UP) !== 0 ? 'NETDEV_UP' : 'NETDEV_DOWN', dev)
  if ((dev.flags & Iff.UP) !== 0 && (changes & ~(Iff.UP | COUNTED | VOLATILE)) !== 0) {
    tellNetdeviceNotifiers('NETDEV_CHANGE', dev)
  }
}
