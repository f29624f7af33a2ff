import { unsupported } from '../core.ts'
import { formatRxfh } from '../format/others.ts'
import { ethtoolGetRxfh, ethtoolGetRxRingCount, ethtoolSetRxfh } from '../rxfh.ts'
import type { Cli } from './context.ts'
import { CliExit } from './line.ts'
import { parseRxfh, rxfhRequest } from './rxfh-words.ts'
import { int } from './words.ts'

const SIZE_FAILED = 'Cannot get RX flow hash indir size and/or key size'

/** `ethtool -x` @kernel none */
export function showRxfh(cli: Cli): number {
  if (cli.args.length > 0) cli.badArgs()
  const queues = cli.ioctl('Cannot get RX ring count', 1, () => ethtoolGetRxRingCount(cli.ioctlDev(false)))
  const rxfh = cli.ioctl(SIZE_FAILED, 1, () => ethtoolGetRxfh(cli.ioctlDev(false)))
  cli.out(formatRxfh(cli.devname, queues, rxfh))
  return 0
}

/** `ethtool -X` @kernel none */
export function setRxfh(cli: Cli): number {
  const wish = parseRxfh(cli)
  cli.ioctl('Cannot get RX ring count', 1, () => ethtoolGetRxRingCount(cli.ioctlDev(false)))
  const now = cli.ioctl('Cannot get RX flow hash indir size and key size', 1, () =>
    ethtoolGetRxfh(cli.ioctlDev(false)),
  )
  const request = rxfhRequest(cli, wish, { indir: now.indir.length, key: now.key.length })
  cli.ioctl('Cannot set RX flow hash configuration', 1, () => ethtoolSetRxfh(cli.ioctlDev(true), request))
  return 0
}

const FLOW_TYPES = ['tcp4', 'udp4', 'ah4', 'esp4', 'sctp4', 'tcp6', 'udp6', 'ah6', 'esp6', 'sctp6', 'ether']

/** `ethtool -n`: how many queues, and the rules; no device here shows rules or hash fields to the tool. @kernel none */
export function showRules(cli: Cli): number {
  const [word, type] = cli.args
  if (word === 'rx-flow-hash') {
    if (cli.args.length !== 2 || !FLOW_TYPES.includes(type!)) cli.badArgs()
    return refuse(cli, 'Cannot get RX network flow hashing options')
  }
  if (word === 'rule' && cli.args.length === 2) {
    int(cli, type!)
    attempt(cli, () => refuse(cli, 'rxclass: Cannot get RX class rule'))
    return cli.stop('Cannot get RX classification rule\n')
  }
  cli.noArgs()
  attempt(cli, () => {
    const queues = cli.ioctl('Cannot get RX rings', 1, () => ethtoolGetRxRingCount(cli.ioctlDev(false)))
    cli.out(`${queues} RX rings available\n`)
  })
  attempt(cli, () => refuse(cli, 'rxclass: Cannot get RX class rule count'))
  return cli.stop('RX classification rule retrieval failed\n')
}

/** `ethtool -N`: always refused; a refused change of the hash fields exits with 0, as the tool does. @kernel none */
export function setRules(cli: Cli): number {
  const [word, type, fields] = cli.args
  if (cli.args.length < 2) cli.badArgs()
  if (word === 'rx-flow-hash') {
    if (cli.args.length !== 3 || !FLOW_TYPES.includes(type!) || !/^[mvtsdfnr]*$/.test(fields!)) cli.badArgs()
    attempt(cli, () => refuse(cli, 'Cannot change RX network flow hashing options', true))
    return 0
  }
  if (word === 'delete') {
    int(cli, type!)
    attempt(cli, () => refuse(cli, 'rmgr: Cannot delete RX class rule', true))
    return cli.stop('Cannot delete classification rule\n')
  }
  if (word !== 'flow-type') cli.badArgs()
  attempt(cli, () => refuse(cli, 'rmgr: Cannot insert RX class rule', true))
  return cli.stop('Cannot insert classification rule\n')
}

function refuse(cli: Cli, what: string, admin = false): never {
  return cli.ioctl(what, 1, () => {
    cli.ioctlDev(admin)
    throw unsupported()
  })
}

/** Runs a step whose failure does not end the command. */
function attempt(cli: Cli, step: () => void): void {
  try {
    step()
  } catch (error) {
    if (!(error instanceof CliExit)) throw error
  }
}
