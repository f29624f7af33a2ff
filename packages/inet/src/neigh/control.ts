import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { NeighUpdateFlag as F, NlmNew, Ntf, Nud } from '../types/constants.ts'
import { neighCreate, neighLookup } from './lookup.ts'
import type { Neighbour } from './neighbour.ts'
import { neighEventSend } from './output.ts'
import { neighRemove } from './remove.ts'
import type { NeighTable } from './table.ts'
import { neighUpdate } from './update.ts'

/** What `ip neigh add` and its kin say. @kernel struct ndmsg include/uapi/linux/neighbour.h */
export interface NeighConfig {
  readonly dst: Uint8Array
  readonly dev: NetDevice<any>
  readonly lladdr?: Uint8Array | null
  /** `Nud`; absent: PERMANENT, as `ip neigh add` has it. */
  readonly state?: number
  /** `Ntf` bits. */
  readonly flags?: number
  readonly protocol?: number
}

/**
 * Makes or changes a neighbour by hand.
 *
 * @param nlmFlags - `NlmNew` bits: CREATE, EXCL, REPLACE
 * @throws Errno EEXIST, ENOENT, EINVAL ("Invalid link address", "No link layer address given"), ENOBUFS
 * @kernel neigh_add() net/core/neighbour.c
 */
export function neighAdd(table: NeighTable, config: NeighConfig, nlmFlags: number): Neighbour {
  const { dev, lladdr = null, state = Nud.PERMANENT, flags = 0 } = config
  checkKey(table, config.dst)
  if (lladdr !== null && lladdr.length < dev.addrLen) throw new Errno('EINVAL', 'Invalid link address')
  if ((flags & Ntf.PROXY) !== 0) throw new Errno('EOPNOTSUPP')
  let update: number = F.OVERRIDE | F.OVERRIDE_ISROUTER
  let neigh = neighLookup(table, config.dst, dev)
  if (neigh === null) neigh = make(table, config, state, nlmFlags)
  else if ((nlmFlags & NlmNew.EXCL) !== 0) throw new Errno('EEXIST')
  else if ((nlmFlags & NlmNew.REPLACE) === 0) update = 0
  if (config.protocol !== undefined && config.protocol !== 0) neigh.protocol = config.protocol
  neigh.flags |= flags & Ntf.EXT_LEARNED
  if ((flags & Ntf.ROUTER) !== 0) update |= F.ISROUTER
  if ((flags & Ntf.USE) !== 0) {
    neighEventSend(neigh, null)
    return neigh
  }
  if ((state & Nud.PERMANENT) !== 0) exempt(neigh)
  const err = neighUpdate(neigh, lladdr, state, update | F.ADMIN)
  if (err === -22) throw new Errno('EINVAL', 'No link layer address given')
  return neigh
}

/** Removes a neighbour by hand. @throws Errno ENOENT, EINVAL @kernel neigh_delete() net/core/neighbour.c */
export function neighDelete(table: NeighTable, dst: Uint8Array, dev: NetDevice<any>): void {
  checkKey(table, dst)
  const neigh = neighLookup(table, dst, dev)
  if (neigh === null) throw new Errno('ENOENT')
  neighUpdate(neigh, null, Nud.FAILED, F.OVERRIDE | F.ADMIN)
  neighRemove(neigh)
}

function checkKey(table: NeighTable, dst: Uint8Array): void {
  if (dst.length < table.ops.keyLen) throw new Errno('EINVAL', 'Invalid network address')
}

function make(table: NeighTable, config: NeighConfig, state: number, nlmFlags: number): Neighbour {
  if ((nlmFlags & NlmNew.CREATE) === 0) throw new Errno('ENOENT')
  const lasting = (state & Nud.PERMANENT) !== 0
  const neigh = neighCreate(table, config.dst, config.dev, 0, lasting)
  if (neigh === null) throw new Errno(table.gcEntries >= table.gcThresh3 ? 'ENOBUFS' : 'EINVAL')
  return neigh
}

/** A learned entry became permanent: it does not count any more. @kernel neigh_update_gc_list() net/core/neighbour.c */
function exempt(neigh: Neighbour): void {
  if (neigh.exemptFromGc) return
  neigh.exemptFromGc = true
  neigh.table.gcEntries--
}
