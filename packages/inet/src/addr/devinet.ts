import { Errno } from '@vnet/kernel'
import { getUnalignedBe32 } from '@vnet/wire'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { fibDisableIp } from '../fib/disable.ts'
import { fibAddIfaddr, fibDelIfaddr } from '../fib/ifaddr-routes.ts'
import { fibSyncUp } from '../fib/sync.ts'
import { IfaFlag, INFINITY_LIFE_TIME, NlmNew, RtnhFlag } from '../types/constants.ts'
import type { IfaddrConfig, IfaddrMatch } from '../types/objects.ts'
import { Ifaddr4, setIfaLifetime } from './ifaddr.ts'
import type { InDevice } from './in-device.ts'
import { scheduleLifetime } from './lifetime.ts'

/** Gives a device an address, or an address new lifetimes. @throws Errno with the kernel's sentence @kernel inet_rtm_newaddr() net/ipv4/devinet.c */
export function addr4Add(ipv4: Ipv4, config: IfaddrConfig, nlmFlags: number): Ifaddr4 {
  check(config)
  const inDev = ipv4.inDev(config.dev)
  if (inDev === null) throw new Errno('ENOBUFS')
  const ifa = new Ifaddr4(config)
  const known = inDev.ifaList.find(
    (other) => other.sameSubnet(ifa) && other.mask === ifa.mask && other.localNr === ifa.localNr,
  )
  if (known === undefined) {
    insertIfa(ipv4, inDev, ifa)
    return ifa
  }
  if ((nlmFlags & NlmNew.EXCL) !== 0 || (nlmFlags & NlmNew.REPLACE) === 0) alreadyAssigned()
  change(ipv4, inDev, known, ifa)
  return known
}

/** Takes an address from a device. @throws Errno EADDRNOTAVAIL "ipv4: Address not found" @kernel inet_rtm_deladdr() net/ipv4/devinet.c */
export function addr4Del(ipv4: Ipv4, match: IfaddrMatch): void {
  const inDev = ipv4.inDev(match.dev)
  if (inDev === null) throw new Errno('ENODEV', 'ipv4: Device not found')
  const ifa = inDev.ifaList.find((one) => fits(one, match))
  if (ifa === undefined) throw new Errno('EADDRNOTAVAIL', 'ipv4: Address not found')
  delIfa(ipv4, inDev, ifa)
}

/** The addresses of one device or all, in order. @kernel inet_dump_ifaddr() net/ipv4/devinet.c */
export function addr4List(ipv4: Ipv4, dev?: Ifaddr4['dev']): readonly Ifaddr4[] {
  if (dev !== undefined) return ipv4.inDev(dev)?.ifaList ?? []
  return [...ipv4.devices.values()]
    .sort((a, b) => a.dev.ifindex - b.dev.ifindex)
    .flatMap((inDev) => inDev.ifaList)
}

/** Puts a checked address on a device's list, with its routes. @throws Errno EEXIST, EINVAL @kernel __inet_insert_ifa() net/ipv4/devinet.c */
export function insertIfa(ipv4: Ipv4, inDev: InDevice, ifa: Ifaddr4): void {
  const { ifaList } = inDev
  let place = 0
  for (let i = 0; i < ifaList.length; i++) {
    const other = ifaList[i]!
    if (!other.secondary && ifa.scope <= other.scope) place = i + 1
    if (!other.sameSubnet(ifa)) continue
    if (other.localNr === ifa.localNr) alreadyAssigned()
    if (other.scope !== ifa.scope) throw new Errno('EINVAL', 'ipv4: Invalid scope value')
    ifa.flags |= IfaFlag.SECONDARY
  }
  if (ifa.secondary) ifaList.push(ifa)
  else ifaList.splice(place, 0, ifa)
  scheduleLifetime(ipv4)
  ipv4.inet.events.emit('addr', 'new', ifa)
  fibAddIfaddr(ipv4, inDev, ifa)
  fibSyncUp(ipv4, inDev.dev, RtnhFlag.DEAD)
}

/** Takes an address off a device's list, with its secondaries unless they are promoted. @kernel __inet_del_ifa() net/ipv4/devinet.c */
export function delIfa(ipv4: Ipv4, inDev: InDevice, ifa: Ifaddr4): void {
  const heirs =
    ifa.secondary || inDev.dead ? [] : inDev.ifaList.filter((o) => o.secondary && o.sameSubnet(ifa))
  if (heirs.length > 0 && inDev.cnf.promoteSecondaries) {
    promote(ipv4, inDev, ifa, heirs)
    return
  }
  for (const heir of heirs) unlink(ipv4, inDev, heir)
  unlink(ipv4, inDev, ifa)
}

/** The first secondary becomes primary, the others hang on it. */
function promote(ipv4: Ipv4, inDev: InDevice, ifa: Ifaddr4, heirs: readonly Ifaddr4[]): void {
  const { ifaList } = inDev
  const [first] = heirs
  // All their routes name the old primary as source.
  for (const heir of heirs) fibDelIfaddr(ipv4, inDev, heir)
  unlink(ipv4, inDev, ifa)
  ifaList.splice(ifaList.indexOf(first!), 1)
  first!.flags &= ~IfaFlag.SECONDARY
  let place = 0
  ifaList.forEach((other, i) => {
    if (!other.secondary && first!.scope <= other.scope) place = i + 1
  })
  ifaList.splice(place, 0, first!)
  ipv4.inet.events.emit('addr', 'new', first!)
  for (const heir of heirs) fibAddIfaddr(ipv4, inDev, heir)
}

function unlink(ipv4: Ipv4, inDev: InDevice, ifa: Ifaddr4): void {
  const { ifaList } = inDev
  const at = ifaList.indexOf(ifa)
  // A secondary's routes name its primary, which the list must still show.
  const routesFirst = ifa.secondary
  if (routesFirst) fibDelIfaddr(ipv4, inDev, ifa)
  ifaList.splice(at, 1)
  scheduleLifetime(ipv4)
  ipv4.inet.events.emit('addr', 'del', ifa)
  fibDelIfaddr(ipv4, inDev, ifa)
  if (ifaList.length === 0) fibDisableIp(ipv4, inDev.dev, 'down', true)
}

function check(config: IfaddrConfig): void {
  const { validLft: valid = INFINITY_LIFE_TIME, preferredLft: preferred = INFINITY_LIFE_TIME } = config
  if (config.prefixlen > 32 || config.prefixlen < 0) {
    throw new Errno('EINVAL', 'ipv4: Invalid prefix length')
  }
  if (config.local.length !== 4) throw new Errno('EINVAL', 'ipv4: Local address is not supplied')
  if (valid === 0 || preferred > valid) throw new Errno('EINVAL', 'ipv4: address lifetime invalid')
}

function alreadyAssigned(): never {
  throw new Errno('EEXIST', 'ipv4: Address already assigned')
}

function change(ipv4: Ipv4, inDev: InDevice, known: Ifaddr4, wanted: Ifaddr4): void {
  if (known.rtPriority !== wanted.rtPriority) {
    fibDelIfaddr(ipv4, inDev, known)
    known.rtPriority = wanted.rtPriority
    fibAddIfaddr(ipv4, inDev, known)
  }
  setIfaLifetime(known, wanted.validLft, wanted.preferredLft)
  known.proto = wanted.proto
  scheduleLifetime(ipv4)
  ipv4.inet.events.emit('addr', 'new', known)
}

function fits(ifa: Ifaddr4, match: IfaddrMatch): boolean {
  if (match.local !== undefined && getUnalignedBe32(match.local, 0) !== ifa.localNr) return false
  if (match.label !== undefined && match.label !== ifa.label) return false
  if (match.address === undefined) return true
  if (match.prefixlen !== undefined && match.prefixlen !== ifa.prefixlen) return false
  return ifa.matches(getUnalignedBe32(match.address, 0))
}
