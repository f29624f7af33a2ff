import { describe, expect, it } from 'vitest'
import { syscallServer } from '@vnet/netlink'
import { replayDummy, replayE1000, replayVeth, replayVnet7 } from '../elsewhere.ts'
import type { Replayed, RunIp } from '../elsewhere.ts'
import { run } from '../run.ts'

const ip: RunIp = (kernel, argv) => run(kernel, ['ip', ...argv])

const CASES: Readonly<Record<string, () => Replayed>> = {
  vnet7: () => replayVnet7('vnet7', ip),
  'vnet7-noipv6': () => replayVnet7('vnet7-noipv6', ip),
  dummy: () => replayDummy(ip),
  e1000: () => replayE1000(ip),
  veth: () => replayVeth(ip),
}

describe('ip link over netlink, replayed against what a real machine answered', () => {
  it.each(Object.entries(CASES))('prints the records of %s byte for byte', (_name, replay) => {
    const { kernel, found, recorded } = replay()
    expect(recorded.length).toBeGreaterThan(10)
    expect(found).toEqual(recorded)
    expect(syscallServer(kernel).open).toBe(0)
    expect(kernel.violations).toEqual([])
  })
})
