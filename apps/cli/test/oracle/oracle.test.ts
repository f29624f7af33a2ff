import { vnetMain6, vnetMain7 } from '@vnet/example-vnet-main'
import { describe, expect, it } from 'vitest'
import { MachineWorld } from './machine-world.ts'
import { oracleRecords, type OracleRecord } from './records.ts'
import { expectNoSurprises, replay } from './replay.ts'

const MODULES = new Map([
  ['/lib/modules/p7/vnet_main.ko', vnetMain7],
  ['/lib/modules/p6/vnet_main.ko', vnetMain6],
])

describe('what a real kernel answered, replayed with our own commands on a virtual clock', () => {
  it.each(['10-vnet7', '11-vnet6'] as const)(
    '%s',
    async (name) => {
      const world = new MachineWorld(MODULES)
      const { kernel } = world.machine
      const first = oracleRecords(name)[0]!.uptime
      // Each command begins when it did there.
      const pause = async ({ uptime }: OracleRecord): Promise<void> => {
        const early = uptime - first - kernel.clock.ktimeGet() / 1e9
        if (early > 0) await world.sleep(early)
      }
      expectNoSurprises(await replay(name, world, pause))
      world.machine.poweroff()
      expect(kernel.census.take()).toEqual([])
      expect(kernel.violations).toEqual([])
    },
    60_000,
  )
})
