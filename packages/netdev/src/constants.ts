/**
 * Interface flags: what `ip link` prints between the angle brackets.
 *
 * @kernel enum net_device_flags include/uapi/linux/if.h
 */
export const Iff = {
  UP: 0x1,
  BROADCAST: 0x2,
  DEBUG: 0x4,
  LOOPBACK: 0x8,
  POINTOPOINT: 0x10,
  NOTRAILERS: 0x20,
  RUNNING: 0x40,
  NOARP: 0x80,
  PROMISC: 0x100,
  ALLMULTI: 0x200,
  MASTER: 0x400,
  SLAVE: 0x800,
  MULTICAST: 0x1000,
  PORTSEL: 0x2000,
  AUTOMEDIA: 0x4000,
  DYNAMIC: 0x8000,
  LOWER_UP: 0x10000,
  DORMANT: 0x20000,
  ECHO: 0x40000,
} as const

/**
 * Private interface flags: what the kernel knows about a device and user space does not set.
 *
 * @kernel enum netdev_priv_flags include/linux/netdevice.h
 */
export const IffPriv = {
  LIVE_ADDR_CHANGE: 0x1,
  UNICAST_FLT: 0x2,
  TX_SKB_SHARING: 0x4,
  NO_QUEUE: 0x8,
  LIVE_RENAME_OK: 0x10,
} as const

/**
 * Operational states of RFC 2863.
 *
 * @kernel IF_OPER_UNKNOWN include/uapi/linux/if.h
 * @rule LINK-02
 */
export const IfOper = {
  UNKNOWN: 0,
  NOTPRESENT: 1,
  DOWN: 2,
  LOWERLAYERDOWN: 3,
  TESTING: 4,
  DORMANT: 5,
  UP: 6,
} as const

/** One of {@link IfOper}. @kernel none */
export type IfOper = (typeof IfOper)[keyof typeof IfOper]

/**
 * Link modes: which state a device takes when its carrier comes up.
 *
 * @kernel IF_LINK_MODE_DEFAULT include/uapi/linux/if.h
 */
export const IfLinkMode = { DEFAULT: 0, DORMANT: 1, TESTING: 2 } as const

/**
 * Where a device address comes from.
 *
 * @kernel NET_ADDR_PERM include/uapi/linux/netdevice.h
 * @rule ADDR-04
 */
export const NetAddr = { PERM: 0, RANDOM: 1, STOLEN: 2, SET: 3 } as const

/** Hardware types. @kernel ARPHRD_ETHER include/uapi/linux/if_arp.h */
export const Arphrd = { ETHER: 1, LOOPBACK: 772, NONE: 0xfffe } as const

/** What `ndoStartXmit` returns: the driver owns the skb now, or it does not. @kernel enum netdev_tx include/linux/netdevice.h */
export type NetdevTx = 0 | 0x10
/** The driver took the packet. @kernel NETDEV_TX_OK include/linux/netdevice.h */
export const NETDEV_TX_OK = 0 as const
/** The driver did not take the packet; the core keeps it. @kernel NETDEV_TX_BUSY include/linux/netdevice.h */
export const NETDEV_TX_BUSY = 0x10 as const

/** `devQueueXmit`: sent or queued. @kernel NET_XMIT_SUCCESS include/linux/netdevice.h */
export const NET_XMIT_SUCCESS = 0
/** `devQueueXmit`: dropped. @kernel NET_XMIT_DROP include/linux/netdevice.h */
export const NET_XMIT_DROP = 1
/** `devQueueXmit`: queued, but the queue is congested. @kernel NET_XMIT_CN include/linux/netdevice.h */
export const NET_XMIT_CN = 2
/** `netifReceiveSkb`, `netifRx`: accepted. @kernel NET_RX_SUCCESS include/linux/netdevice.h */
export const NET_RX_SUCCESS = 0
/** `netifReceiveSkb`, `netifRx`: dropped. @kernel NET_RX_DROP include/linux/netdevice.h */
export const NET_RX_DROP = 1

/** Longest interface name with its end mark. @kernel IFNAMSIZ include/uapi/linux/if.h */
export const IFNAMSIZ = 16
/** Longest alias with its end mark. @kernel IFALIASZ include/uapi/linux/if.h */
export const IFALIASZ = 256
/** Queue length of an Ethernet device. @kernel DEFAULT_TX_QUEUE_LEN include/linux/netdevice.h */
export const DEFAULT_TX_QUEUE_LEN = 1000
