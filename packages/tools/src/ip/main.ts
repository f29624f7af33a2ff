import { IpError } from '@vnet/netdev'
import { NetlinkProtocolNr } from '@vnet/netlink'
import { openNetlink } from '../nl/client.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { ipAddress } from './addr.ts'
import { IpContext } from './context.ts'
import { answering } from './error.ts'
import { ipLink } from './link.ts'
import { ipMaddress } from './maddr.ts'
import { ipMonitor } from './monitor.ts'
import { ipNeighbour } from './neigh.ts'
import { ipNetconf } from './netconf.ts'
import { ipNtable } from './ntable.ts'
import { parseIpOptions } from './options.ts'
import { ipRoute } from './route.ts'
import { ipRule } from './rule.ts'
import { ipStats } from './stats.ts'
import { usage } from './usage.ts'
import { matches, Words } from './words.ts'

type IpObject = (ip: IpContext, words: Words) => Syscalls<number>

/** In the order iproute2 compares them: the first that begins so is meant. */
const OBJECTS: readonly (readonly [name: string, run: IpObject])[] = [
  ['address', ipAddress],
  ['maddress', ipMaddress],
  ['route', ipRoute],
  ['rule', ipRule],
  ['neighbor', ipNeighbour],
  ['neighbour', ipNeighbour],
  ['ntable', ipNtable],
  ['ntbl', ipNtable],
  ['link', ipLink],
  ['monitor', ipMonitor],
  ['netconf', ipNetconf],
  ['stats', ipStats],
]

/**
 * `ip`, as iproute2 6.1 prints and ends.
 *
 * @kernel none
 */
export function ip(process: Process): Syscalls<number> {
  return answering(process, run)
}

function* run(process: Process): Syscalls<number> {
  const { options, words } = parseIpOptions(process.argv.slice(1))
  if (options.version) {
    process.stdout('ip utility, iproute2-6.1.0, vnet\n')
    return 0
  }
  const [name, ...rest] = words
  if (options.help || name === undefined || matches(name, 'help')) throw usage('ip')
  const object = OBJECTS.find(([full]) => matches(name, full))
  if (object === undefined) throw new IpError(1, `Object "${name}" is unknown, try "ip help".`)
  const rtnl = yield* openNetlink(process, NetlinkProtocolNr.ROUTE, {
    strict: true,
    warn: (message) => process.stderr(`Warning: ${message}.\n`),
  })
  return yield* object[1](new IpContext(process, options, rtnl), new Words(rest))
}
