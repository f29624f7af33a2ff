/**
 * A net_device on a queue of a host's interface by AF_XDP.
 *
 * It is not a cable but a second kind of driver: AF_XDP's four rings and its memory are the descriptor rings of
 * `@vnet/core-ring` and the buffer pool of `@vnet/netdev`, with the host's kernel at the other end.
 *
 * @packageDocumentation
 */
export { createAfxdp, destroyAfxdp } from './device.ts'
export type { AfxdpOptions } from './device.ts'
export type { AfxdpPriv, AfxdpSettings } from './priv.ts'
export { XdpProgram } from './bpf.ts'
export type { XdpMode } from './bpf.ts'
export { Xsk } from './xsk.ts'
export type { XskOptions, XskStatistics } from './xsk.ts'
