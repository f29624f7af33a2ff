import { setEthtoolOps } from '@vnet/ethtool'
import type { EthtoolOps } from '@vnet/ethtool'
import { createKernel, Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import {
  allocEtherdevMqs,
  ethMacAddr,
  NETDEV_TX_OK,
  netifTxStartAllQueues,
  registerNetdev,
} from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { decodeMessages, netlinkServer, NetlinkProtocolNr, NlmF, Nlmsg, NlWriter } from '../src/index.ts'
import type { AttrNode, MessageNode, NetlinkServer, NetlinkSocket, SocketOptions } from '../src/index.ts'

export interface Rig {
  readonly kernel: Kernel
  readonly dev: NetDevice<any>
  readonly server: NetlinkServer
}

export const STAT_NAMES = ['tx_packets', 'tx_bytes', 'tx_dropped']

/** The C driver of phase 7, as far as netlink can tell: get_link, statistics, nothing else. */
export const C_VNET7: EthtoolOps<any> = {
  getDrvinfo: () => ({ driver: 'vnet', version: '0.7', busInfo: 'virtual' }),
  getLink: () => true,
  getSsetCount: (_dev, set) => {
    if (set !== 'stats') throw new Errno('EOPNOTSUPP')
    return STAT_NAMES.length
  },
  getStrings: (_dev, set) => (set === 'stats' ? STAT_NAMES : []),
  getEthtoolStats: () => [7n, 586n, 0n],
}

export function makeRig(
  ops: EthtoolOps<any> | null = C_VNET7,
  prepare: (dev: NetDevice<any>) => void = () => {},
): Rig {
  const kernel = createKernel()
  const server = netlinkServer(kernel)
  return { kernel, server, dev: addDev(kernel, 'vnet0', ops, prepare) }
}

export function addDev(
  kernel: Kernel,
  name: string,
  ops: EthtoolOps<any> | null = null,
  prepare: (dev: NetDevice<any>) => void = () => {},
): NetDevice<any> {
  const dev = allocEtherdevMqs(kernel, {
    name,
    ops: {
      ndoStartXmit: () => NETDEV_TX_OK,
      ndoOpen: (d) => netifTxStartAllQueues(d),
      ndoSetMacAddress: ethMacAddr,
    },
    priv: () => ({}),
  })
  dev.devAddr.set([2, 0, 0, 0, 0, 1])
  dev.permAddr.set(dev.devAddr)
  if (ops !== null) setEthtoolOps(dev, ops)
  prepare(dev)
  registerNetdev(dev)
  return dev
}

/** A program with one socket: sends requests, reads what comes back. */
export class Client {
  readonly socket: NetlinkSocket
  seq = 1

  constructor(
    server: NetlinkServer,
    protocol: number = NetlinkProtocolNr.ROUTE,
    options: SocketOptions = {},
  ) {
    this.socket = server.socket(protocol, options)
    this.socket.bind(0)
    this.socket.extAck = true
  }

  /** Sends one message and reads all answers. */
  ask(type: number, flags: number, fill: (w: NlWriter) => void): MessageNode[] {
    const w = new NlWriter()
    const at = w.begin(type, NlmF.REQUEST | flags, this.seq++, 0)
    fill(w)
    w.end(at)
    return this.raw(w.bytes())
  }

  raw(bytes: Uint8Array): MessageNode[] {
    this.socket.send(bytes)
    return this.read()
  }

  read(): MessageNode[] {
    const out: MessageNode[] = []
    for (let got = this.socket.recv(); got !== null; got = this.socket.recv()) {
      out.push(...decodeMessages(got.bytes, headerOf(this.socket.protocol.nr)))
    }
    return out
  }
}

/** Bytes of the fixed part by type. */
export function headerOf(protocol: number): (type: number) => number {
  return (type) => {
    if (type === Nlmsg.ERROR || type === Nlmsg.DONE) return 4
    if (protocol === NetlinkProtocolNr.GENERIC) return 4
    if (type < 20) return 16
    if (type < 24) return 8
    if (type >= 36 && type < 48) return 20
    if (type >= 92 && type < 96) return 12
    return type >= 88 ? 4 : 12
  }
}

/** The errno of an answer that is an acknowledgement; undefined: it is none. */
export function errnoOf(message: MessageNode | undefined): number | undefined {
  if (message?.type !== Nlmsg.ERROR && message?.type !== Nlmsg.DONE) return undefined
  return new DataView(message.header.buffer).getInt32(0, true)
}

export function find(
  nodes: readonly AttrNode[] | undefined,
  ...path: readonly number[]
): AttrNode | undefined {
  const [type, ...rest] = path
  const node = nodes?.find((one) => (one.rawType & 0x3fff) === type)
  return rest.length === 0 ? node : find(node?.inside, ...rest)
}

export function text(node: AttrNode | undefined): string | undefined {
  if (node === undefined) return undefined
  return new TextDecoder().decode(node.payload).replace(/\0.*$/, '')
}

export function num(node: AttrNode | undefined): number | undefined {
  if (node === undefined) return undefined
  const { payload } = node
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  return payload.length >= 4
    ? view.getUint32(0, true)
    : payload.length === 2
      ? view.getUint16(0, true)
      : payload[0]
}

/** What an error says: number, sentence, offset. */
export interface Said {
  readonly errno: number
  readonly message?: string
  readonly offset?: number
  readonly missing?: number
}

/** Reads an error message from its bytes. */
export function saidIn(bytes: Uint8Array): Said {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const errno = view.getInt32(16, true)
  const flags = view.getUint16(6, true)
  if ((flags & NlmF.ACK_TLVS) === 0) return { errno }
  const request = (flags & NlmF.CAPPED) === 0 ? (view.getUint32(20, true) + 3) & ~3 : 16
  let at = 20 + request
  const out: { errno: number; message?: string; offset?: number; missing?: number } = { errno }
  while (at + 4 <= bytes.length) {
    const length = view.getUint16(at, true)
    const type = view.getUint16(at + 2, true)
    if (type === 1) out.message = new TextDecoder().decode(bytes.subarray(at + 4, at + length - 1))
    if (type === 2) out.offset = view.getUint32(at + 4, true)
    if (type === 5) out.missing = view.getUint32(at + 4, true)
    at += (length + 3) & ~3
  }
  return out
}

/** Sends one message that is refused, and gives what the error says. */
export function refusal(
  client: Client,
  type: number,
  flags: number,
  fill: (w: NlWriter) => void,
): Said | undefined {
  const w = new NlWriter()
  const at = w.begin(type, NlmF.REQUEST | flags, client.seq++, 0)
  fill(w)
  w.end(at)
  client.socket.send(w.bytes())
  let last: Said | undefined
  for (let got = client.socket.recv(); got !== null; got = client.socket.recv()) {
    if (new DataView(got.bytes.buffer).getUint16(4, true) === Nlmsg.ERROR) last = saidIn(got.bytes)
  }
  return last
}

/** Writes an empty `struct ifinfomsg` but for what is given. */
export function ifinfo(
  w: NlWriter,
  what: { index?: number; flags?: number; change?: number; family?: number } = {},
): void {
  w.u8(what.family ?? 0)
  w.u8(0)
  w.u16(0)
  w.u32(what.index ?? 0)
  w.u32(what.flags ?? 0)
  w.u32(what.change ?? 0)
}
