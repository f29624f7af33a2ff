import type { NetDevice } from '@vnet/netdev'
import { getUnalignedBe32, inetMakeMask, ipv4IsLoopback } from '@vnet/wire'
import { IfaFlag, INFINITY_LIFE_TIME, RtScope } from '../types/constants.ts'
import type { IfaddrConfig, InIfaddr } from '../types/objects.ts'

/** Flags that mean something for IPv6 only. @kernel IPV6ONLY_FLAGS net/ipv4/devinet.c */
const IPV6_ONLY =
  IfaFlag.NODAD |
  IfaFlag.OPTIMISTIC |
  IfaFlag.DADFAILED |
  IfaFlag.HOMEADDRESS |
  IfaFlag.TENTATIVE |
  IfaFlag.MANAGETEMPADDR |
  IfaFlag.STABLE_PRIVACY

/** An IPv4 address of a device, with its numbers in host order. @kernel struct in_ifaddr include/linux/inetdevice.h */
export class Ifaddr4 implements InIfaddr {
  readonly dev: NetDevice<any>
  readonly family = 2
  readonly local: Uint8Array
  readonly address: Uint8Array
  readonly prefixlen: number
  readonly broadcast: Uint8Array | null
  label: string
  readonly scope: number
  flags: number
  validLft: number = INFINITY_LIFE_TIME
  preferredLft: number = INFINITY_LIFE_TIME
  cstamp: number
  tstamp: number
  proto: number
  rtPriority: number
  readonly localNr: number
  readonly addressNr: number
  readonly mask: number
  /** 0: none. */
  readonly broadcastNr: number

  constructor(config: IfaddrConfig) {
    const { dev, local } = config
    this.dev = dev
    this.local = local.slice()
    this.address = (config.address ?? local).slice()
    this.prefixlen = config.prefixlen
    this.broadcast = config.broadcast?.slice() ?? null
    this.label = config.label ?? dev.name
    this.localNr = getUnalignedBe32(this.local, 0)
    this.addressNr = getUnalignedBe32(this.address, 0)
    this.mask = inetMakeMask(config.prefixlen)
    this.broadcastNr = this.broadcast === null ? 0 : getUnalignedBe32(this.broadcast, 0)
    this.scope = config.scope ?? (ipv4IsLoopback(this.localNr) ? RtScope.HOST : RtScope.UNIVERSE)
    this.flags = (config.flags ?? 0) & ~(IPV6_ONLY | IfaFlag.SECONDARY)
    this.proto = config.proto ?? 0
    this.rtPriority = config.rtPriority ?? 0
    const now = centiseconds(dev)
    this.cstamp = now
    this.tstamp = now
    setIfaLifetime(this, config.validLft ?? INFINITY_LIFE_TIME, config.preferredLft ?? INFINITY_LIFE_TIME)
  }

  /** The network's number. */
  get prefix(): number {
    return (this.addressNr & this.mask) >>> 0
  }

  get secondary(): boolean {
    return (this.flags & IfaFlag.SECONDARY) !== 0
  }

  /** True when an address lies in this network. @kernel inet_ifa_match() include/linux/inetdevice.h */
  matches(address: number): boolean {
    return ((address ^ this.addressNr) & this.mask) === 0
  }

  /** True for the same network. */
  sameSubnet(other: Ifaddr4): boolean {
    return this.mask === other.mask && this.matches(other.addressNr)
  }
}

/** Sets how long an address lives, from now on. @kernel set_ifa_lifetime() net/ipv4/devinet.c */
export function setIfaLifetime(ifa: Ifaddr4, valid: number, preferred: number): void {
  ifa.flags &= ~(IfaFlag.PERMANENT | IfaFlag.DEPRECATED)
  ifa.validLft = valid
  ifa.preferredLft = preferred
  if (valid === INFINITY_LIFE_TIME) ifa.flags |= IfaFlag.PERMANENT
  if (preferred === 0) ifa.flags |= IfaFlag.DEPRECATED
  ifa.tstamp = centiseconds(ifa.dev)
}

/** The time since boot in hundredths of a second. */
function centiseconds(dev: NetDevice<any>): number {
  return Math.floor(dev.kernel.clock.ktimeGet() / 10_000_000)
}
