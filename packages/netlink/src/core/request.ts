import type { Kernel } from '@vnet/kernel'
import { NLMSG_HDRLEN, NlmF } from '../codec/nlmsg.ts'
import { NlWriter } from '../codec/writer.ts'
import { viewOf } from '../codec/reader.ts'
import type { NlMessages } from '../codec/reader.ts'
import type { NetlinkServer } from './server.ts'
import type { NetlinkSocket } from './socket.ts'

/**
 * One request on its way through the kernel: the message, who sent it, and how to answer.
 *
 * Offsets in `bytes` count from the message header, as extended acks do.
 *
 * @kernel struct nlmsghdr, struct netlink_callback include/linux/netlink.h
 */
export class NlRequest {
  readonly kernel: Kernel
  readonly server: NetlinkServer
  readonly socket: NetlinkSocket
  /** This message only, header included. */
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly type: number
  readonly flags: number
  readonly seq: number
  /** A sentence that goes out with a success. */
  warning: string | undefined = undefined

  constructor(socket: NetlinkSocket, messages: NlMessages) {
    this.kernel = socket.server.kernel
    this.server = socket.server
    this.socket = socket
    this.bytes = messages.message()
    this.view = viewOf(this.bytes)
    this.type = messages.type
    this.flags = messages.flags
    this.seq = messages.seq
  }

  /** Bytes behind the message header. */
  get bodyLength(): number {
    return this.bytes.length - NLMSG_HDRLEN
  }

  /** Who asked may change the network. @kernel netlink_net_capable() net/netlink/af_netlink.c */
  get capNetAdmin(): boolean {
    return this.socket.capNetAdmin
  }

  /** The program wants to be told of everything it did wrong. @kernel netlink_strict_get_check() include/net/netlink.h */
  get strict(): boolean {
    return this.socket.strictCheck
  }

  /** Answers with one message in a datagram of its own. @kernel nlmsg_unicast() include/net/netlink.h */
  reply(type: number, fill: (w: NlWriter) => void, flags = 0): void {
    const w = new NlWriter()
    const at = w.begin(type, flags, this.seq, this.socket.portid)
    fill(w)
    w.end(at)
    this.socket.deliver(w.bytes(), 0, 0)
  }

  /** True when it asks for all of something. */
  get isDump(): boolean {
    return (this.flags & NlmF.DUMP) === NlmF.DUMP
  }
}
