import { createKernel, dmesg, type Kernel, type ModuleDefinition } from '@vnet/kernel'
import { devClose, devGetByName, devOpen, runIpLink } from '@vnet/netdev'
import { runEthtool } from '@vnet/ethtool'
import { describe, expect, it } from 'vitest'
import { vnetMain6, vnetMain7 } from '../src/vnet-main.ts'

const SECOND = 1_000_000_000

function load(def: ModuleDefinition): Kernel {
  const kernel = createKernel()
  kernel.modules.insmod(def)
  return kernel
}

const up = (kernel: Kernel): void => kernel.rtnl.run(() => devOpen(devGetByName(kernel, 'vnet0')!))
const down = (kernel: Kernel): void => kernel.rtnl.run(() => devClose(devGetByName(kernel, 'vnet0')!))
const ethtool = (kernel: Kernel, ...words: string[]) => runEthtool(kernel, [...words, 'vnet0'])

describe('the original driver', () => {
  it('phase 7 counts a whole frame each second, and keeps its counters when it goes down', () => {
    const kernel = load(vnetMain7)
    up(kernel)
    kernel.runFor(3.5 * SECOND)
    const stats = (): string => ethtool(kernel, '-S').stdout
    expect(stats()).toContain('rx_packets: 3\n     rx_bytes: 126\n')
    expect(stats()).toContain('rx_arp: 3\n')
    down(kernel)
    up(kernel)
    expect(stats()).toContain('rx_packets: 3\n')
    kernel.modules.rmmod('vnet_main')
    expect(dmesg(kernel, { time: false }).split('\n').slice(-6)).toEqual([
      'vnet: device vnet0 opened',
      'vnet: device vnet0 stopped',
      'vnet: device vnet0 opened',
      'vnet: unregistering device vnet0',
      'vnet: device vnet0 stopped',
      '',
    ])
    expect(kernel.census.take().filter(({ module }) => module !== null)).toEqual([])
  })

  it('phase 7 sets its address while down only, phase 6 never', () => {
    const seven = load(vnetMain7)
    const set = (kernel: Kernel, last = '07') =>
      runIpLink(kernel, ['link', 'set', 'vnet0', 'address', `02:00:00:00:00:${last}`])
    expect(set(seven).exitCode).toBe(0)
    expect(dmesg(seven, { time: false })).toContain('vnet: vnet0 MAC updated to 02:00:00:00:00:07\n')
    up(seven)
    expect(set(seven, '08').stderr).toBe('RTNETLINK answers: Device or resource busy\n')
    const six = load(vnetMain6)
    expect(set(six).stderr).toBe('RTNETLINK answers: Operation not supported\n')
    expect(ethtool(six, '-S').stderr).toBe('no stats available\n')
  })

  it('phase 6 tells of completions when it is asked to', () => {
    const kernel = load(vnetMain6)
    expect(kernel.dyndbg.query('module vnet_main +p')).toBe(1)
    up(kernel)
    kernel.runFor(2 * SECOND)
    expect(dmesg(kernel, { time: false })).not.toContain('completed')
    kernel.modules.rmmod('vnet_main')
    expect(kernel.census.take().filter(({ module }) => module !== null)).toEqual([])
  })
})
