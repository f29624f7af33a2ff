import { ethtoolGetStrings } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import { devGetByIndex, forEachNetdev } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { NetlinkError } from '../codec/extack.ts'
import { nlaPolicy } from '../codec/policy.ts'
import { parseInto } from '../codec/table.ts'
import type { NlWriter } from '../codec/writer.ts'
import { genlReply } from '../genl/genl.ts'
import type { GenlEntry, GenlInfo, GenlOp } from '../genl/genl.ts'
import { attr, ethnlPolicy } from './command.ts'
import { A_HEADER, EthMsg, EthReply } from './constants.ts'
import { ethnlFillReplyHeader, ethnlParseHeader } from './header.ts'
import { DEVICE_SETS, EthSs, GLOBAL_SETS } from './strings.ts'

const Strset = { STRINGSETS: 2, COUNTS_ONLY: 3 } as const
const STRINGSETS_STRINGSET = 1
const Set1 = { ID: 1, COUNT: 2, STRINGS: 3 } as const
const STRINGS_STRING = 1
const Str = { INDEX: 1, VALUE: 2 } as const

const setPolicy = nlaPolicy({ [Set1.ID]: attr('id', 'u32') })

/** Tells the names in a set, of the kernel or of a device. @kernel ethnl_strset_request_ops net/ethtool/strset.c */
export const strsetOp: GenlOp = {
  cmd: EthMsg.STRSET_GET,
  reply: EthReply.STRSET,
  policy: ethnlPolicy({
    [Strset.STRINGSETS]: attr('stringsets', 'nested'),
    [Strset.COUNTS_ONLY]: attr('counts-only', 'flag'),
  }),
  doit(info) {
    const { dev } = ethnlParseHeader(info, A_HEADER, false)
    const answer = answerOf(info, dev)
    genlReply(info, EthReply.STRSET, answer)
  },
  dumpit(info) {
    const { dev } = ethnlParseHeader(info, A_HEADER, false)
    return entries(info, dev === null ? forEachNetdev(info.request.kernel) : [dev])
  },
}

function* entries(info: GenlInfo, devs: readonly NetDevice<any>[]): Generator<GenlEntry> {
  for (const { ifindex } of devs) {
    const dev = devGetByIndex(info.request.kernel, ifindex)
    if (dev !== undefined) yield (w) => answerOf(info, dev)(w)
  }
}

/** Reads the sets, and gives what writes them. @throws Errno */
function answerOf(info: GenlInfo, dev: NetDevice<any> | null): (w: NlWriter) => void {
  const sets = wanted(info, dev).map((id) => ({ id, names: namesOf(id, dev) }))
  const countsOnly = info.attrs.has(Strset.COUNTS_ONLY)
  return (w) => {
    if (dev !== null) ethnlFillReplyHeader(w, dev, A_HEADER)
    const at = w.nestStart(Strset.STRINGSETS)
    for (const { id, names } of sets) fillSet(w, id, names, countsOnly)
    w.nestEnd(at)
  }
}

/** The sets asked for; without a list, all of the device or all of the kernel. @kernel strset_parse_request(), strset_include() net/ethtool/strset.c */
function wanted(info: GenlInfo, dev: NetDevice<any> | null): number[] {
  const list = info.attrs.walk(Strset.STRINGSETS)
  if (list === null) return [...(dev === null ? GLOBAL_SETS : DEVICE_SETS).keys()]
  const ids = new Set<number>()
  while (list.next()) {
    if (list.type !== STRINGSETS_STRINGSET) {
      throw new NetlinkError('EINVAL', undefined, { offset: list.start })
    }
    const one = parseInto(list.inside(), setPolicy, 'strict', list.start)
    const id = one.number(Set1.ID)
    if (id === undefined) throw new Errno('EINVAL')
    if (id >= EthSs.COUNT) {
      throw new NetlinkError('EOPNOTSUPP', 'unknown string set id', { offset: one.offset(Set1.ID) })
    }
    if (dev === null && DEVICE_SETS.has(id)) {
      throw new NetlinkError('EINVAL', 'requested per device strings without dev')
    }
    ids.add(id)
  }
  // In order of their numbers, however they were asked for.
  return [...ids].sort((a, b) => a - b)
}

function namesOf(id: number, dev: NetDevice<any> | null): readonly (string | null)[] {
  const own = DEVICE_SETS.get(id)
  if (own === undefined) {
    const names = GLOBAL_SETS.get(id)
    if (names === undefined) throw new Errno('EOPNOTSUPP')
    return names
  }
  try {
    return ethtoolGetStrings(dev!, own)
  } catch (error) {
    if (error instanceof Errno && error.code === 'EOPNOTSUPP') return []
    throw error
  }
}

/** @kernel strset_fill_set() net/ethtool/strset.c */
function fillSet(w: NlWriter, id: number, names: readonly (string | null)[], countsOnly: boolean): void {
  if (names.length === 0) return
  const at = w.nestStart(STRINGSETS_STRINGSET)
  w.putU32(Set1.ID, id)
  w.putU32(Set1.COUNT, names.length)
  if (!countsOnly) {
    const list = w.nestStart(Set1.STRINGS)
    for (const [i, name] of names.entries()) {
      const one = w.nestStart(STRINGS_STRING)
      w.putU32(Str.INDEX, i)
      w.putString(Str.VALUE, name ?? '')
      w.nestEnd(one)
    }
    w.nestEnd(list)
  }
  w.nestEnd(at)
}
