import type { AttrKind, AttrPolicy } from './policy.ts'
import type { NlWriter } from './writer.ts'

const TYPE: Readonly<Record<AttrKind, number>> = {
  reject: 0,
  flag: 1,
  u8: 2,
  u16: 3,
  u32: 4,
  u64: 5,
  s8: 6,
  s16: 7,
  s32: 8,
  s64: 9,
  binary: 10,
  string: 11,
  'nul-string': 12,
  nested: 13,
}

const A = {
  TYPE: 1,
  MIN_U: 4,
  MAX_U: 5,
  MIN_LENGTH: 6,
  MAX_LENGTH: 7,
  POLICY_IDX: 8,
  MAXTYPE: 9,
  MASK: 12,
} as const
const S = { MIN: 2, MAX: 3 } as const

const UNSIGNED: Partial<Record<AttrKind, bigint>> = {
  u8: 0xffn,
  u16: 0xffffn,
  u32: 0xffffffffn,
  u64: 0xffffffffffffffffn,
}
const SIGNED: Partial<Record<AttrKind, bigint>> = {
  s8: 0x7fn,
  s16: 0x7fffn,
  s32: 0x7fffffffn,
  s64: 0x7fffffffffffffffn,
}

/**
 * Describes one attribute, as `CTRL_CMD_GETPOLICY` and the `POLICY` of an error do.
 *
 * @param nestType - the attribute the description goes into
 * @param index - the number of the nested policy, in a policy dump
 * @kernel __netlink_policy_dump_write_attr() net/netlink/policy.c
 */
export function putPolicyAttr(w: NlWriter, nestType: number, policy: AttrPolicy, index?: number): void {
  const at = w.nestStart(nestType)
  if (policy.kind === 'nested' && policy.nested !== undefined && index !== undefined) {
    w.putU32(A.POLICY_IDX, index)
    w.putU32(A.MAXTYPE, policy.nested.maxType)
  }
  putLimits(w, policy)
  w.putU32(A.TYPE, TYPE[policy.kind])
  w.nestEnd(at)
}

function putLimits(w: NlWriter, policy: AttrPolicy): void {
  const top = UNSIGNED[policy.kind]
  const signed = SIGNED[policy.kind]
  if (policy.mask !== undefined) {
    w.putU64(A.MASK, BigInt(policy.mask))
  } else if (top !== undefined) {
    w.putU64(A.MIN_U, BigInt(policy.min ?? 0))
    w.putU64(A.MAX_U, policy.max === undefined ? top : BigInt(policy.max))
  } else if (signed !== undefined) {
    w.putU64(S.MIN, BigInt.asUintN(64, policy.min === undefined ? -signed - 1n : BigInt(policy.min)))
    w.putU64(S.MAX, BigInt.asUintN(64, policy.max === undefined ? signed : BigInt(policy.max)))
  }
  if (policy.minLength !== undefined) w.putU32(A.MIN_LENGTH, policy.minLength)
  if (policy.maxLength !== undefined) w.putU32(A.MAX_LENGTH, policy.maxLength)
}
