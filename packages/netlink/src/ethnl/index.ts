import { ethtoolSubscribe } from '@vnet/ethtool'
import type { EthtoolNoticeCmd } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import type { NlWriter } from '../codec/writer.ts'
import type { NetlinkServer } from '../core/server.ts'
import { genlNotify, genlRegisterFamily } from '../genl/genl.ts'
import type { GenlOp } from '../genl/genl.ts'
import { attr, getOp, refusedOp, setOp, writeReply } from './command.ts'
import type { EthnlGet } from './command.ts'
import { EthMsg, EthReply } from './constants.ts'
import { featuresGet, featuresSetOp, privflagsGet, privflagsSet } from './features.ts'
import { moduleGet, phcVclocksGet, rssGet, statsGet, tsinfoGet } from './info.ts'
import {
  debugGet,
  debugSet,
  linkinfoGet,
  linkinfoSet,
  linkmodesGet,
  linkmodesSet,
  linkstateGet,
  wolGet,
  wolSet,
} from './link.ts'
import {
  channelsGet,
  channelsSet,
  coalesceGet,
  coalesceSet,
  pauseGet,
  pauseSet,
  ringsGet,
  ringsSet,
} from './params.ts'
import { strsetOp } from './strset.ts'

const eee = {
  2: attr('modes-ours', 'nested'),
  5: attr('enabled', 'u8'),
  6: attr('tx-lpi-enabled', 'u8'),
  7: attr('tx-lpi-timer', 'u32'),
}
const fec = { 2: attr('modes', 'nested'), 3: attr('auto', 'u8') }
const moduleEeprom = {
  2: attr('offset', 'u32'),
  3: attr('length', 'u32'),
  4: attr('page', 'u8'),
  5: attr('bank', 'u8'),
  6: attr('i2c-address', 'u8'),
}

const OPS: readonly GenlOp[] = [
  strsetOp,
  getOp(linkinfoGet),
  setOp(linkinfoSet),
  getOp(linkmodesGet),
  setOp(linkmodesSet),
  getOp(linkstateGet),
  getOp(debugGet),
  setOp(debugSet),
  getOp(wolGet),
  setOp(wolSet),
  getOp(featuresGet),
  featuresSetOp,
  getOp(privflagsGet),
  setOp(privflagsSet),
  getOp(ringsGet),
  setOp(ringsSet),
  getOp(channelsGet),
  setOp(channelsSet),
  getOp(coalesceGet),
  setOp(coalesceSet),
  getOp(pauseGet),
  setOp(pauseSet),
  refusedOp({ cmd: EthMsg.EEE_GET, kind: 'get' }),
  refusedOp({ cmd: EthMsg.EEE_SET, kind: 'set', attrs: eee }),
  getOp(tsinfoGet),
  refusedOp({ cmd: EthMsg.CABLE_TEST_ACT, kind: 'set' }),
  refusedOp({ cmd: EthMsg.CABLE_TEST_TDR_ACT, kind: 'set', attrs: { 2: attr('cfg', 'nested') } }),
  refusedOp({
    cmd: EthMsg.TUNNEL_INFO_GET,
    kind: 'get',
    message: 'device does not report tunnel offload info',
  }),
  refusedOp({ cmd: EthMsg.FEC_GET, kind: 'get' }),
  refusedOp({ cmd: EthMsg.FEC_SET, kind: 'set', attrs: fec }),
  refusedOp({ cmd: EthMsg.MODULE_EEPROM_GET, kind: 'get', admin: true, attrs: moduleEeprom }),
  getOp(statsGet),
  getOp(phcVclocksGet),
  getOp(moduleGet),
  refusedOp({ cmd: EthMsg.MODULE_SET, kind: 'set', attrs: { 2: attr('power-mode-policy', 'u8') } }),
  refusedOp({ cmd: EthMsg.PSE_GET, kind: 'get' }),
  refusedOp({ cmd: EthMsg.PSE_SET, kind: 'set', attrs: { 4: attr('admin-control', 'u32') } }),
  getOp(rssGet),
]

/** Writes a notice of a device, or nothing when it cannot be asked any more. */
type Notice = (w: NlWriter, dev: NetDevice<any>) => void

/** A notice has the body of the answer, with short sets of bits. @kernel ethnl_default_notify() net/ethtool/netlink.c */
function notice<T>(get: EthnlGet<T>): Notice {
  const wish = { compact: true, stats: false, attrs: null }
  return (w, dev) => writeReply(w, get, dev, get.prepare(dev, wish), wish)
}

const NOTICES: Readonly<Record<EthtoolNoticeCmd, readonly [number, Notice] | null>> = {
  'linkinfo-ntf': [EthReply.LINKINFO_NTF, notice(linkinfoGet)],
  'linkmodes-ntf': [EthReply.LINKMODES_NTF, notice(linkmodesGet)],
  'debug-ntf': [EthReply.DEBUG_NTF, notice(debugGet)],
  'wol-ntf': [EthReply.WOL_NTF, notice(wolGet)],
  'features-ntf': [EthReply.FEATURES_NTF, notice(featuresGet)],
  'privflags-ntf': [EthReply.PRIVFLAGS_NTF, notice(privflagsGet)],
  'rings-ntf': [EthReply.RINGS_NTF, notice(ringsGet)],
  'channels-ntf': [EthReply.CHANNELS_NTF, notice(channelsGet)],
  'coalesce-ntf': [EthReply.COALESCE_NTF, notice(coalesceGet)],
  'pause-ntf': [EthReply.PAUSE_NTF, notice(pauseGet)],
  // Linux 6.1 has no message for it.
  'rss-ntf': null,
}

/** The ethtool family: every command of `@vnet/ethtool`, and a notice for each change. @kernel ethtool_genl_family net/ethtool/netlink.c */
export function startEthtoolNetlink(server: NetlinkServer): void {
  const entry = genlRegisterFamily(server, {
    name: 'ethtool',
    version: 1,
    check: 'strict',
    mcgrps: ['monitor'],
    ops: OPS,
  })
  ethtoolSubscribe(server.kernel, ({ cmd, dev }) => {
    const found = NOTICES[cmd]
    if (found === null) return
    try {
      genlNotify(server, entry, 'monitor', found[0], (w) => found[1](w, dev))
    } catch (error) {
      // The change is done; that it cannot be told is no refusal of it.
      if (!(error instanceof Errno)) throw error
    }
  })
}
