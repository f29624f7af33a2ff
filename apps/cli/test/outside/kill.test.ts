import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { skipUnless } from '../machines.ts'
import { Cli } from '../run.ts'
import { House, noNamespaces } from './house.ts'

const why = noNamespaces() ?? (existsSync('/dev/net/tun') ? undefined : 'no /dev/net/tun')
/** VNET_KILLS=100 does it a hundred times. */
const KILLS = Number(process.env['VNET_KILLS'] ?? 8)
const killed = {
  skip: skipUnless(`kill -9: ${why ?? ''}`, why === undefined),
  timeout: 20_000 + KILLS * 5000,
}

describe('kill -9', () => {
  const cli = new Cli()
  let house: House

  beforeAll(() => cli.build())
  afterAll(() => cli.remove())
  beforeEach(() => {
    house = new House(cli)
  })
  afterEach(() => house.remove())

  it(
    `at a random moment, ${KILLS} times, leaves nothing that the next start does not clean`,
    killed,
    async () => {
      const space = await house.namespace('k')
      const links = async (): Promise<string> => (await house.inside(space, 'ip', '-br', 'link')).stdout
      for (let round = 0; round < KILLS; round++) {
        // Each round begins on what the one before left.
        const booted = await house.vnet(space, '--machine', 'm', 'boot', '-d')
        expect([booted.code, booted.stderr]).toEqual([0, ''])
        const pid = Number(readFileSync(join(house.folder, 'vnet', 'm.pid'), 'utf8').split(' ')[0])
        const busy = [
          house.vnet(space, '--machine', 'm', 'insmod', 'vnet', 'backend=tap:tap0'),
          house.vnet(space, '--machine', 'm', 'ip', 'monitor'),
        ]
        await sleep(Math.random() * 700)
        process.kill(pid, 'SIGKILL')
        await Promise.all(busy)
        expect(await links()).not.toContain('tap0')
      }
      await house.machine(space, 'm', 'tap:tap0', '10.66.0.2/24')
      expect((await house.vnet(null, '--machine', 'm', 'poweroff')).code).toBe(0)
      expect(await links()).not.toContain('tap0')
      const left = readdirSync(join(house.folder, 'vnet')).filter((file) => !/\.log$|^bin-|shim/.test(file))
      expect(left).toEqual([])
    },
  )
})
