import type { Errno } from '@vnet/kernel'
import { NetlinkError } from '../codec/extack.ts'
import { Nlmsg, NlmF, NlmsgerrAttr, NLMSG_HDRLEN } from '../codec/nlmsg.ts'
import { putPolicyAttr } from '../codec/policy-dump.ts'
import { NlWriter } from '../codec/writer.ts'
import type { NlRequest } from './request.ts'

/**
 * Says how a request ended: an error message with number 0 or the errno, and what else there is to say.
 *
 * After a failure the whole request comes back, unless the program set CAP_ACK; after a success only its header.
 *
 * @kernel netlink_ack() net/netlink/af_netlink.c
 */
export function netlinkAck(request: NlRequest, error: Errno | null): void {
  const { socket, bytes } = request
  const whole = error !== null && !socket.capAck
  const w = new NlWriter(64 + (whole ? bytes.length : 0))
  const at = w.begin(Nlmsg.ERROR, 0, request.seq, socket.portid)
  w.u32(error?.errno ?? 0)
  w.raw(whole ? bytes : bytes.subarray(0, NLMSG_HDRLEN))
  w.align()
  const tlvs = w.length
  if (socket.extAck) putExtack(w, request, error)
  const flags = (whole ? 0 : NlmF.CAPPED) | (w.length > tlvs ? NlmF.ACK_TLVS : 0)
  patchFlags(w, at, Nlmsg.ERROR, flags)
  w.end(at)
  socket.deliver(w.bytes(), 0, 0)
}

function patchFlags(w: NlWriter, at: number, type: number, flags: number): void {
  w.patchU32(at + 4, (type | (flags << 16)) >>> 0)
}

function putExtack(w: NlWriter, request: NlRequest, error: Errno | null): void {
  const message = error === null ? request.warning : error.extack
  if (message !== undefined) w.putString(NlmsgerrAttr.MSG, message)
  if (error instanceof NetlinkError) putDetails(w, error)
}

function putDetails(w: NlWriter, error: NetlinkError): void {
  if (error.offset !== undefined) w.putU32(NlmsgerrAttr.OFFS, error.offset)
  if (error.policy !== undefined) putPolicyAttr(w, NlmsgerrAttr.POLICY, error.policy)
  if (error.missNest !== undefined) w.putU32(NlmsgerrAttr.MISS_NEST, error.missNest)
  if (error.missType !== undefined) w.putU32(NlmsgerrAttr.MISS_TYPE, error.missType)
}

/** The last message of a dump: 0, or the errno that ended it. @kernel netlink_dump_done() net/netlink/af_netlink.c */
export function putDone(w: NlWriter, request: NlRequest, flags: number, error: Errno | null): void {
  const at = w.begin(Nlmsg.DONE, flags, request.seq, request.socket.portid)
  w.u32(error?.errno ?? 0)
  const tlvs = w.length
  if (error !== null && request.socket.extAck) putExtack(w, request, error)
  if (w.length > tlvs) patchFlags(w, at, Nlmsg.DONE, flags | NlmF.ACK_TLVS)
  w.end(at)
}
