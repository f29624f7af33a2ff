import { modTimer } from '@vnet/kernel'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { IfaFlag } from '../types/constants.ts'
import { delIfa } from './devinet.ts'
import { isOver, scheduleLifetime } from './lifetime.ts'

/** Deprecates and removes addresses whose time is over. Process context. @kernel check_lifetime() net/ipv4/devinet.c */
export function checkLifetime(ipv4: Ipv4): void {
  const { rtnl, clock } = ipv4.kernel
  if (!rtnl.trylock()) {
    modTimer(ipv4.lifetimeTimer, clock.jiffies + 1)
    return
  }
  try {
    const now = Math.floor(clock.ktimeGet() / 10_000_000)
    for (const inDev of [...ipv4.devices.values()]) {
      for (const ifa of inDev.ifaList.slice()) {
        if (isOver(ifa, ifa.validLft, now)) delIfa(ipv4, inDev, ifa)
        else if (isOver(ifa, ifa.preferredLft, now) && (ifa.flags & IfaFlag.DEPRECATED) === 0) {
          ifa.flags |= IfaFlag.DEPRECATED
          ipv4.inet.events.emit('addr', 'new', ifa)
        }
      }
    }
    scheduleLifetime(ipv4)
  } finally {
    rtnl.unlock()
  }
}
