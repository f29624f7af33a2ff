import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { devChangeFlags, devChangeName, devSetMacAddress, devGetByName, Iff, parseMac } from '@vnet/netdev'
import type { EthtoolOutput } from '../src/index.ts'
import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { cVnet6, cVnet7, dummy, e1000, veth } from './devices.ts'
import type { Rig } from './devices.ts'

interface Fixture {
  readonly texts: readonly string[]
  readonly records: readonly (readonly [string, number, number, number])[]
}

function load(name: string): Fixture {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8')) as Fixture
}

/** The statistics a record shows, so that the device can have them. */
function statsOf(stdout: string): { names: string[]; values: bigint[] } {
  const rows = [...stdout.matchAll(/^ {5}(\S+): (\d+)$/gm)]
  return { names: rows.map((row) => row[1]!), values: rows.map((row) => BigInt(row[2]!)) }
}

/** What `ip` did between the ethtool commands. */
function ip(rig: Rig, command: string): void {
  const [, , , name, what, value] = command.split(' ')
  const dev = devGetByName(rig.kernel, name!)
  if (dev === undefined) return // the other end of a veth
  rig.kernel.rtnl.run(() => {
    if (what === 'name') devChangeName(dev, value!)
    else if (what === 'address') devSetMacAddress(dev, parseMac(value!)!)
    else devChangeFlags(dev, what === 'up' ? dev.flags | Iff.UP : dev.flags & ~Iff.UP)
  })
}

/** What this ethtool prints otherwise, on purpose. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'ethtool -d eth0': 'registers are shown as a dump, not by a decoder for this one card',
}

/** Lines that a kernel younger than 6.1 adds: netdev knows its rule that USO needs checksums. */
const YOUNGER: Readonly<Record<string, RegExp>> = {
  'ethtool -K dummy0 tx off': /^tx-udp-segmentation: off \[not requested\]\n/m,
  'ethtool -K dummy0 sg on tx on': /^tx-udp-segmentation: on \[not requested\]\n/m,
}

/** An ethtool: what it printed for the words behind its name, and how it ended. */
type Tool = (kernel: Kernel, argv: readonly string[]) => EthtoolOutput

const RIGS = { vnet7: cVnet7, vnet6: cVnet6, dummy, veth, e1000 }

/** Gives a tool every recorded command line; it must answer as the real one did, and `left` finds nothing wrong at the end. */
export function replay(how: string, tool: Tool, left: (kernel: Kernel) => void = () => undefined): void {
  describe.each(Object.entries(RIGS))(`%s${how}: as recorded on a real kernel`, (name, make) => {
    const { texts, records } = load(name)
    const stats = { names: [] as string[], values: [] as bigint[] }
    const first = records.find(([c]) => c.startsWith('ethtool -S'))
    if (first !== undefined) Object.assign(stats, statsOf(texts[first[2]]!))
    const rig = make(stats)
    const nobody = createKernel()
    for (const [command, exitCode, out, err] of records) {
      if (command in ELSEWHERE) continue
      it(`${command} (${exitCode})`, () => {
        if (command.startsWith('ip ')) {
          ip(rig, command)
          return
        }
        const stdout = texts[out]!
        if (stdout.startsWith('NIC statistics:')) Object.assign(stats, statsOf(stdout))
        // The first commands were given before the module was loaded.
        const gone = texts[err]!.includes('No such device')
        const result = tool(gone ? nobody : rig.kernel, command.split(' ').slice(1))
        const younger = YOUNGER[command]
        if (younger !== undefined) {
          expect(result.stdout).toMatch(younger)
          expect(result.stdout.replace(younger, '')).toBe(stdout)
          return
        }
        expect(result).toEqual({ stdout, stderr: texts[err]!, exitCode })
      })
    }
    it('leaves nothing behind: no broken rule, no lock', () => {
      expect(rig.kernel.violations).toEqual([])
      expect(rig.kernel.rtnl.held).toBe(false)
      left(rig.kernel)
    })
  })
}
