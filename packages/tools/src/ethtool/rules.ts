import { CliExit, argInt as int } from '@vnet/ethtool'
import { EthtoolCmd } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import type { EthtoolRun } from './context.ts'
import { ethStruct } from './ioctl-call.ts'
import { call } from './ioctls.ts'
import { ringCount } from './rxfh.ts'

const RXNFC = 192
const RULE_COUNT = 184
const SRXFH = 0x2a
const SRXCLSRLDEL = 0x31
const SRXCLSRLINS = 0x32
/** Kinds of traffic, with their numbers. @kernel TCP_V4_FLOW include/uapi/linux/ethtool.h */
const FLOW_TYPES: Readonly<Record<string, number>> = {
  tcp4: 1,
  udp4: 2,
  sctp4: 3,
  ah4: 4,
  esp4: 4,
  tcp6: 5,
  udp6: 6,
  sctp6: 7,
  ah6: 8,
  esp6: 8,
  ether: 0x12,
}

/** `ethtool -n`: how many queues, and how many rules; the rules themselves are not printed here. @kernel none */
export function* showRules(run: EthtoolRun): Syscalls<number> {
  const [word, type] = run.args
  if (word === 'rx-flow-hash') return yield* showFlowHash(run, type)
  if (word === 'rule' && run.args.length === 2) return yield* showRule(run, int(run, type!))
  run.noArgs()
  yield* attempt(function* () {
    const queues = yield* run.ioctl('Cannot get RX rings', 1, () => ringCount(run))
    run.out(`${queues} RX rings available\n`)
  })
  const count = yield* attempt(() =>
    run.ioctl('rxclass: Cannot get RX class rule count', 1, () =>
      call(run, ethStruct(RXNFC, EthtoolCmd.GRXCLSRLCNT)),
    ),
  )
  if (count === null) return run.stop('RX classification rule retrieval failed\n')
  run.out(`Total ${count.u32(RULE_COUNT)} rules\n\n`)
  return 0
}

function* showFlowHash(run: EthtoolRun, type: string | undefined): Syscalls<number> {
  const flow = FLOW_TYPES[type ?? '']
  if (run.args.length !== 2 || flow === undefined) return run.badArgs()
  const answer = yield* run.ioctl('Cannot get RX network flow hashing options', 1, () =>
    call(run, ethStruct(RXNFC, EthtoolCmd.GRXFH, flow)),
  )
  run.out(
    `${(type ?? '').toUpperCase()} flows use these fields for computing Hash flow key:\n0x${answer.u64(8).toString(16)}\n\n`,
  )
  return 0
}

function* showRule(run: EthtoolRun, location: number): Syscalls<number> {
  const ask = ethStruct(RXNFC, EthtoolCmd.GRXCLSRULE)
  ask.view.setUint32(176, location, true)
  const rule = yield* attempt(() => run.ioctl('rxclass: Cannot get RX class rule', 1, () => call(run, ask)))
  if (rule === null) return run.stop('Cannot get RX classification rule\n')
  run.out(`Filter: ${location}\n`)
  return 0
}

/** `ethtool -N`; a refused change of the hash fields exits with 0, as the tool does. @kernel none */
export function* setRules(run: EthtoolRun): Syscalls<number> {
  const [word, type, fields] = run.args
  if (run.args.length < 2) run.badArgs()
  if (word === 'rx-flow-hash') {
    const flow = FLOW_TYPES[type!]
    if (run.args.length !== 3 || flow === undefined || !/^[mvtsdfnr]*$/.test(fields!)) return run.badArgs()
    yield* attempt(() =>
      run.ioctl('Cannot change RX network flow hashing options', 1, () =>
        call(run, ethStruct(RXNFC, SRXFH, flow)),
      ),
    )
    return 0
  }
  if (word === 'delete') {
    const ask = ethStruct(RXNFC, SRXCLSRLDEL)
    ask.view.setUint32(176, int(run, type!), true)
    const done = yield* attempt(() => run.ioctl('rmgr: Cannot delete RX class rule', 1, () => call(run, ask)))
    return done === null ? run.stop('Cannot delete classification rule\n') : 0
  }
  if (word !== 'flow-type') run.badArgs()
  const done = yield* attempt(() =>
    run.ioctl('rmgr: Cannot insert RX class rule', 1, () => call(run, ethStruct(RXNFC, SRXCLSRLINS))),
  )
  return done === null ? run.stop('Cannot insert classification rule\n') : 0
}

/** Runs a step whose failure does not end the command; null when it failed. */
function* attempt<T>(step: () => Syscalls<T>): Syscalls<T | null> {
  try {
    return yield* step()
  } catch (error) {
    if (error instanceof CliExit) return null
    throw error
  }
}
