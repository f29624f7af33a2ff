import { Errno } from '@vnet/kernel'
import {
  NetlinkOption,
  NlMessages,
  NlmF,
  Nlmsg,
  NlmsgerrAttr,
  NlWriter,
  nlmsgAlign,
  SOL_NETLINK,
} from '@vnet/netlink'
import { bind, close, getsockname, recvfrom, sendto, setsockopt, socket } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { AttrMap } from './attrs.ts'
import { NlFailure, NlGarbage } from './failure.ts'
import { NlReply } from './message.ts'

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const MSG_TRUNC = 0x20
const MSG_DONTWAIT = 0x40
const SOCKADDR_NL = 12
const ROOM = 64 * 1024
/** Datagrams for somebody else that are passed over before the tool gives up. */
const MAX_STRAY = 4096
/** Messages of one answer; no table of a machine is that long. */
const MAX_MESSAGES = 1 << 20

/** What a client can ask for when it is opened. @kernel none */
export interface NlClientOptions {
  /** Requests must be well-formed to the last byte. */
  readonly strict?: boolean
  /** Bits of the groups up to 32. */
  readonly groups?: number
  /** Told of what the kernel says about a request it carried out. */
  readonly warn?: (message: string) => void
}

/**
 * A netlink socket of a program: sends a request and gathers what belongs to it.
 *
 * The kernel answers before the call that sends returns, so nothing here waits; an answer that does not end is an error.
 *
 * @kernel struct rtnl_handle none
 */
export class NlClient {
  readonly process: Process
  readonly fd: number
  readonly portid: number
  readonly #warn: (message: string) => void
  #seq = 0

  constructor(process: Process, fd: number, portid: number, warn: (message: string) => void) {
    this.process = process
    this.fd = fd
    this.portid = portid
    this.#warn = warn
  }

  close(): Syscalls<number> {
    return close(this.fd)
  }

  /** Asks for one thing and gets one message. @throws NlFailure, NlGarbage, Errno */
  *get(type: number, flags: number, fill: (w: NlWriter) => void): Syscalls<NlReply> {
    const [reply] = yield* this.ask(type, flags, fill)
    if (reply === undefined) throw new NlGarbage('no answer')
    return reply
  }

  /** Asks for all there is. @throws NlFailure, NlGarbage, Errno */
  dump(type: number, fill: (w: NlWriter) => void): Syscalls<NlReply[]> {
    return this.ask(type, NlmF.DUMP, fill)
  }

  /**
   * Sends a request and reads until its answer is complete: DONE of a dump, the acknowledgement where one was asked
   * for, else the first message.
   *
   * @throws NlFailure, NlGarbage, Errno
   */
  *ask(type: number, flags: number, fill: (w: NlWriter) => void): Syscalls<NlReply[]> {
    const seq = ++this.#seq
    const w = new NlWriter()
    const at = w.begin(type, NlmF.REQUEST | flags, seq, 0)
    fill(w)
    w.end(at)
    yield* sendto(this.process, this.fd, w.bytes(), 0, sockaddrNl(0))
    const replies: NlReply[] = []
    for (let stray = 0; stray < MAX_STRAY;) {
      const datagram = yield* this.#datagram()
      if (datagram === null) stray++
      else if (this.#take(datagram, seq, flags, replies)) return replies
      else if (replies.length === 0) stray++
      if (replies.length > MAX_MESSAGES) break
    }
    throw new NlGarbage('the answer does not end')
  }

  /** Waits for notifications. @throws Errno EINTR, ENOBUFS */
  *wait(timeoutNs?: number): Syscalls<NlReply[]> {
    const { bytes } = yield* recvfrom(this.process, this.fd, ROOM, MSG_TRUNC, timeoutNs)
    const replies: NlReply[] = []
    const messages = new NlMessages(bytes)
    while (messages.next()) replies.push(replyOf(messages))
    return replies
  }

  addMembership(group: number): Syscalls<number> {
    return setsockopt(this.process, this.fd, SOL_NETLINK, NetlinkOption.ADD_MEMBERSHIP, group)
  }

  /** A datagram of the kernel; null for one of somebody else. */
  *#datagram(): Syscalls<Uint8Array | null> {
    const got = yield* receive(this.process, this.fd)
    if (got.address.length !== SOCKADDR_NL) {
      throw new NlGarbage(`sender address length == ${got.address.length}`)
    }
    if (got.length > ROOM) throw new NlGarbage('message truncated')
    return new DataView(got.address.buffer).getUint32(4, true) === 0 ? got.bytes : null
  }

  /** @returns true when the answer is complete */
  #take(bytes: Uint8Array, seq: number, flags: number, replies: NlReply[]): boolean {
    const messages = new NlMessages(bytes)
    while (messages.next()) {
      if (messages.seq !== seq || messages.portid !== this.portid) continue
      if (messages.type === Nlmsg.ERROR) return this.#ended(messages, true)
      if (messages.type === Nlmsg.DONE) return this.#ended(messages, false)
      replies.push(replyOf(messages))
      if ((flags & NlmF.ACK) === 0 && (flags & NlmF.DUMP) !== NlmF.DUMP) return true
    }
    return false
  }

  #ended(messages: NlMessages, isError: boolean): true {
    const { errno, said, offset } = endOf(messages, isError)
    if (errno < 0) throw new NlFailure(errno, said, offset)
    if (said !== undefined) this.#warn(said)
    return true
  }
}

interface End {
  readonly errno: number
  readonly said: string | undefined
  readonly offset: number | undefined
}

/** Reads an error or the end of a dump; what is cut short says EPROTO. */
function endOf(messages: NlMessages, isError: boolean): End {
  const reply = replyOf(messages)
  if (reply.payload.length < 4) {
    if (!isError) return { errno: 0, said: undefined, offset: undefined }
    throw new NlGarbage('ERROR truncated')
  }
  const errno = reply.s32(0)
  if ((reply.flags & NlmF.ACK_TLVS) === 0) return { errno, said: undefined, offset: undefined }
  const capped = (reply.flags & NlmF.CAPPED) !== 0
  const request = isError ? (capped ? 16 : nlmsgAlign(reply.u32(4))) : 0
  const attrs = new AttrMap(reply.payload, 4 + request)
  return { errno, said: attrs.text(NlmsgerrAttr.MSG), offset: attrs.u32(NlmsgerrAttr.OFFS) }
}

function replyOf(messages: NlMessages): NlReply {
  const payload = messages.bytes.slice(messages.start + 16, messages.end)
  return new NlReply(messages.type, messages.flags, payload)
}

function* receive(process: Process, fd: number) {
  try {
    return yield* recvfrom(process, fd, ROOM, MSG_TRUNC | MSG_DONTWAIT)
  } catch (error) {
    if (error instanceof Errno && error.code === 'EAGAIN') throw new NlGarbage('EOF on netlink')
    throw error
  }
}

/** The address of a port, or of this program when 0. @kernel struct sockaddr_nl include/uapi/linux/netlink.h */
export function sockaddrNl(portid: number, groups = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(SOCKADDR_NL))
  view.setUint16(0, AF_NETLINK, true)
  view.setUint32(4, portid, true)
  view.setUint32(8, groups, true)
  return new Uint8Array(view.buffer)
}

/** Opens a netlink socket as the tools do. @throws NlGarbage, Errno @kernel rtnl_open_byproto() none */
export function* openNetlink(
  process: Process,
  protocol: number,
  options: NlClientOptions = {},
): Syscalls<NlClient> {
  const fd = yield* socket(process, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)
  yield* tryOption(process, fd, NetlinkOption.EXT_ACK)
  yield* bind(process, fd, sockaddrNl(0, options.groups ?? 0))
  const name = yield* getsockname(process, fd)
  const view = new DataView(name.buffer)
  if (name.length !== SOCKADDR_NL) throw new NlGarbage(`Wrong address length ${name.length}`)
  if (view.getUint16(0, true) !== AF_NETLINK)
    throw new NlGarbage(`Wrong address family ${view.getUint16(0, true)}`)
  if (options.strict === true) yield* tryOption(process, fd, NetlinkOption.GET_STRICT_CHK)
  return new NlClient(process, fd, view.getUint32(4, true), options.warn ?? (() => {}))
}

/** An old kernel that lacks the option is fine. */
function* tryOption(process: Process, fd: number, option: number): Syscalls<void> {
  try {
    yield* setsockopt(process, fd, SOL_NETLINK, option, 1)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
}
