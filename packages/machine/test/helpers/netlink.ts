import {
  decodeMessages,
  NetlinkOption,
  NetlinkProtocolNr,
  NlWriter,
  nodeType,
  SOL_NETLINK,
  textOf,
  type MessageNode,
  type NetlinkServer,
  type NetlinkSocket,
} from '@vnet/netlink'

/** Bytes of the fixed part, by message type. */
const HEADERS: Readonly<Record<number, number>> = {
  2: 20,
  3: 4,
  16: 16,
  17: 16,
  20: 8,
  21: 8,
  24: 12,
  25: 12,
  28: 12,
  29: 12,
  32: 12,
  56: 8,
  64: 4,
  80: 4,
  81: 4,
}

/** A message as a test looks at it. */
export interface Answer {
  readonly type: number
  readonly flags: number
  readonly header: Uint8Array
  readonly attrs: ReadonlyMap<number, Uint8Array>
}

/** A program's end of rtnetlink. */
export class Rtnl {
  readonly socket: NetlinkSocket
  #seq = 0

  constructor(server: NetlinkServer, options: { strict?: boolean; capNetAdmin?: boolean } = {}) {
    this.socket = server.socket(NetlinkProtocolNr.ROUTE, { capNetAdmin: options.capNetAdmin ?? true })
    this.socket.setsockopt(SOL_NETLINK, NetlinkOption.EXT_ACK, 1)
    // Without the request in an error, the sentence stands right behind its header.
    this.socket.setsockopt(SOL_NETLINK, NetlinkOption.CAP_ACK, 1)
    if (options.strict !== false) this.socket.setsockopt(SOL_NETLINK, NetlinkOption.GET_STRICT_CHK, 1)
  }

  /** Sends a request and gives all answers, errors and the end of a dump among them. */
  ask(
    type: number,
    flags: number,
    header: readonly number[],
    fill: (w: NlWriter) => void = () => {},
  ): Answer[] {
    const w = new NlWriter()
    const at = w.begin(type, flags | 1, ++this.#seq, 0)
    w.raw(Uint8Array.from(header))
    fill(w)
    w.end(at)
    this.socket.send(w.bytes())
    return this.take()
  }

  /** What waits in the queue. */
  take(): Answer[] {
    const out: Answer[] = []
    for (let got = this.socket.recv(); got !== null; got = this.socket.recv()) {
      out.push(...decodeMessages(got.bytes, (type) => HEADERS[type] ?? 0).map(answerOf))
    }
    return out
  }

  /** A request that changes something: 0 or the errno, and the sentence. */
  change(
    type: number,
    flags: number,
    header: readonly number[],
    fill?: (w: NlWriter) => void,
  ): { errno: number; message: string } {
    const [ack] = this.ask(type, flags | 4, header, fill)
    return errorOf(ack!)
  }

  /** The messages of a dump, without its end. */
  dump(type: number, header: readonly number[], fill?: (w: NlWriter) => void): Answer[] {
    const all = this.ask(type, 0x300, header, fill)
    const end = all.pop()!
    if (end.type !== 3) throw new Error(`dump ended with type ${end.type}: ${errorOf(end).message}`)
    return all
  }
}

function answerOf(node: MessageNode): Answer {
  const attrs = new Map<number, Uint8Array>()
  for (const attr of node.attrs) attrs.set(nodeType(attr), attr.payload)
  return { type: node.type, flags: node.flags, header: node.header, attrs }
}

/** What an NLMSG_ERROR says. */
export function errorOf(answer: Answer): { errno: number; message: string } {
  const view = new DataView(answer.header.buffer, answer.header.byteOffset)
  const text = answer.attrs.get(1)
  return { errno: view.getInt32(0, true), message: text === undefined ? '' : textOf(text, 0, text.length) }
}

/** An attribute as a number. */
export function u32(answer: Answer, type: number): number | undefined {
  const bytes = answer.attrs.get(type)
  return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
}

/** An attribute as an address. */
export function ip(answer: Answer, type: number): string | undefined {
  const bytes = answer.attrs.get(type)
  if (bytes === undefined) return undefined
  if (bytes.length === 4) return bytes.join('.')
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2]! << 8) | bytes[i * 2 + 1]!).toString(16))
  return words.join(':').replace(/(^|:)0(:0)+(:|$)/, '::')
}
