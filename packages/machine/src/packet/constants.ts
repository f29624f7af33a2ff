/** Option level of packet sockets. @kernel SOL_PACKET include/linux/socket.h */
export const SOL_PACKET = 263

/** Options of level {@link SOL_PACKET}. @kernel PACKET_ADD_MEMBERSHIP include/uapi/linux/if_packet.h */
export const PacketOption = {
  ADD_MEMBERSHIP: 1,
  DROP_MEMBERSHIP: 2,
  RX_RING: 5,
  STATISTICS: 6,
  COPY_THRESH: 7,
  AUXDATA: 8,
  ORIGDEV: 9,
  VERSION: 10,
  HDRLEN: 11,
  RESERVE: 12,
  TIMESTAMP: 17,
  IGNORE_OUTGOING: 23,
} as const

/** What a socket wants to see beyond its own. @kernel PACKET_MR_MULTICAST include/uapi/linux/if_packet.h */
export const PacketMr = { MULTICAST: 0, PROMISC: 1, ALLMULTI: 2, UNICAST: 3 } as const

/** Layouts of a ring. @kernel enum tpacket_versions include/uapi/linux/if_packet.h */
export const TPacket = { V1: 0, V2: 1, V3: 2 } as const

/** Status of a frame, of a block, and in auxiliary data. @kernel TP_STATUS_USER include/uapi/linux/if_packet.h */
export const TpStatus = {
  KERNEL: 0,
  USER: 1,
  LOSING: 1 << 2,
  CSUMNOTREADY: 1 << 3,
  VLAN_VALID: 1 << 4,
  BLK_TMO: 1 << 5,
  VLAN_TPID_VALID: 1 << 6,
  CSUM_VALID: 1 << 7,
  GSO_TCP: 1 << 8,
} as const

/** Rings begin each thing at multiples of 16. @kernel TPACKET_ALIGN() include/uapi/linux/if_packet.h */
export function tpacketAlign(length: number): number {
  return (length + 15) & ~15
}
