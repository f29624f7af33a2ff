import { Errno } from '@vnet/kernel'
import { nlaPolicy } from '../codec/policy.ts'
import type { NlaPolicy } from '../codec/policy.ts'
import { putPolicyAttr } from '../codec/policy-dump.ts'
import type { NlWriter } from '../codec/writer.ts'
import type { NetlinkServer } from '../core/server.ts'
import { GenlFlag, genlFind, genlOf, genlRegisterFamily, genlReply } from './genl.ts'
import type { GenlEntry, GenlEntryOf, GenlFamily, GenlInfo, GenlOp } from './genl.ts'

const CtrlCmd = { NEWFAMILY: 1, GETFAMILY: 3, GETPOLICY: 10 } as const
const CtrlAttr = {
  FAMILY_ID: 1,
  FAMILY_NAME: 2,
  VERSION: 3,
  HDRSIZE: 4,
  MAXATTR: 5,
  OPS: 6,
  MCAST_GROUPS: 7,
  POLICY: 8,
  OP_POLICY: 9,
  OP: 10,
} as const
const GENL_NAMSIZ = 16

const familyPolicy = nlaPolicy({
  [CtrlAttr.FAMILY_ID]: { name: 'family-id', kind: 'u16' },
  [CtrlAttr.FAMILY_NAME]: { name: 'family-name', kind: 'nul-string', maxLength: GENL_NAMSIZ - 1 },
})

const getPolicy = nlaPolicy({
  [CtrlAttr.FAMILY_ID]: { name: 'family-id', kind: 'u16' },
  [CtrlAttr.FAMILY_NAME]: { name: 'family-name', kind: 'nul-string', maxLength: GENL_NAMSIZ - 1 },
  [CtrlAttr.OP]: { name: 'op', kind: 'u32' },
})

/** The family that tells of families. @kernel genl_ctrl net/netlink/genetlink.c */
export function startGenlCtrl(server: NetlinkServer): void {
  const family: GenlFamily = {
    name: 'nlctrl',
    version: 2,
    check: 'liberal',
    mcgrps: ['notify'],
    ops: [
      {
        cmd: CtrlCmd.GETFAMILY,
        reply: CtrlCmd.NEWFAMILY,
        policy: familyPolicy,
        doit: ctrlGetfamily,
        dumpit: ctrlDumpfamily,
      },
      { cmd: CtrlCmd.GETPOLICY, reply: CtrlCmd.GETPOLICY, policy: getPolicy, dumpit: ctrlDumppolicy },
    ],
  }
  genlRegisterFamily(server, family)
}

/** @throws Errno EINVAL, ENOENT */
function asked({ request, attrs }: GenlInfo): GenlEntryOf {
  const id = attrs.number(CtrlAttr.FAMILY_ID)
  const name = attrs.text(CtrlAttr.FAMILY_NAME)
  if (id === undefined && name === undefined) throw new Errno('EINVAL')
  const entry = name === undefined ? genlOf(request.server).families.get(id!) : genlFind(request.server, name)
  if (entry === undefined) throw new Errno('ENOENT')
  return entry
}

/** @kernel ctrl_getfamily() net/netlink/genetlink.c */
function ctrlGetfamily(info: GenlInfo): void {
  const entry = asked(info)
  genlReply(info, CtrlCmd.NEWFAMILY, (w) => fillFamily(w, entry))
}

/** @kernel ctrl_dumpfamily() net/netlink/genetlink.c */
function* ctrlDumpfamily({ request }: GenlInfo): Generator<GenlEntry> {
  for (const entry of [...genlOf(request.server).families.values()]) yield (w) => fillFamily(w, entry)
}

function opFlags(op: GenlOp): number {
  return (
    (op.admin === true ? GenlFlag.UNS_ADMIN_PERM : 0) |
    (op.doit === undefined ? 0 : GenlFlag.CMD_CAP_DO) |
    (op.dumpit === undefined ? 0 : GenlFlag.CMD_CAP_DUMP) |
    (op.policy === undefined ? 0 : GenlFlag.CMD_CAP_HASPOL)
  )
}

/** @kernel ctrl_fill_info() net/netlink/genetlink.c */
function fillFamily(w: NlWriter, { family, id, groups }: GenlEntryOf): void {
  w.putString(CtrlAttr.FAMILY_NAME, family.name)
  w.putU16(CtrlAttr.FAMILY_ID, id)
  w.putU32(CtrlAttr.VERSION, family.version)
  w.putU32(CtrlAttr.HDRSIZE, 0)
  w.putU32(CtrlAttr.MAXATTR, 0)
  if (family.ops.length > 0) {
    const at = w.nestStartNoflag(CtrlAttr.OPS)
    for (const [i, op] of family.ops.entries()) {
      const nest = w.nestStartNoflag(i + 1)
      w.putU32(1, op.cmd)
      w.putU32(2, opFlags(op))
      w.nestEnd(nest)
    }
    w.nestEnd(at)
  }
  if (groups.size === 0) return
  const at = w.nestStartNoflag(CtrlAttr.MCAST_GROUPS)
  for (const [i, [name, nr]] of [...groups].entries()) {
    const nest = w.nestStartNoflag(i + 1)
    w.putU32(2, nr)
    w.putString(1, name)
    w.nestEnd(nest)
  }
  w.nestEnd(at)
}

/** Policies by the numbers a dump gives them. */
function collect(policies: NlaPolicy[], policy: NlaPolicy): number {
  const known = policies.indexOf(policy)
  if (known >= 0) return known
  const index = policies.push(policy) - 1
  for (const attr of policy.attrs) if (attr?.nested !== undefined) collect(policies, attr.nested)
  return index
}

/**
 * Describes what a family's commands take: which policy each command has, then the policies attribute by attribute.
 *
 * @kernel ctrl_dumppolicy() net/netlink/genetlink.c
 */
function ctrlDumppolicy(info: GenlInfo): Iterable<GenlEntry> {
  const entry = asked(info)
  const only = info.attrs.number(CtrlAttr.OP)
  const ops = entry.family.ops.filter((op) => only === undefined || op.cmd === only)
  if (only !== undefined && ops.length === 0) throw new Errno('ENOENT')
  const policies: NlaPolicy[] = []
  for (const op of ops) if (op.policy !== undefined) collect(policies, op.policy)
  return policyEntries(entry.id, ops, policies)
}

function* policyEntries(
  id: number,
  ops: readonly GenlOp[],
  policies: readonly NlaPolicy[],
): Generator<GenlEntry> {
  for (const op of ops) if (op.policy !== undefined) yield (w) => fillOpPolicy(w, id, op, policies)
  for (const [index, policy] of policies.entries()) {
    for (const [type, attr] of policy.attrs.entries()) {
      if (attr === undefined) continue
      yield (w) => {
        w.putU16(CtrlAttr.FAMILY_ID, id)
        const all = w.nestStart(CtrlAttr.POLICY)
        const one = w.nestStart(index)
        putPolicyAttr(w, type, attr, attr.nested === undefined ? undefined : policies.indexOf(attr.nested))
        w.nestEnd(one)
        w.nestEnd(all)
      }
    }
  }
}

function fillOpPolicy(w: NlWriter, id: number, op: GenlOp, policies: readonly NlaPolicy[]): void {
  const index = policies.indexOf(op.policy!)
  w.putU16(CtrlAttr.FAMILY_ID, id)
  const all = w.nestStart(CtrlAttr.OP_POLICY)
  const one = w.nestStart(op.cmd)
  if (op.doit !== undefined) w.putU32(1, index)
  if (op.dumpit !== undefined) w.putU32(2, index)
  w.nestEnd(one)
  w.nestEnd(all)
}
