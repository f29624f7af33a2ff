import { createKernel, Errno } from '@vnet/kernel'
import type { Kernel, KernelOptions } from '@vnet/kernel'
import {
  allocEtherdevMqs,
  NETDEV_TX_OK,
  NETIF_F,
  NETIF_F_ALL_TSO,
  netdevUpdateFeatures,
  registerNetdev,
} from '@vnet/netdev'
import type { NetDevice, NetDeviceOps } from '@vnet/netdev'
import { EthTpMdi, ethtoolOpGetTsInfo, linkModes, setEthtoolOps, Wake } from '../src/index.ts'
import type { EthtoolOps, EthtoolPauseparam } from '../src/index.ts'

/** A kernel with one device, made by `prepare` and registered. */
export interface Rig {
  readonly kernel: Kernel
  readonly dev: NetDevice<any>
}

export function makeDev(
  name: string,
  ops: EthtoolOps<any> | null,
  prepare: (dev: NetDevice<any>) => void = () => {},
  options: KernelOptions & { netdevOps?: Partial<NetDeviceOps<any>> } = {},
): Rig {
  const kernel = createKernel(options)
  const netdevOps: NetDeviceOps<any> = {
    ndoStartXmit: () => NETDEV_TX_OK,
    ndoSetMacAddress: (dev, addr) => dev.devAddr.set(addr),
    ...options.netdevOps,
  }
  const dev = allocEtherdevMqs(kernel, { name, ops: netdevOps, priv: () => ({}), txqs: 4, rxqs: 4 })
  if (ops !== null) setEthtoolOps(dev, ops)
  prepare(dev)
  registerNetdev(dev)
  return { kernel, dev }
}

function address(dev: NetDevice<any>, text: string): void {
  const bytes = Uint8Array.from(text.split(':'), (part) => parseInt(part, 16))
  dev.devAddr.set(bytes)
  dev.permAddr.set(bytes)
}

const VNET_STATS = ['packets', 'bytes', 'dropped']
const VNET_KINDS = ['arp', 'ipv4', 'ipv6', 'other']

/** The C driver of phase 6: it says who it is and that there is a link, and no more. */
export function cVnet6(): Rig {
  const ops: EthtoolOps<any> = {
    getDrvinfo: () => ({ driver: 'vnet', version: '0.6', busInfo: 'virtual' }),
    getLink: () => true,
  }
  return makeDev('vnet0', ops, (dev) => address(dev, '02:00:00:00:00:01'))
}

/** The C driver of phase 7: five ethtool entries, one kind of statistics. */
export function cVnet7(stats: { values: readonly bigint[] }): Rig {
  const names = [
    ...VNET_STATS.map((n) => `tx_${n}`),
    ...VNET_STATS.map((n) => `rx_${n}`),
    ...VNET_KINDS.map((n) => `tx_${n}`),
    ...VNET_KINDS.map((n) => `rx_${n}`),
  ]
  return makeDev(
    'vnet0',
    {
      getDrvinfo: () => ({ driver: 'vnet', version: '0.7', busInfo: 'virtual' }),
      getLink: () => true,
      getSsetCount: (_dev, set) => {
        if (set !== 'stats') throw new Errno('EOPNOTSUPP')
        return names.length
      },
      getStrings: (_dev, set) => (set === 'stats' ? names : []),
      getEthtoolStats: () => stats.values,
    },
    (dev) => address(dev, '02:00:00:00:00:01'),
  )
}

const ENCAP =
  NETIF_F.GSO_GRE |
  NETIF_F.GSO_GRE_CSUM |
  NETIF_F.GSO_IPXIP4 |
  NETIF_F.GSO_IPXIP6 |
  NETIF_F.GSO_UDP_TUNNEL |
  NETIF_F.GSO_UDP_TUNNEL_CSUM
const SOFTWARE = NETIF_F_ALL_TSO | NETIF_F.GSO_SCTP | NETIF_F.GSO_UDP_L4 | NETIF_F.GSO_FRAGLIST

/** Like the kernel's dummy: features, and nothing for ethtool but time stamps. */
export function dummy(): Rig {
  return makeDev('dummy0', { getTsInfo: ethtoolOpGetTsInfo }, (dev) => {
    dev.linkKind = 'dummy'
    dev.driverVersion = '6.1.0-56-amd64'
    dev.features =
      NETIF_F.SG | NETIF_F.FRAGLIST | NETIF_F.HW_CSUM | NETIF_F.HIGHDMA | NETIF_F.LLTX | SOFTWARE | ENCAP
    dev.hwFeatures = dev.features
  })
}

/** Like one end of the kernel's veth. */
export function veth(): Rig {
  const queue = ['xdp_packets', 'xdp_bytes', 'drops', 'xdp_redirect', 'xdp_drops', 'xdp_tx', 'xdp_tx_errors']
  const names = [
    'peer_ifindex',
    ...queue.map((n) => `rx_queue_0_${n}`),
    'tx_queue_0_xdp_xmit',
    'tx_queue_0_xdp_xmit_errors',
  ]
  const rig = makeDev(
    'veth0',
    {
      getDrvinfo: () => ({ driver: 'veth', version: '1.0' }),
      getLink: () => true,
      getStrings: (_dev, set) => (set === 'stats' ? names : []),
      getEthtoolStats: () => names.map((_, i) => (i === 0 ? 2n : 0n)),
      getTsInfo: ethtoolOpGetTsInfo,
      getChannels: () => ({ maxRx: 1, maxTx: 1, rxCount: 1, txCount: 1 }),
      getLinkKsettings: () => ({ speed: 10000, duplex: 1, port: 0, autoneg: false }),
    },
    (dev) => {
      const { SG, FRAGLIST, HW_CSUM, RXCSUM, SCTP_CRC, HIGHDMA } = NETIF_F
      const vlan =
        NETIF_F.HW_VLAN_CTAG_TX | NETIF_F.HW_VLAN_CTAG_RX | NETIF_F.HW_VLAN_STAG_TX | NETIF_F.HW_VLAN_STAG_RX
      dev.hwFeatures = SG | FRAGLIST | HW_CSUM | RXCSUM | SCTP_CRC | HIGHDMA | SOFTWARE | ENCAP | vlan
      dev.features = dev.hwFeatures | NETIF_F.LLTX
    },
  )
  // veth has GRO off until somebody asks for it.
  rig.kernel.rtnl.run(() => {
    rig.dev.wantedFeatures &= ~NETIF_F.GRO
    netdevUpdateFeatures(rig.dev)
  })
  return rig
}

const E1000_MODES = ['10baseT/Half', '10baseT/Full', '100baseT/Half', '100baseT/Full', '1000baseT/Full']

/** Like the kernel's e1000 on QEMU's card, as far as ethtool sees it. */
export function e1000(stats: { names: readonly string[]; values: readonly bigint[] }): Rig {
  const modes = linkModes(...E1000_MODES, 'Autoneg', 'TP')
  const state = { rx: 256, tx: 256, msglevel: 7, autoneg: true, speed: 1000, duplex: 1, advertising: modes }
  let pause: EthtoolPauseparam = { autoneg: true, rxPause: true, txPause: false }
  const tests = [
    'Register test  (offline)',
    'Eeprom test    (offline)',
    'Interrupt test (offline)',
    'Loopback test  (offline)',
    'Link test   (on/offline)',
  ]
  const eeprom = Uint8Array.from(EEPROM)
  return makeDev(
    'eth0',
    {
      getDrvinfo: () => ({ driver: 'e1000', version: '6.1.0-56-amd64', busInfo: '0000:00:02.0' }),
      getLink: () => true,
      getStrings: (_dev, set) => (set === 'stats' ? stats.names : set === 'test' ? tests : []),
      getEthtoolStats: () => stats.values,
      getTsInfo: ethtoolOpGetTsInfo,
      getRingparam: () => ({
        rxMaxPending: 4096,
        txMaxPending: 4096,
        rxPending: state.rx,
        txPending: state.tx,
      }),
      setRingparam: (_dev, ring) => Object.assign(state, { rx: ring.rxPending, tx: ring.txPending }),
      getPauseparam: () => pause,
      setPauseparam: (_dev, next) => (pause = next),
      getMsglevel: () => state.msglevel,
      setMsglevel: (_dev, level) => (state.msglevel = level),
      getWol: () => ({ supported: Wake.UCAST | Wake.MCAST | Wake.BCAST | Wake.MAGIC, wolopts: 0 }),
      setWol: () => {
        throw new Errno('EOPNOTSUPP')
      },
      getLinkKsettings: (dev) => {
        const up = (dev.flags & 1) !== 0
        return {
          supported: modes,
          advertising: state.advertising,
          autoneg: state.autoneg,
          speed: up ? state.speed : 0xffffffff,
          duplex: up ? state.duplex : 0xff,
          ethTpMdix: up ? EthTpMdi.MDI : EthTpMdi.INVALID,
          ethTpMdixCtrl: EthTpMdi.AUTO,
        }
      },
      setLinkKsettings: (_dev, next) => {
        state.autoneg = next.autoneg
        state.advertising = next.autoneg ? next.advertising | linkModes('Autoneg', 'TP') : next.advertising
      },
      nwayReset: () => {},
      setPhysId: () => 2,
      getRegsLen: () => 32,
      getRegs: () => ({ version: 0, data: new Uint8Array(32) }),
      getEepromLen: () => 128,
      getEeprom: (_dev, offset, length) => eeprom.subarray(offset, offset + length),
      selfTest: (_dev, { offline }) => ({
        failed: offline,
        data: offline ? [40, 0, 0, 13, 0] : [0, 0, 0, 0, 0],
      }),
    },
    (dev) => {
      address(dev, '52:54:00:12:34:01')
      const vlan = NETIF_F.HW_VLAN_CTAG_TX | NETIF_F.HW_VLAN_CTAG_FILTER
      dev.hwFeatures = NETIF_F.SG | NETIF_F.HW_CSUM | NETIF_F.HW_VLAN_CTAG_RX | NETIF_F.TSO
      dev.features = dev.hwFeatures | vlan
      dev.hwFeatures |= NETIF_F.RXCSUM | NETIF_F.RXALL | NETIF_F.RXFCS
    },
    {
      netdevOps: {
        // Stripping and inserting VLAN tags is one switch in this card.
        ndoFixFeatures: (_dev, features) =>
          (features & NETIF_F.HW_VLAN_CTAG_RX) !== 0n
            ? features | NETIF_F.HW_VLAN_CTAG_TX
            : features & ~NETIF_F.HW_VLAN_CTAG_TX,
      },
    },
  )
}

const EEPROM = [
  0x52, 0x54, 0x00, 0x12, 0x34, 0x01, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x30,
  0x00, 0x10, 0x03, 0x64, 0x0e, 0x10, 0x86, 0x80, 0x0e, 0x10, 0x86, 0x80, 0x40, 0x30, 0x08, 0x00, 0x00, 0x20,
  0x14, 0x7e, 0x48, 0x00, 0x00, 0x10, 0xd8, 0x00, 0x00, 0x00, 0x00, 0x27, 0xc9, 0x6c, 0x50, 0x31, 0x22, 0x07,
  0x0b, 0x04, 0x84, 0x09, 0x00, 0x00, 0x00, 0xc0, 0x06, 0x07, 0x08, 0x10, 0x00, 0x00, 0x04, 0x0f, 0xff, 0x7f,
  0x01, 0x4d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x01, 0x00, 0x40, 0x1c, 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0xad, 0xce,
]
