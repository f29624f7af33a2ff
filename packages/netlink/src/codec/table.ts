import { Errno } from '@vnet/kernel'
import { NetlinkError } from './extack.ts'
import type { NlaCheck, NlaPolicy } from './policy.ts'
import { NlAttrs, readNumber, viewOf } from './reader.ts'
import { textOf } from './text.ts'
import { checkLeft, policyOf, validateAttr } from './validate.ts'
import { NLA_HDRLEN } from './nlmsg.ts'

const EMPTY: NlaPolicy = { maxType: 0, attrs: [] }

/**
 * The attributes of a message or a nest, found by their type: what `nla_parse` leaves in `tb[]`.
 *
 * Of an attribute that is there twice, the last one counts.
 *
 * @kernel nla_parse() include/net/netlink.h
 */
export class NlaTable {
  readonly bytes: Uint8Array
  readonly policy: NlaPolicy
  readonly check: NlaCheck
  /** Where the nest these are in has its header; -1 at the top. */
  readonly parent: number
  readonly #view: DataView
  /** Offsets of headers by type; -1: not there. */
  readonly #at: Int32Array

  constructor(bytes: Uint8Array, policy: NlaPolicy, check: NlaCheck, parent: number) {
    this.bytes = bytes
    this.policy = policy
    this.check = check
    this.parent = parent
    this.#view = viewOf(bytes)
    this.#at = new Int32Array(policy.maxType + 1).fill(-1)
  }

  /** Notes where an attribute is. */
  note(type: number, start: number): void {
    if (type < this.#at.length) this.#at[type] = start
  }

  /** True when the attribute is there. */
  has(type: number): boolean {
    return this.offset(type) >= 0
  }

  /** Where its header is, from the start of the message; -1: not there. */
  offset(type: number): number {
    return this.#at[type] ?? -1
  }

  /** Bytes of its payload; 0 when it is not there. */
  length(type: number): number {
    const at = this.offset(type)
    return at < 0 ? 0 : this.#view.getUint16(at, true) - NLA_HDRLEN
  }

  /** An unsigned number of up to four bytes; undefined when it is not there. */
  number(type: number): number | undefined {
    const at = this.offset(type)
    return at < 0 ? undefined : readNumber(this.#view, at + NLA_HDRLEN, this.length(type))
  }

  /** A signed number of four bytes. */
  s32(type: number): number | undefined {
    const value = this.number(type)
    return value === undefined ? undefined : value | 0
  }

  /** A u8 that means yes or no. */
  bool(type: number): boolean | undefined {
    const value = this.number(type)
    return value === undefined ? undefined : value !== 0
  }

  /** Text up to its end mark, or to the end of the attribute. */
  text(type: number): string | undefined {
    const at = this.offset(type)
    if (at < 0) return undefined
    return textOf(this.bytes, at + NLA_HDRLEN, at + NLA_HDRLEN + this.length(type))
  }

  /** A copy of the payload. */
  binary(type: number): Uint8Array | undefined {
    const at = this.offset(type)
    return at < 0 ? undefined : this.bytes.slice(at + NLA_HDRLEN, at + NLA_HDRLEN + this.length(type))
  }

  /** Walks over what is inside a nest; null when it is not there. */
  walk(type: number): NlAttrs | null {
    const at = this.offset(type)
    return at < 0 ? null : new NlAttrs(this.bytes, at + NLA_HDRLEN, at + NLA_HDRLEN + this.length(type))
  }

  /** The table of a nest; null when it is not there. @throws NetlinkError @kernel nla_parse_nested() include/net/netlink.h */
  nest(type: number, policy: NlaPolicy = this.policy.attrs[type]?.nested ?? EMPTY): NlaTable | null {
    const inside = this.walk(type)
    return inside === null ? null : parseInto(inside, policy, this.check, this.offset(type))
  }

  /** Refuses when an attribute is missing, saying which. @throws NetlinkError EINVAL @kernel GENL_REQ_ATTR_CHECK() include/net/genetlink.h */
  require(type: number, message?: string): void {
    if (this.has(type)) return
    const missNest = this.parent < 0 ? undefined : this.parent
    throw new NetlinkError('EINVAL', message, { missType: type, missNest })
  }
}

/**
 * Reads and checks the attributes between two offsets of a message.
 *
 * @throws NetlinkError EINVAL, ERANGE
 * @kernel __nla_parse() lib/nlattr.c
 */
export function nlaParse(
  bytes: Uint8Array,
  start: number,
  end: number,
  policy: NlaPolicy,
  check: NlaCheck,
): NlaTable {
  return parseInto(new NlAttrs(bytes, start, end), policy, check, -1)
}

/** The same for what a walker stands before. @throws NetlinkError @kernel __nla_parse() lib/nlattr.c */
export function parseInto(attrs: NlAttrs, policy: NlaPolicy, check: NlaCheck, parent: number): NlaTable {
  const table = new NlaTable(attrs.bytes, policy, check, parent)
  while (attrs.next()) {
    const known = policyOf(attrs, policy, check)
    if (known === undefined) continue
    validateAttr(attrs, known, check, 0)
    table.note(attrs.type, attrs.start)
  }
  checkLeft(attrs, check)
  return table
}

/**
 * Runs `fn`; an `Errno` that names an attribute (`'rx'`, `'modes/bits/2/name'`) comes out with its place in the
 * request.
 *
 * @kernel NL_SET_BAD_ATTR() include/linux/netlink.h
 */
export function blameAttr<T>(table: NlaTable, fn: () => T, extra: BlameNests = {}): T {
  try {
    return fn()
  } catch (error) {
    if (!(error instanceof Errno) || error instanceof NetlinkError || error.badAttr === undefined) throw error
    const offset = findAttr(table, error.badAttr.split('/'), extra)
    throw new NetlinkError(error.code, error.extack, { offset })
  }
}

/** What is inside nests whose policy does not say, by name. */
export type BlameNests = Readonly<Record<string, NlaPolicy>>

/** The nearest attribute of the path that is there; undefined: not even the first. */
function findAttr(table: NlaTable, path: readonly string[], nests: BlameNests): number | undefined {
  const [name = '', ...rest] = path
  const type = table.policy.attrs.findIndex((attr) => attr?.name === name)
  if (type < 0 || !table.has(type)) return undefined
  const here = table.offset(type)
  if (rest.length === 0) return here
  const policy = nests[name] ?? table.policy.attrs[type]?.nested
  if (policy === undefined) return here
  if (!/^\d+$/.test(rest[0]!)) return findAttr(table.nest(type, policy)!, rest, nests) ?? here
  const child = nthChild(table.walk(type)!, Number(rest[0]))
  if (child === null) return here
  const inside = policy.attrs[child.type]?.nested
  if (inside === undefined || rest.length === 1) return child.start
  const inner = parseInto(child.inside(), inside, 'liberal', child.start)
  return findAttr(inner, rest.slice(1), nests) ?? child.start
}

function nthChild(attrs: NlAttrs, index: number): NlAttrs | null {
  for (let i = 0; attrs.next(); i++) if (i === index) return attrs
  return null
}
