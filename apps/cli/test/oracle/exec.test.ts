import { afterAll, beforeAll, describe, it } from 'vitest'
import { hostHas, skipUnless } from '../machines.ts'
import { ExecWorld } from './exec-world.ts'
import type { OracleRecord } from './records.ts'
import { expectNoSurprises, replay } from './replay.ts'

const TOOLS = ['ip', 'ethtool', 'tc', 'ping', 'tcpdump']
const missing = TOOLS.filter((tool) => !hostHas(tool))
const tools = {
  skip: skipUnless(
    `no ${missing.join(', ')} on this host (apt-get install iproute2 ethtool iputils-ping tcpdump)`,
    missing.length === 0,
  ),
}

describe("what a real kernel answered, replayed with the host's unmodified tools under vnet exec", () => {
  let world: ExecWorld
  beforeAll(async () => {
    if (tools.skip) return
    world = new ExecWorld()
    await world.boot()
  }, 60_000)
  afterAll(async () => {
    if (!tools.skip) await world.remove()
  })

  it('10-vnet7', { ...tools, timeout: 240_000 }, async () => {
    // After `up`, and after the second `up`, an IPv6 address needs its two seconds.
    const pause = async ({ n }: OracleRecord): Promise<void> => {
      if (n === 38 || n === 262) await world.sleep(2.2)
    }
    expectNoSurprises(await replay('10-vnet7', world, pause))
  })
})
