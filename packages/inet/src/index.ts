/**
 * Addresses, routes, neighbours, ARP, IPv4, IPv6, ICMP and UDP on a net_device.
 *
 * @packageDocumentation
 */

export { inetOf } from './inet-of.ts'
export { fibAdd, fibDel, fibDump, fibLookup, Inet, inetAddrAdd, inetAddrDel } from './inet.ts'
export type { InetFamily } from './family.ts'
export { RtGenid } from './genid.ts'
export { InetEvents } from './events.ts'
export type { InetEventKind, InetEventMap, InetListener } from './events.ts'
export * from './types/constants.ts'
export type * from './types/objects.ts'
export * from './neigh/index.ts'
export * from './sock/index.ts'
export { TcpMib } from './tcp/mib.ts'
export * from './ipv4/index.ts'
export * from './ipv6/index.ts'
export { netDeviceStreams } from './streams/net-device-streams.ts'
export type { NetDeviceStreams } from './streams/net-device-streams.ts'
