import { IFNAMSIZ } from '@vnet/netdev'
import { nlaPolicy } from '../codec/policy.ts'
import type { AttrKind, AttrPolicy } from '../codec/policy.ts'
import { Ifla, IflaInfo } from './constants.ts'

const MAX_ADDR_LEN = 32

function a(name: string, kind: AttrKind, more: Partial<AttrPolicy> = {}): AttrPolicy {
  return { name, kind, ...more }
}

const linkinfo = nlaPolicy({
  [IflaInfo.KIND]: a('kind', 'string'),
  [IflaInfo.DATA]: a('data', 'nested'),
})

/** What a link message may contain. @kernel ifla_policy[] net/core/rtnetlink.c */
export const iflaPolicy = nlaPolicy({
  [Ifla.ADDRESS]: a('address', 'binary', { maxLength: MAX_ADDR_LEN }),
  [Ifla.BROADCAST]: a('broadcast', 'binary', { maxLength: MAX_ADDR_LEN }),
  [Ifla.IFNAME]: a('ifname', 'string', { maxLength: IFNAMSIZ - 1 }),
  [Ifla.MTU]: a('mtu', 'u32'),
  [Ifla.LINK]: a('link', 'u32'),
  [Ifla.QDISC]: a('qdisc', 'string'),
  [Ifla.MASTER]: a('master', 'u32'),
  [Ifla.TXQLEN]: a('txqlen', 'u32'),
  [Ifla.MAP]: a('map', 'binary', { minLength: 32 }),
  [Ifla.WEIGHT]: a('weight', 'u32'),
  [Ifla.OPERSTATE]: a('operstate', 'u8'),
  [Ifla.LINKMODE]: a('linkmode', 'u8'),
  [Ifla.LINKINFO]: a('linkinfo', 'nested', { nested: linkinfo }),
  [Ifla.NET_NS_PID]: a('net-ns-pid', 'u32'),
  [Ifla.IFALIAS]: a('ifalias', 'binary', { maxLength: 255 }),
  [Ifla.NUM_VF]: a('num-vf', 'u32'),
  [Ifla.VFINFO_LIST]: a('vfinfo-list', 'nested'),
  [Ifla.AF_SPEC]: a('af-spec', 'nested'),
  [Ifla.GROUP]: a('group', 'u32'),
  [Ifla.NET_NS_FD]: a('net-ns-fd', 'u32'),
  [Ifla.EXT_MASK]: a('ext-mask', 'u32'),
  [Ifla.PROMISCUITY]: a('promiscuity', 'u32'),
  [Ifla.NUM_TX_QUEUES]: a('num-tx-queues', 'u32'),
  [Ifla.NUM_RX_QUEUES]: a('num-rx-queues', 'u32'),
  [Ifla.CARRIER]: a('carrier', 'u8'),
  [Ifla.CARRIER_CHANGES]: a('carrier-changes', 'u32'),
  [Ifla.PROTO_DOWN]: a('proto-down', 'u8'),
  [Ifla.GSO_MAX_SEGS]: a('gso-max-segs', 'u32'),
  [Ifla.GSO_MAX_SIZE]: a('gso-max-size', 'u32'),
  [Ifla.XDP]: a('xdp', 'nested'),
  [Ifla.EVENT]: a('event', 'u32'),
  [Ifla.TARGET_NETNSID]: a('target-netnsid', 's32'),
  [Ifla.CARRIER_UP_COUNT]: a('carrier-up-count', 'u32'),
  [Ifla.CARRIER_DOWN_COUNT]: a('carrier-down-count', 'u32'),
  [Ifla.NEW_IFINDEX]: a('new-ifindex', 's32'),
  [Ifla.MIN_MTU]: a('min-mtu', 'u32'),
  [Ifla.MAX_MTU]: a('max-mtu', 'u32'),
  [Ifla.PROP_LIST]: a('prop-list', 'nested'),
  [Ifla.ALT_IFNAME]: a('alt-ifname', 'string', { maxLength: 127 }),
  [Ifla.PERM_ADDRESS]: a('perm-address', 'reject'),
  [Ifla.PARENT_DEV_NAME]: a('parent-dev-name', 'nul-string'),
  [Ifla.GRO_MAX_SIZE]: a('gro-max-size', 'u32'),
  [Ifla.TSO_MAX_SIZE]: a('tso-max-size', 'reject'),
  [Ifla.TSO_MAX_SEGS]: a('tso-max-segs', 'reject'),
  [Ifla.ALLMULTI]: a('allmulti', 'reject'),
})
