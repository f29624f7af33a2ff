import { describe, expect, it } from 'vitest'
import { createKernel, prInfo } from '@vnet/kernel'
import { syscallServer } from '@vnet/netlink'
import { clockGettime, nanosleep, reboot, syslog, syslogNumber, uname } from '@vnet/tools'
import { utsname } from '../../src/proc/system.ts'
import { syslogCalls } from '../../src/sysc/syslog.ts'
import { RebootCmd, systemCalls } from '../../src/sysc/system.ts'
import { calls } from '../helpers/calls.ts'

function setup() {
  const kernel = createKernel({ regionBytes: 1 << 20 })
  const server = syscallServer(kernel)
  const off: string[] = []
  const hooks = {
    uts: utsname('box'),
    wallClock: 1_000_000_000_000n,
    powerDown: (message: string) => off.push(message),
  }
  for (const table of [syslogCalls(kernel), systemCalls(hooks)]) {
    for (const [op, handler] of table) server.register(op, handler)
  }
  return { kernel, server, off }
}

describe('the log as a program reads it', () => {
  it('all of it, again and again, until it is cleared', () => {
    const { kernel, server } = setup()
    prInfo(kernel, 'one')
    const all = (): string => calls(server, (process) => syslog(process, 3, 4096))
    expect(all()).toBe('6,0,0,-;one\n')
    expect(all()).toBe('6,0,0,-;one\n')
    calls(server, () => syslogNumber(5))
    expect(all()).toBe('')
    prInfo(kernel, 'two')
    expect(calls(server, (process) => syslog(process, 4, 4096))).toBe('6,1,0,-;two\n')
    expect(all()).toBe('')
  })

  it('only the newest whole lines fit into a small buffer', () => {
    const { kernel, server } = setup()
    for (const text of ['first', 'second']) prInfo(kernel, text)
    expect(calls(server, (process) => syslog(process, 3, 20))).toBe('6,1,0,-;second\n')
    expect(calls(server, (process) => syslog(process, 3, 5))).toBe('')
  })

  it('reading takes what is new and waits for more', () => {
    const { kernel, server } = setup()
    prInfo(kernel, 'old')
    const next = (): string => calls(server, (process) => syslog(process, 2, 4096), { ns: 1e6 })
    expect(next()).toBe('6,0,0,-;old\n')
    expect(next).toThrow('still waits')
  })

  it('everybody may read it, and not everybody clear it', () => {
    const { kernel, server } = setup()
    prInfo(kernel, 'one')
    const user = { capNetAdmin: false }
    expect(calls(server, (process) => syslog(process, 3, 4096), user)).toBe('6,0,0,-;one\n')
    expect(() => calls(server, () => syslogNumber(5), user)).toThrow('Operation not permitted')
    expect(() => calls(server, () => reboot(RebootCmd.POWER_OFF), user)).toThrow('Operation not permitted')
  })

  it('what it does not know is refused', () => {
    const { server } = setup()
    expect(() => calls(server, () => syslogNumber(11))).toThrow('Invalid argument')
    expect(calls(server, () => syslogNumber(10))).toBe(1 << 20)
  })
})

describe('the machine as a whole', () => {
  it('says what it is', () => {
    const { server } = setup()
    expect(calls(server, uname)).toEqual({
      sysname: 'Linux',
      nodename: 'box',
      release: '6.1.0-vnet',
      version: '#1 vnet',
      machine: 'x86_64',
    })
  })

  it('tells the time since boot, and the calendar', () => {
    const { kernel, server } = setup()
    kernel.runFor(1_500_000_000)
    expect(calls(server, (process) => clockGettime(process, 1))).toEqual({ sec: 1, nsec: 500_000_000 })
    expect(calls(server, (process) => clockGettime(process, 0))).toEqual({ sec: 1001, nsec: 500_000_000 })
    expect(() => calls(server, (process) => clockGettime(process, 99))).toThrow('Invalid argument')
  })

  it('sleeps as long as it was told', () => {
    const { kernel, server } = setup()
    calls(server, () => nanosleep(2_000_000))
    expect(kernel.clock.ktimeGet()).toBe(2_000_000)
  })

  it('is switched off by the right number only', () => {
    const { server, off } = setup()
    expect(() => calls(server, () => reboot(1))).toThrow('Invalid argument')
    calls(server, () => reboot(RebootCmd.CAD_ON))
    expect(off).toEqual([])
    calls(server, () => reboot(RebootCmd.POWER_OFF))
    calls(server, () => reboot(RebootCmd.RESTART))
    expect(off).toEqual(['reboot: Power down', 'reboot: Restarting system'])
  })
})
