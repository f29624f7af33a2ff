/**
 * IPv4.
 *
 * @kernel ETH_P_IP include/uapi/linux/if_ether.h
 */
export const ETH_P_IP = 0x0800

/**
 * Address resolution.
 *
 * @kernel ETH_P_ARP include/uapi/linux/if_ether.h
 */
export const ETH_P_ARP = 0x0806

/**
 * Reverse address resolution.
 *
 * @kernel ETH_P_RARP include/uapi/linux/if_ether.h
 */
export const ETH_P_RARP = 0x8035

/**
 * A VLAN tag (802.1Q).
 *
 * @kernel ETH_P_8021Q include/uapi/linux/if_ether.h
 */
export const ETH_P_8021Q = 0x8100

/**
 * A provider's VLAN tag (802.1ad), which stands outside a customer's.
 *
 * @kernel ETH_P_8021AD include/uapi/linux/if_ether.h
 */
export const ETH_P_8021AD = 0x88a8

/**
 * IPv6.
 *
 * @kernel ETH_P_IPV6 include/uapi/linux/if_ether.h
 */
export const ETH_P_IPV6 = 0x86dd

/**
 * Link layer discovery.
 *
 * @kernel ETH_P_LLDP include/uapi/linux/if_ether.h
 */
export const ETH_P_LLDP = 0x88cc

/**
 * The first of two types anyone may use in their own network (IEEE 802); the hello frame has it.
 *
 * @kernel none
 */
export const ETH_P_LOCAL_EXPERIMENTAL_1 = 0x88b5

/**
 * The second type anyone may use in their own network (IEEE 802).
 *
 * @kernel none
 */
export const ETH_P_LOCAL_EXPERIMENTAL_2 = 0x88b6

/**
 * The smallest value that is a type; a smaller one is the length of an 802.3 frame.
 *
 * @kernel ETH_P_802_3_MIN include/uapi/linux/if_ether.h
 */
export const ETH_P_802_3_MIN = 0x0600

/**
 * True when the two bytes after the addresses are a type and not an 802.3 length.
 *
 * @kernel eth_proto_is_802_3() include/linux/etherdevice.h
 */
export function ethProtoIs8023(proto: number): boolean {
  return proto >= ETH_P_802_3_MIN
}

/**
 * True for the types that begin a VLAN tag.
 *
 * @kernel eth_type_vlan() include/linux/if_vlan.h
 */
export function ethTypeVlan(proto: number): boolean {
  return proto === ETH_P_8021Q || proto === ETH_P_8021AD
}

/** What tcpdump 4.99 calls the types. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [ETH_P_IP, 'IPv4'],
  [ETH_P_ARP, 'ARP'],
  [ETH_P_RARP, 'Reverse ARP'],
  [ETH_P_IPV6, 'IPv6'],
  [ETH_P_8021Q, '802.1Q'],
  [ETH_P_8021AD, '802.1Q-QinQ'],
  [0x9100, '802.1Q-9100'],
  [0x9200, '802.1Q-9200'],
  [ETH_P_LLDP, 'LLDP'],
  [0x88e5, '802.1AE MACsec'],
  [0x0600, 'NS'],
  [0x1000, 'Trail'],
  [0x6558, 'TEB'],
  [0x809b, 'Appletalk'],
  [0x80f3, 'Appletalk ARP'],
  [0x8137, 'IPX'],
  [0x880b, 'PPP'],
  [0x8808, 'MPCP'],
  [0x8809, 'Slow Protocols'],
  [0x8847, 'MPLS unicast'],
  [0x8848, 'MPLS multicast'],
  [0x8863, 'PPPoE D'],
  [0x8864, 'PPPoE S'],
  [0x886f, 'MS NLB heartbeat'],
  [0x8870, 'Jumbo'],
  [0x888e, 'EAPOL'],
  [0x8899, 'Realtek protocols'],
  [0x88a2, 'AoE'],
  [0x88ca, 'TIPC'],
  [0x88f7, 'PTP'],
  [0x8902, 'CFM'],
  [0x893a, 'IEEE1905.1'],
  [0x894f, 'NSH'],
  [0x9000, 'Loopback'],
])

/**
 * Names a type as tcpdump does (`'IPv4'`, `'ARP'`); null when it has no name.
 *
 * @kernel none
 */
export function ethTypeName(proto: number): string | null {
  return NAMES.get(proto) ?? null
}
