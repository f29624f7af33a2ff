/**
 * Frames in UDP datagrams, plain or VXLAN, as a cable to another machine.
 *
 * `udpBackend()` is a cable with two ends; `vxlanBackend()` an Ethernet over many machines, kernels among them.
 *
 * @packageDocumentation
 */

export { UdpBackend, udpBackend } from './udp-backend.ts'
export type { UdpOptions } from './udp-backend.ts'
export { VxlanBackend, vxlanBackend } from './vxlan-backend.ts'
export type { VxlanOptions } from './vxlan-backend.ts'
export { DatagramBackend } from './datagram-backend.ts'
export type { UdpAddress, UdpCommonOptions } from './options.ts'
export { UdpStats } from './stats.ts'
export { getVxlanVni, putVxlanHeader, VXLAN_HLEN, VXLAN_N_VID, VXLAN_PORT } from './vxlan-header.ts'
