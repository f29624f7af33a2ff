import type { NlaPolicy } from './policy.ts'
import { NlAttrs, NlMessages, viewOf } from './reader.ts'
import { NlaF } from './nlmsg.ts'
import { NlWriter } from './writer.ts'

/** An attribute as it stands in a message: its type with all its bits, and either its payload or what is inside. */
export interface AttrNode {
  /** With the bits `NlaF.NESTED` and `NlaF.NET_BYTEORDER`. */
  readonly rawType: number
  readonly payload: Uint8Array
  /** Present when it is a nest. */
  readonly inside?: readonly AttrNode[]
}

/** A message as data: for tests, captures and people. */
export interface MessageNode {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly portid: number
  /** The fixed part behind the message header. */
  readonly header: Uint8Array
  readonly attrs: readonly AttrNode[]
  /** What follows the last attribute and is none. */
  readonly rest: Uint8Array
}

/**
 * The messages of a datagram as data. Nests are known by their mark, or by the policy.
 *
 * @param headerLength - bytes of the fixed part, by message type
 * @kernel none
 */
export function decodeMessages(
  bytes: Uint8Array,
  headerLength: (type: number) => number,
  policy?: (type: number) => NlaPolicy | undefined,
): MessageNode[] {
  const out: MessageNode[] = []
  const messages = new NlMessages(bytes)
  while (messages.next()) {
    const body = messages.start + 16
    const attrsAt = Math.min(body + headerLength(messages.type), messages.end)
    const attrs = new NlAttrs(bytes, attrsAt, messages.end)
    const nodes = nodesOf(attrs, policy?.(messages.type), 0)
    out.push({
      type: messages.type,
      flags: messages.flags,
      seq: messages.seq,
      portid: messages.portid,
      header: bytes.slice(body, attrsAt),
      attrs: nodes,
      rest: bytes.slice(messages.end - attrs.left, messages.end),
    })
  }
  return out
}

const MAX_DEPTH = 10

function nodesOf(attrs: NlAttrs, policy: NlaPolicy | undefined, depth: number): AttrNode[] {
  const nodes: AttrNode[] = []
  const view = viewOf(attrs.bytes)
  while (attrs.next()) {
    const known = policy?.attrs[attrs.type]
    const rawType = view.getUint16(attrs.start + 2, true)
    const payload = attrs.payload()
    const nested = attrs.nested || known?.kind === 'nested'
    const inside = nested && depth < MAX_DEPTH ? wholly(attrs, known?.nested, depth) : undefined
    nodes.push(inside === undefined ? { rawType, payload } : { rawType, payload, inside })
  }
  return nodes
}

/** What is inside, if that is attributes to the last byte. */
function wholly(attrs: NlAttrs, policy: NlaPolicy | undefined, depth: number): AttrNode[] | undefined {
  const inside = attrs.inside()
  const nodes = nodesOf(inside, policy, depth + 1)
  return inside.left === 0 ? nodes : undefined
}

/** The bytes of messages. @kernel none */
export function encodeMessages(messages: readonly MessageNode[]): Uint8Array {
  const writer = new NlWriter()
  for (const message of messages) {
    const at = writer.begin(message.type, message.flags, message.seq, message.portid)
    writer.raw(message.header)
    for (const node of message.attrs) writeNode(writer, node)
    writer.raw(message.rest)
    writer.patchU32(at, writer.length - at)
  }
  return writer.bytes()
}

function writeNode(writer: NlWriter, node: AttrNode): void {
  if (node.inside === undefined) {
    writer.putBinary(node.rawType, node.payload)
    return
  }
  const at = writer.nestStartNoflag(node.rawType)
  for (const child of node.inside) writeNode(writer, child)
  writer.nestEnd(at)
}

/** The type of a node without its bits. @kernel nla_type() include/net/netlink.h */
export function nodeType(node: AttrNode): number {
  return node.rawType & NlaF.TYPE_MASK
}
