import { expect, it } from 'vitest'
import { bootMachine } from '../src/index.ts'

it('1,000 commands in a row leave nothing: no descriptor, no socket, nothing in the census', () => {
  const machine = bootMachine()
  machine.run('insmod vnet')
  const before = machine.kernel.census.take().map(({ kind, name }) => `${kind} ${name}`)
  for (let i = 0; i < 1000; i++) {
    const { stdout, exitCode } = machine.run(i % 2 === 0 ? 'ip link show' : 'ethtool -S vnet0')
    expect([exitCode, stdout.includes(i % 2 === 0 ? '2: vnet0: ' : 'NIC statistics')]).toEqual([0, true])
  }
  expect([machine.syscalls.open, machine.netlink.open]).toEqual([0, 0])
  expect(machine.kernel.census.take().map(({ kind, name }) => `${kind} ${name}`)).toEqual(before)
  machine.poweroff()
})
