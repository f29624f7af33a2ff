/** Kinds of attributes. @kernel enum netlink_attribute_type include/uapi/linux/netlink.h */
export type AttrKind =
  | 'flag'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 's8'
  | 's16'
  | 's32'
  | 's64'
  | 'binary'
  | 'string'
  | 'nul-string'
  | 'nested'
  | 'reject'

/** What an attribute must look like. @kernel struct nla_policy include/net/netlink.h */
export interface AttrPolicy {
  /** The name an `Errno` means by `badAttr`, as the specification spells it. */
  readonly name: string
  readonly kind: AttrKind
  /** Most bytes of a string (without its end mark) or of binary data. */
  readonly maxLength?: number
  /** Least bytes of binary data. */
  readonly minLength?: number
  /** The range of a number. */
  readonly min?: number
  readonly max?: number
  /** The bits a number may have. */
  readonly mask?: number
  /** What is inside a nest; it is checked together with its parent. */
  readonly nested?: NlaPolicy
}

/** What a list of attributes may contain, by type number. */
export interface NlaPolicy {
  readonly maxType: number
  readonly attrs: readonly (AttrPolicy | undefined)[]
}

/**
 * How much is forgiven. `'strict'`: nothing. `'liberal'`: unknown attributes, extra bytes and a missing mark of a
 * nest, as old programs need it; lengths are checked all the same.
 *
 * @kernel enum netlink_validation include/net/netlink.h
 */
export type NlaCheck = 'strict' | 'liberal'

/** Makes a policy from its attributes by number. @kernel none */
export function nlaPolicy(attrs: Readonly<Record<number, AttrPolicy>>): NlaPolicy {
  const list: (AttrPolicy | undefined)[] = []
  let maxType = 0
  for (const [key, policy] of Object.entries(attrs)) {
    const type = Number(key)
    if (type > maxType) maxType = type
    list[type] = policy
  }
  return { maxType, attrs: Array.from(list) }
}

const LENGTHS: Readonly<Partial<Record<AttrKind, number>>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  s8: 1,
  s16: 2,
  s32: 4,
  s64: 8,
}

/** Bytes of a number of this kind; undefined for what is no number. @kernel nla_attr_len[] lib/nlattr.c */
export function fixedLength(kind: AttrKind): number | undefined {
  return LENGTHS[kind]
}
