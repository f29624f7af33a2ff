import { Ifa } from '@vnet/netlink'
import { INFINITY_LIFE_TIME, IfaFlag, type InIfaddr } from '@vnet/inet'
import type { Kernel } from '@vnet/kernel'
import type { NlWriter } from '@vnet/netlink'

/** Writes an address. @kernel inet_fill_ifaddr() net/ipv4/devinet.c, inet6_fill_ifaddr() net/ipv6/addrconf.c */
export function fillIfaddr(w: NlWriter, kernel: Kernel, ifa: InIfaddr): void {
  w.u8(ifa.family)
  w.u8(ifa.prefixlen)
  w.u8(ifa.flags & 0xff)
  w.u8(ifa.scope)
  w.u32(ifa.dev.ifindex)
  if (ifa.family === 2) putIpv4(w, ifa)
  else putIpv6(w, ifa)
  w.putU32(Ifa.FLAGS, ifa.flags)
  if (ifa.rtPriority !== 0) w.putU32(Ifa.RT_PRIORITY, ifa.rtPriority)
  if (ifa.proto !== 0) w.putU8(Ifa.PROTO, ifa.proto)
  putCacheinfo(w, kernel, ifa)
}

function putIpv4(w: NlWriter, ifa: InIfaddr): void {
  w.putBinary(Ifa.ADDRESS, ifa.address)
  w.putBinary(Ifa.LOCAL, ifa.local)
  if (ifa.broadcast !== null) w.putBinary(Ifa.BROADCAST, ifa.broadcast)
  if (ifa.label !== '') w.putString(Ifa.LABEL, ifa.label)
}

/** Only an address with another end is called local. */
function putIpv6(w: NlWriter, ifa: InIfaddr): void {
  if (ifa.local.some((byte, i) => byte !== ifa.address[i])) w.putBinary(Ifa.LOCAL, ifa.local)
  w.putBinary(Ifa.ADDRESS, ifa.address)
}

/** @kernel struct ifa_cacheinfo include/uapi/linux/if_addr.h */
function putCacheinfo(w: NlWriter, kernel: Kernel, ifa: InIfaddr): void {
  const view = new DataView(new ArrayBuffer(16))
  const permanent = (ifa.flags & IfaFlag.PERMANENT) !== 0
  const age = Math.floor((kernel.clock.ktimeGet() / 1e7 - ifa.tstamp) / 100)
  const left = (lifetime: number): number =>
    permanent || lifetime === INFINITY_LIFE_TIME ? INFINITY_LIFE_TIME : Math.max(0, lifetime - age)
  view.setUint32(0, left(ifa.preferredLft), true)
  view.setUint32(4, left(ifa.validLft), true)
  view.setUint32(8, ifa.cstamp, true)
  view.setUint32(12, ifa.tstamp, true)
  w.putBinary(Ifa.CACHEINFO, new Uint8Array(view.buffer))
}
