import { modTimer, timerDelete } from '@vnet/kernel'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { IfaFlag, INFINITY_LIFE_TIME } from '../types/constants.ts'
import type { Ifaddr4 } from './ifaddr.ts'

/** Has the lifetimes looked at when the next one ends. @kernel check_lifetime() net/ipv4/devinet.c */
export function scheduleLifetime(ipv4: Ipv4): void {
  let next = Infinity
  for (const inDev of ipv4.devices.values()) {
    for (const ifa of inDev.ifaList) next = Math.min(next, nextChange(ifa))
  }
  if (next === Infinity) {
    timerDelete(ipv4.lifetimeTimer)
    return
  }
  const { clock } = ipv4.kernel
  modTimer(ipv4.lifetimeTimer, Math.max(Math.ceil((next * clock.hz) / 100), clock.jiffies + 1))
}

/** In hundredths of a second since boot. */
function nextChange(ifa: Ifaddr4): number {
  const deprecated = (ifa.flags & IfaFlag.DEPRECATED) !== 0
  return Math.min(endOf(ifa, ifa.validLft), deprecated ? Infinity : endOf(ifa, ifa.preferredLft))
}

function endOf(ifa: Ifaddr4, seconds: number): number {
  return seconds === INFINITY_LIFE_TIME ? Infinity : ifa.tstamp + seconds * 100
}

/** Its time is over. @kernel none */
export function isOver(ifa: Ifaddr4, seconds: number, now: number): boolean {
  return now >= endOf(ifa, seconds)
}
