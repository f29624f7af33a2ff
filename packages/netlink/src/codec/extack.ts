import { Errno } from '@vnet/kernel'
import type { ErrnoName } from '@vnet/kernel'
import type { AttrPolicy } from './policy.ts'

/** What an error can say beyond its number and its sentence. */
export interface ExtackDetails {
  /** Where in the request the attribute at fault is, in bytes from the message header. */
  readonly offset?: number | undefined
  /** What the attribute should have been. */
  readonly policy?: AttrPolicy | undefined
  /** The attribute that is missing, and the nest that misses it; no nest: the top. */
  readonly missType?: number | undefined
  readonly missNest?: number | undefined
}

/**
 * A refusal that knows which bytes of the request it is about.
 *
 * @kernel struct netlink_ext_ack include/linux/netlink.h
 */
export class NetlinkError extends Errno {
  readonly offset: number | undefined
  readonly policy: AttrPolicy | undefined
  readonly missType: number | undefined
  readonly missNest: number | undefined

  constructor(code: ErrnoName, message?: string, details: ExtackDetails = {}) {
    super(code, message)
    this.offset = details.offset
    this.policy = details.policy
    this.missType = details.missType
    this.missNest = details.missNest
  }
}
