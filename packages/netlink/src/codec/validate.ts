import { NetlinkError } from './extack.ts'
import { fixedLength } from './policy.ts'
import type { AttrPolicy, NlaCheck, NlaPolicy } from './policy.ts'
import type { NlAttrs } from './reader.ts'

/** Nests inside nests that are looked into; deeper ones are refused. @kernel MAX_POLICY_RECURSION_DEPTH lib/nlattr.c */
export const MAX_NEST_DEPTH = 10

const FAILED = 'Attribute failed policy validation'

/**
 * Checks the attribute an {@link NlAttrs} stands on against its policy.
 *
 * @throws NetlinkError EINVAL or ERANGE with the attribute's offset
 * @kernel validate_nla() lib/nlattr.c
 */
export function validateAttr(attr: NlAttrs, policy: AttrPolicy, check: NlaCheck, depth: number): void {
  if (policy.kind === 'reject') throw refuse(attr, policy, 'EINVAL', FAILED)
  checkLength(attr, policy, check)
  checkNestMark(attr, policy, check)
  checkPayload(attr, policy)
  if (policy.nested !== undefined && attr.length > 0) {
    validateAttrs(attr.inside(), policy.nested, check, depth + 1)
  }
}

/** Checks all attributes of a list. @throws NetlinkError @kernel __nla_validate() lib/nlattr.c */
export function validateAttrs(attrs: NlAttrs, policy: NlaPolicy, check: NlaCheck, depth: number): void {
  if (depth >= MAX_NEST_DEPTH) throw new NetlinkError('EINVAL', 'allowed policy recursion depth exceeded')
  while (attrs.next()) {
    const known = policyOf(attrs, policy, check)
    if (known !== undefined) validateAttr(attrs, known, check, depth)
  }
  checkLeft(attrs, check)
}

/** The policy of the attribute; undefined for one to pass over. @throws NetlinkError in strict checking */
export function policyOf(attr: NlAttrs, policy: NlaPolicy, check: NlaCheck): AttrPolicy | undefined {
  const known = policy.attrs[attr.type]
  if (known !== undefined || check === 'liberal') return known
  const unknown = attr.type === 0 || attr.type > policy.maxType
  throw new NetlinkError('EINVAL', unknown ? 'Unknown attribute type' : 'Unsupported attribute', {
    offset: attr.start,
  })
}

/** Refuses what stands behind the last attribute, in strict checking. */
export function checkLeft(attrs: NlAttrs, check: NlaCheck): void {
  if (check === 'strict' && attrs.left > 0) {
    throw new NetlinkError('EINVAL', 'bytes leftover after parsing attributes')
  }
}

function checkLength(attr: NlAttrs, policy: AttrPolicy, check: NlaCheck): void {
  const fixed = fixedLength(policy.kind)
  if (fixed === undefined) return
  if (check === 'strict' && attr.length !== fixed) {
    throw refuse(attr, policy, 'EINVAL', 'invalid attribute length')
  }
  if (attr.length < fixed) throw refuse(attr, policy, 'ERANGE', FAILED)
}

function checkNestMark(attr: NlAttrs, policy: AttrPolicy, check: NlaCheck): void {
  if (check === 'liberal') return
  if (policy.kind === 'nested' && !attr.nested) {
    throw refuse(attr, policy, 'EINVAL', 'NLA_F_NESTED is missing')
  }
  if (policy.kind !== 'nested' && attr.nested) {
    throw refuse(attr, policy, 'EINVAL', 'NLA_F_NESTED not expected')
  }
}

function checkPayload(attr: NlAttrs, policy: AttrPolicy): void {
  switch (policy.kind) {
    case 'flag':
      if (attr.length > 0) throw refuse(attr, policy, 'ERANGE', FAILED)
      return
    case 'string':
    case 'nul-string':
      checkString(attr, policy)
      return
    case 'binary':
      if (attr.length > (policy.maxLength ?? Infinity)) throw refuse(attr, policy, 'ERANGE', FAILED)
      if (attr.length < (policy.minLength ?? 0)) {
        throw refuse(attr, policy, 'ERANGE', 'binary attribute size out of range')
      }
      return
    case 'nested':
      // An empty nest is as good as none; a piece of a header is not.
      if (attr.length > 0 && attr.length < 4) throw refuse(attr, policy, 'ERANGE', FAILED)
      return
    default:
      checkNumber(attr, policy)
  }
}

function checkString(attr: NlAttrs, policy: AttrPolicy): void {
  const { bytes, data, length } = attr
  let end = 0
  while (end < length && bytes[data + end] !== 0) end++
  if (policy.kind === 'nul-string' && end === length) throw refuse(attr, policy, 'EINVAL', FAILED)
  if (length < 1 && policy.kind === 'string') throw refuse(attr, policy, 'ERANGE', FAILED)
  // Padding after the end mark is fine.
  const max = policy.maxLength ?? Infinity
  if (end > max) throw refuse(attr, policy, 'ERANGE', FAILED)
}

function checkNumber(attr: NlAttrs, policy: AttrPolicy): void {
  const { min, max, mask } = policy
  if (min === undefined && max === undefined && mask === undefined) return
  const value = attr.number()
  if (value < (min ?? 0) || value > (max ?? 0xffffffff)) {
    throw refuse(attr, policy, 'ERANGE', 'integer out of range')
  }
  if (mask !== undefined && (value & ~mask) !== 0) throw refuse(attr, policy, 'EINVAL', 'reserved bit set')
}

function refuse(attr: NlAttrs, policy: AttrPolicy, code: 'EINVAL' | 'ERANGE', message: string): NetlinkError {
  return new NetlinkError(code, message, { offset: attr.start, policy })
}
