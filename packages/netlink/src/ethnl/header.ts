import { Errno } from '@vnet/kernel'
import { devGetByIndex, devGetByName } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { NetlinkError } from '../codec/extack.ts'
import { nlaPolicy } from '../codec/policy.ts'
import type { NlaPolicy } from '../codec/policy.ts'
import type { NlWriter } from '../codec/writer.ts'
import type { GenlInfo } from '../genl/genl.ts'
import { EthFlag, EthHeader } from './constants.ts'

/** Which of the header's flags a command takes. */
export interface HeaderFlags {
  readonly stats?: boolean
}

function headerPolicy(mask: number): NlaPolicy {
  return nlaPolicy({
    [EthHeader.DEV_INDEX]: { name: 'dev-index', kind: 'u32' },
    [EthHeader.DEV_NAME]: { name: 'dev-name', kind: 'nul-string', maxLength: 127 },
    [EthHeader.FLAGS]: { name: 'flags', kind: 'u32', mask },
    [EthHeader.PHY_INDEX]: { name: 'phy-index', kind: 'u32', min: 1 },
  })
}

const basic = headerPolicy(EthFlag.COMPACT_BITSETS | EthFlag.OMIT_REPLY)
const withStats = headerPolicy(EthFlag.COMPACT_BITSETS | EthFlag.OMIT_REPLY | EthFlag.STATS)

/** What a header may contain. @kernel ethnl_header_policy[] net/ethtool/netlink.c */
export function ethnlHeaderPolicy(flags: HeaderFlags = {}): NlaPolicy {
  return flags.stats === true ? withStats : basic
}

/** What a header says. @kernel struct ethnl_req_info net/ethtool/netlink.h */
export interface EthnlHeader {
  readonly dev: NetDevice<any> | null
  readonly flags: number
}

/**
 * Reads the header of a request and finds its device.
 *
 * @param attr - the number of the header's attribute
 * @throws NetlinkError EINVAL, ENODEV
 * @kernel ethnl_parse_header_dev_get() net/ethtool/netlink.c
 */
export function ethnlParseHeader(info: GenlInfo, attr: number, requireDev: boolean): EthnlHeader {
  const tb = info.attrs.nest(attr)
  if (tb === null) {
    if (!requireDev) return { dev: null, flags: 0 }
    throw new NetlinkError('EINVAL', 'request header missing')
  }
  const here = info.attrs.offset(attr)
  const flags = tb.number(EthHeader.FLAGS) ?? 0
  const index = tb.number(EthHeader.DEV_INDEX)
  const name = tb.text(EthHeader.DEV_NAME)
  const fail = (code: 'ENODEV' | 'EINVAL', message: string, offset: number): NetlinkError =>
    new NetlinkError(code, message, { offset })
  const { kernel } = info.request
  if (index !== undefined) {
    const at = tb.offset(EthHeader.DEV_INDEX)
    const dev = devGetByIndex(kernel, index)
    if (dev === undefined) throw fail('ENODEV', 'no device matches ifindex', at)
    // The other name is no error in the number: the header as a whole is wrong.
    if (name !== undefined && name !== dev.name) {
      throw fail('ENODEV', 'ifindex and name do not match', here)
    }
    return { dev, flags }
  }
  if (name !== undefined) {
    const dev = devGetByName(kernel, name)
    if (dev === undefined) throw fail('ENODEV', 'no device matches name', tb.offset(EthHeader.DEV_NAME))
    return { dev, flags }
  }
  if (requireDev) throw fail('EINVAL', 'neither ifindex nor name specified', here)
  return { dev: null, flags }
}

/** The device of a request that must name one. @throws NetlinkError EINVAL, ENODEV */
export function ethnlDev(
  info: GenlInfo,
  attr: number,
): { readonly dev: NetDevice<any>; readonly flags: number } {
  const { dev, flags } = ethnlParseHeader(info, attr, true)
  if (dev === null) throw new Errno('EINVAL')
  return { dev, flags }
}

/** Writes the header of an answer. @kernel ethnl_fill_reply_header() net/ethtool/netlink.c */
export function ethnlFillReplyHeader(w: NlWriter, dev: NetDevice<any>, attr: number): void {
  const at = w.nestStart(attr)
  w.putU32(EthHeader.DEV_INDEX, dev.ifindex)
  w.putString(EthHeader.DEV_NAME, dev.name)
  w.nestEnd(at)
}
