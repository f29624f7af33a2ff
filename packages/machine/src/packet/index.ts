export { packetFamily, PacketFamily } from './family.ts'
export { BpfProgram } from './bpf.ts'
export type { BpfContext } from './bpf.ts'
export { PacketMr, PacketOption, SOL_PACKET, TPacket, TpStatus } from './constants.ts'
