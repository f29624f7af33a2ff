import { Errno } from '@vnet/kernel'
import { Nlmsg, NlmF } from '../codec/nlmsg.ts'
import { NlMessages } from '../codec/reader.ts'
import { netlinkAck } from './ack.ts'
import { DumpRun } from './dump.ts'
import type { NlDump } from './dump.ts'
import { NlRequest } from './request.ts'
import type { NetlinkSocket } from './socket.ts'

/** What a protocol does with one request. A dump comes back and is sent by the core. @throws Errno */
export type RequestHandler = (request: NlRequest) => NlDump | void

/**
 * Works through the messages of a datagram a program sent: ignores what is no request, runs the rest, acknowledges.
 *
 * @kernel netlink_rcv_skb() net/netlink/af_netlink.c
 */
export function netlinkRcv(socket: NetlinkSocket, datagram: Uint8Array, handle: RequestHandler): void {
  const messages = new NlMessages(datagram)
  while (messages.next()) {
    const request = new NlRequest(socket, messages)
    const wanted = (messages.flags & NlmF.REQUEST) !== 0 && messages.type >= Nlmsg.MIN_TYPE
    const { error, started } = wanted ? run(request, handle) : { error: null, started: false }
    if (started) continue
    if (error !== null || (messages.flags & NlmF.ACK) !== 0) netlinkAck(request, error)
  }
}

/** A dump that started says by itself how it ends. */
function run(request: NlRequest, handle: RequestHandler): { error: Errno | null; started: boolean } {
  try {
    const dump = handle(request)
    if (dump === undefined) return { error: null, started: false }
    request.socket.startDump(new DumpRun(request, dump))
    return { error: null, started: true }
  } catch (error) {
    if (error instanceof Errno) return { error, started: false }
    throw error
  }
}
