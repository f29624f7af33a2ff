import { Errno } from '@vnet/kernel'
import { EthReply, GENL_HDRLEN } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import type { EthtoolRun } from './context.ts'
import { nameIn } from './get.ts'

/** What each kind of notification is about. */
const TITLES: Readonly<Record<number, string>> = {
  [EthReply.LINKINFO_NTF]: 'Link settings',
  [EthReply.LINKMODES_NTF]: 'Link settings',
  [EthReply.DEBUG_NTF]: 'Debug settings',
  [EthReply.WOL_NTF]: 'Wake-on-lan settings',
  [EthReply.FEATURES_NTF]: 'Features',
  [EthReply.PRIVFLAGS_NTF]: 'Private flags',
  [EthReply.RINGS_NTF]: 'Ring parameters',
  [EthReply.CHANNELS_NTF]: 'Channel parameters',
  [EthReply.COALESCE_NTF]: 'Coalesce parameters',
  [EthReply.PAUSE_NTF]: 'Pause parameters',
}

/** `ethtool --monitor`: a line for each change, until Ctrl-C; the new values are not printed. @kernel none */
export function* monitor(run: EthtoolRun, words: readonly string[]): Syscalls<number> {
  const wanted = words.find((word) => !word.startsWith('-'))
  return yield* run.netlink(1, function* () {
    const genl = yield* run.genl()
    if (genl.monitor !== 0) yield* genl.client.addMembership(genl.monitor)
    run.out('listening...\n')
    while (!run.process.interrupted) yield* turn(run, wanted)
  })
}

function* turn(run: EthtoolRun, wanted: string | undefined): Syscalls<void> {
  try {
    const genl = yield* run.genl()
    for (const reply of yield* genl.client.wait()) {
      const title = TITLES[reply.u8(0)]
      const name = nameIn(reply.attrs(GENL_HDRLEN))
      if (title !== undefined && (wanted === undefined || wanted === name))
        run.out(`\n${title} for ${name} changed\n`)
    }
  } catch (error) {
    if (!(error instanceof Errno) || (error.code !== 'EINTR' && error.code !== 'ENOBUFS')) throw error
  }
}
