import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCapture } from '@vnet/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Machines } from './machines.ts'
import { Cli } from './run.ts'

describe('vnet tcpdump', () => {
  const cli = new Cli()
  const machines = new Machines(cli)
  beforeAll(async () => {
    await cli.build()
    await machines.vnet(['boot', '-d'])
    await machines.vnet(['insmod', 'vnet', 'interval_us=50000'])
    await machines.vnet(['ip', 'link', 'set', 'vnet0', 'up'])
  })
  afterAll(async () => {
    await machines.remove()
    cli.remove()
  })

  it('-w writes a capture that others read, and says how many frames', async () => {
    const file = join(machines.runtime, 'got.pcapng')
    const { stderr, code } = await machines.vnet([
      'tcpdump',
      '-i',
      'vnet0',
      '-c',
      '3',
      '-w',
      file,
      'ether proto 0x88b5',
    ])
    expect([code, stderr.includes('3 packets captured\n')]).toEqual([0, true])
    expect([...readCapture(new Uint8Array(readFileSync(file)))]).toHaveLength(3)
  })

  it('a file that cannot be made is told of as the host tells of it', async () => {
    const { stderr, code } = await machines.vnet(['tcpdump', '-i', 'vnet0', '-c', '1', '-w', '/nosuch/file'])
    expect([code, stderr]).toEqual([1, 'tcpdump: /nosuch/file: No such file or directory\n'])
  })
})
