import { describe, it } from 'vitest'
import { hostHas, skipUnless } from '../machines.ts'
import { ExecWorld } from './exec-world.ts'
import type { OracleRecord } from './records.ts'
import { expectNoSurprises, replay } from './replay.ts'

const TOOLS = ['ip', 'ethtool', 'tc', 'ping', 'tcpdump']
const missing = TOOLS.filter((tool) => !hostHas(tool))
const why = `no ${missing.join(', ')} on this host (apt-get install iproute2 ethtool iputils-ping tcpdump)`
const tools = { skip: skipUnless(`real tools under vnet exec: ${why}`, missing.length === 0) }

/** Before these an IPv6 address has had its two seconds: the first after `up`, the second after the second `up`. */
const SETTLED = { '10-vnet7': [38, 262], '11-vnet6': [36, 262] } as const

/** Between these the log is told what the driver sends. */
const QUIET = { from: 159, to: 171 }

describe("what a real kernel answered, replayed with the host's unmodified tools under vnet exec", () => {
  // At the same time: most of it is waiting.
  it.concurrent.each(['10-vnet7', '11-vnet6'] as const)(
    '%s',
    { ...tools, timeout: 240_000 },
    async (name) => {
      const world = new ExecWorld()
      try {
        await world.boot()
        const solicitations = async (most: string): Promise<unknown> =>
          await world.run(['tee', '/proc/sys/net/ipv6/conf/vnet0/router_solicitations'], most)
        const pause = async ({ n }: OracleRecord): Promise<void> => {
          // Each would be one more line of the driver's, and chance decides when it goes.
          if (name === '11-vnet6' && n === QUIET.from) await solicitations('0')
          if (name === '11-vnet6' && n === QUIET.to) await solicitations('-1')
          if (SETTLED[name].some((settled) => settled === n)) await world.sleep(2.2)
        }
        expectNoSurprises(await replay(name, world, pause))
      } finally {
        await world.remove()
      }
    },
  )
})
