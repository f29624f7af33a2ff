import { EthMsg } from '@vnet/netlink'
import type { NlWriter } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { Syscalls } from '../proc/process.ts'
import type { EthtoolSocket } from './genl.ts'

const A_STRINGSETS = 2
const Stringset = { ID: 1, COUNT: 2, STRINGS: 3 } as const
const Text = { INDEX: 1, VALUE: 2 } as const
const MAX_INDEX = 0xffff

/** The names of a set, by number; of one device when it is given. @throws NlFailure @kernel ETHTOOL_MSG_STRSET_GET include/uapi/linux/ethtool_netlink.h */
export function* stringSet(genl: EthtoolSocket, id: number, dev?: string): Syscalls<readonly string[]> {
  const tb = yield* genl.ask({
    cmd: EthMsg.STRSET_GET,
    ...(dev === undefined ? {} : { dev }),
    fill: (w) => putWish(w, id),
  })
  const set = tb.list(A_STRINGSETS).find((one) => one.u32(Stringset.ID) === id)
  return set === undefined ? [] : namesOf(set)
}

function putWish(w: NlWriter, id: number): void {
  const sets = w.nestStart(A_STRINGSETS)
  const one = w.nestStart(1)
  w.putU32(Stringset.ID, id)
  w.nestEnd(one)
  w.nestEnd(sets)
}

function namesOf(set: AttrMap): string[] {
  const names: string[] = []
  for (const text of set.list(Stringset.STRINGS)) {
    const index = text.u32(Text.INDEX)
    if (index !== undefined && index <= MAX_INDEX) names[index] = text.text(Text.VALUE) ?? ''
  }
  return Array.from(names, (name: string | undefined) => name ?? '')
}
