import { SofTimestamping, setEthtoolOps, type EthtoolOps } from '@vnet/ethtool'
import type { Kernel } from '@vnet/kernel'
import {
  Arphrd,
  Iff,
  IffPriv,
  NETDEV_TX_OK,
  NETIF_F,
  NETIF_F_ALL_TSO,
  NET_RX_SUCCESS,
  U64Stats,
  allocEtherdevMqs,
  ethMacAddr,
  ethTypeTrans,
  freeNetdev,
  netifRx,
  registerNetdev,
  unregisterNetdev,
} from '@vnet/netdev'
import type { NetDevice, NetDeviceOps, NetdevTx, RtnlLinkStats64, SkBuff } from '@vnet/netdev'

/** Counters: what goes out comes in. */
const PACKETS = 0
const BYTES = 1

/** The loopback device's own part. */
interface LoopbackPriv {
  readonly stats: U64Stats
}

const MTU = 65_536
const GSO_SOFTWARE = NETIF_F_ALL_TSO | NETIF_F.GSO_SCTP | NETIF_F.GSO_UDP_L4 | NETIF_F.GSO_FRAGLIST

/** The packet turns round: it is received as it was sent. @kernel loopback_xmit() drivers/net/loopback.c */
function loopbackXmit(skb: SkBuff, dev: NetDevice<LoopbackPriv>): NetdevTx {
  skb.protocol = ethTypeTrans(skb, dev)
  const length = skb.len
  if (netifRx(skb) === NET_RX_SUCCESS) {
    dev.priv.stats.add(PACKETS, 1)
    dev.priv.stats.add(BYTES, length)
  }
  return NETDEV_TX_OK
}

function loopbackGetStats64(dev: NetDevice<LoopbackPriv>, stats: RtnlLinkStats64): void {
  const packets = dev.priv.stats.get(PACKETS)
  const bytes = dev.priv.stats.get(BYTES)
  stats.rxPackets = packets
  stats.txPackets = packets
  stats.rxBytes = bytes
  stats.txBytes = bytes
}

const loopbackOps: NetDeviceOps<LoopbackPriv> = {
  ndoStartXmit: loopbackXmit,
  ndoGetStats64: loopbackGetStats64,
  ndoSetMacAddress: ethMacAddr,
}

const loopbackEthtoolOps: EthtoolOps<LoopbackPriv> = {
  getLink: () => true,
  getTsInfo: () => ({
    soTimestamping: SofTimestamping.TX_SOFTWARE | SofTimestamping.RX_SOFTWARE | SofTimestamping.SOFTWARE,
    phcIndex: -1,
    txTypes: 0,
    rxFilters: 0,
  }),
}

/**
 * Makes and registers `lo`. It is the first device of a machine, so its index is 1.
 *
 * @kernel loopback_net_init() drivers/net/loopback.c
 */
export function loopbackInit(kernel: Kernel): NetDevice<LoopbackPriv> {
  const dev = allocEtherdevMqs<LoopbackPriv>(kernel, {
    name: 'lo',
    ops: loopbackOps,
    priv: () => ({ stats: new U64Stats(2) }),
  })
  dev.type = Arphrd.LOOPBACK
  dev.flags = Iff.LOOPBACK
  dev.broadcast.fill(0)
  dev.mtu = MTU
  dev.minMtu = 0
  dev.maxMtu = 0
  dev.tsoMaxSize = 524_280
  dev.privFlags = IffPriv.LIVE_ADDR_CHANGE | IffPriv.NO_QUEUE | IffPriv.TX_SKB_SHARING
  dev.hwFeatures = GSO_SOFTWARE
  dev.features =
    GSO_SOFTWARE |
    NETIF_F.SG |
    NETIF_F.FRAGLIST |
    NETIF_F.HW_CSUM |
    NETIF_F.RXCSUM |
    NETIF_F.SCTP_CRC |
    NETIF_F.HIGHDMA |
    NETIF_F.LLTX |
    NETIF_F.NETNS_LOCAL |
    NETIF_F.VLAN_CHALLENGED |
    NETIF_F.LOOPBACK
  setEthtoolOps(dev, loopbackEthtoolOps)
  try {
    registerNetdev(dev)
  } catch (error) {
    freeNetdev(dev)
    throw error
  }
  return dev
}

/** Takes `lo` away: the last thing of a machine that is switched off. */
export function loopbackExit(dev: NetDevice<LoopbackPriv>): void {
  unregisterNetdev(dev)
  freeNetdev(dev)
}
