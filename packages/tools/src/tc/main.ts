import { IpError } from '@vnet/netdev'
import { NetlinkProtocolNr, Rtm } from '@vnet/netlink'
import { IpContext } from '../ip/context.ts'
import { answering } from '../ip/error.ts'
import { parseIpOptions } from '../ip/options.ts'
import { matches, Words } from '../ip/words.ts'
import { openNetlink } from '../nl/client.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { qdiscJson, qdiscText } from './qdisc.ts'
import type { QdiscPlace } from './qdisc.ts'
import type { NlReply } from '../nl/message.ts'

const USAGE = 'Usage: tc [ -s[tatistics] ] [ -j[son] ] [ -p[retty] ] qdisc [ show ] [ dev NAME ]'

/** `tc qdisc [show] [dev X]`, as iproute2 6.1 prints and ends. @kernel none */
export function tc(process: Process): Syscalls<number> {
  return answering(process, run)
}

function* run(process: Process): Syscalls<number> {
  const { options, words } = parseIpOptions(process.argv.slice(1))
  const [object, ...rest] = words
  if (options.version) {
    process.stdout('tc utility, iproute2-6.1.0, vnet\n')
    return 0
  }
  if (options.help || object === undefined || matches(object, 'help')) throw new IpError(255, USAGE)
  if (!matches(object, 'qdisc')) throw new IpError(255, `Object "${object}" is unknown, try "tc help".`)
  const rtnl = yield* openNetlink(process, NetlinkProtocolNr.ROUTE)
  return yield* qdisc(new IpContext(process, options, rtnl), new Words(rest))
}

function* qdisc(tcRun: IpContext, words: Words): Syscalls<number> {
  const command = words.done ? 'show' : words.take()
  if (!matches(command, 'list', 'show', 'lst')) {
    throw new IpError(255, `Command "${command}" is unknown, try "tc qdisc help".`)
  }
  let dev: string | null = null
  while (!words.done) {
    const word = words.take()
    if (word !== 'dev') throw new IpError(255, `What is "${word}"? Try "tc qdisc help".`)
    dev = words.take()
  }
  const ifindex = dev === null ? 0 : yield* tcRun.findIndex(dev)
  if (dev !== null && ifindex === 0) throw new IpError(1, `Cannot find device "${dev}"`)
  const replies = yield* tcRun.rtnl.dump(Rtm.GETQDISC, (w) => {
    w.u32(0)
    w.u32(ifindex)
    w.u32(0)
    w.u32(0)
    w.u32(0)
  })
  const shown = replies.filter(
    (reply) => reply.type === Rtm.NEWQDISC && (ifindex === 0 || reply.s32(4) === ifindex),
  )
  yield* print(tcRun, shown, ifindex !== 0)
  return 0
}

function* print(tcRun: IpContext, replies: readonly NlReply[], noDev: boolean): Syscalls<void> {
  const places: QdiscPlace[] = []
  for (const reply of replies) places.push({ reply, dev: noDev ? null : yield* tcRun.nameOf(reply.s32(4)) })
  const stats = tcRun.options.stats > 0
  if (tcRun.options.json) tcRun.json(places.map((place) => qdiscJson(place, stats)))
  else for (const place of places) tcRun.out(qdiscText(place, stats))
}
