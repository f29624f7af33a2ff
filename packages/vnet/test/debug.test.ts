import { createKernel, dmesg } from '@vnet/kernel'
import { devGetByName, devOpen } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { createVnetModule } from '../src/index.ts'

const lines = (text: string): string[] => text.split('\n').filter((line) => /: [RT]X /.test(line))

describe('dynamic debug', () => {
  it('LOG-02 tells of frames only while it is switched on, and only of its own devices', () => {
    const kernel = createKernel()
    kernel.modules.insmod(createVnetModule(), ['interval_us=1000'])
    kernel.rtnl.run(() => devOpen(devGetByName(kernel, 'vnet0')!))
    kernel.runFor(2.5e6)
    expect(lines(dmesg(kernel))).toEqual([])
    expect(kernel.dyndbg.query('module vnet func cleanRx +p')).toBe(1)
    kernel.runFor(2e6)
    expect(lines(dmesg(kernel, { time: false }))).toEqual(Array(2).fill('vnet: RX vnet0 proto=0x88b5 len=46'))
    expect(kernel.watched).toBe(true)
    kernel.dyndbg.query('module vnet -p')
    kernel.runFor(2e6)
    expect(lines(dmesg(kernel))).toHaveLength(2)
    kernel.dyndbg.query('module vnet +p')
    kernel.modules.rmmod('vnet')
    expect(kernel.dyndbg.sites).toEqual([])
  })

  it('costs nothing while it is off: no tracepoint is enabled', () => {
    const kernel = createKernel({ strict: false })
    kernel.modules.insmod(createVnetModule())
    expect(kernel.watched).toBe(false)
    kernel.dyndbg.query('module vnet +p')
    expect(kernel.watched).toBe(true)
    kernel.modules.rmmod('vnet')
    expect(kernel.watched).toBe(false)
  })

  it('a query given while loading is in force from the first frame', () => {
    const kernel = createKernel()
    kernel.modules.insmod(createVnetModule(), ['interval_us=1000', 'dyndbg=+p'])
    kernel.rtnl.run(() => devOpen(devGetByName(kernel, 'vnet0')!))
    kernel.runFor(1.5e6)
    expect(lines(dmesg(kernel))).toHaveLength(1)
  })
})
