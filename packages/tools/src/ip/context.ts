import { jsonText } from '@vnet/netdev'
import type { IpLinkOptions, JsonValue } from '@vnet/netdev'
import { Ifla, NetlinkProtocolNr, RtextFilter, Rtm } from '@vnet/netlink'
import type { NlWriter } from '@vnet/netlink'
import { NlFailure } from '../nl/failure.ts'
import type { NlReply } from '../nl/message.ts'
import { openNetlink } from '../nl/client.ts'
import type { NlClient } from '../nl/client.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { noDevice } from './error.ts'
import type { IpOptions } from './options.ts'

/** Bytes of `struct ifinfomsg`. */
export const IFINFOMSG = 16

/**
 * One run of `ip`: what was asked for, the socket, and the names of devices it met.
 *
 * @kernel none
 */
export class IpContext {
  readonly process: Process
  readonly options: IpOptions
  readonly rtnl: NlClient
  readonly #names = new Map<number, string>()
  readonly #flags = new Map<number, number>()

  constructor(process: Process, options: IpOptions, rtnl: NlClient) {
    this.process = process
    this.options = options
    this.rtnl = rtnl
  }

  out(text: string): void {
    this.process.stdout(text)
  }

  /** Ends a line of output: with `-o` there is one line for each thing. */
  get nl(): string {
    return this.options.oneline ? '\\' : '\n'
  }

  json(records: readonly JsonValue[]): void {
    this.out(jsonText(records, this.options.pretty))
  }

  /** The options the link formatter knows. */
  get linkOptions(): IpLinkOptions {
    const { stats, details, json, pretty, oneline, brief, human } = this.options
    return {
      stats: Math.min(stats, 2) as 0 | 1 | 2,
      details: details > 0,
      json,
      pretty,
      oneline,
      brief,
      human,
    }
  }

  // ── devices

  /** Notes what a link message says of its device. The first name stays: `ip monitor` goes on to use it after a rename. */
  remember(reply: NlReply): void {
    const ifindex = reply.s32(4)
    const name = reply.attrs(IFINFOMSG).text(Ifla.IFNAME)
    if (name === undefined) return
    if (!this.#names.has(ifindex)) this.#names.set(ifindex, name)
    this.#flags.set(ifindex, reply.u32(8))
  }

  /** The device is gone; another one may get its number. */
  forget(ifindex: number): void {
    this.#names.delete(ifindex)
    this.#flags.delete(ifindex)
  }

  /** The name that was met last, without asking. */
  knownName(ifindex: number): string {
    return this.#names.get(ifindex) ?? `if${ifindex}`
  }

  knownFlags(ifindex: number): number {
    return this.#flags.get(ifindex) ?? 0
  }

  /** The name of a device, asked for once; `if7` for one that is not there. @kernel ll_index_to_name() none */
  *nameOf(ifindex: number): Syscalls<string> {
    if (ifindex === 0) return '*'
    if (!this.#names.has(ifindex)) yield* this.#lookUp((w) => putIfinfo(w, { index: ifindex }))
    return this.knownName(ifindex)
  }

  /** The number of a device; 0: there is none of that name. @kernel ll_name_to_index() none */
  *findIndex(name: string): Syscalls<number> {
    const reply = yield* this.#lookUp((w) => {
      putIfinfo(w, {})
      w.putU32(Ifla.EXT_MASK, RtextFilter.VF | RtextFilter.SKIP_STATS)
      w.putString(Ifla.IFNAME, name)
    })
    return reply?.s32(4) ?? 0
  }

  /** @throws IpError */
  *indexOf(name: string): Syscalls<number> {
    const ifindex = yield* this.findIndex(name)
    if (ifindex === 0) throw noDevice(name)
    return ifindex
  }

  /** On a socket of its own, as the real one does. */
  *#lookUp(fill: (w: NlWriter) => void): Syscalls<NlReply | null> {
    const client = yield* openNetlink(this.process, NetlinkProtocolNr.ROUTE)
    try {
      const reply = yield* client.get(Rtm.GETLINK, 0, fill)
      this.remember(reply)
      return reply
    } catch (error) {
      if (error instanceof NlFailure) return null
      throw error
    } finally {
      yield* client.close()
    }
  }
}

/** Fields of `struct ifinfomsg` that are not 0. */
export interface Ifinfo {
  readonly family?: number
  readonly index?: number
  readonly flags?: number
  readonly change?: number
}

/** @kernel struct ifinfomsg include/uapi/linux/rtnetlink.h */
export function putIfinfo(w: NlWriter, info: Ifinfo): void {
  w.u8(info.family ?? 0)
  w.u8(0)
  w.u16(0)
  w.u32(info.index ?? 0)
  w.u32(info.flags ?? 0)
  w.u32(info.change ?? 0)
}
