import { describe, expect, it } from 'vitest'
import { runOver, words } from '../run.ts'
import { cleared, readExchanges, RecordedKernel } from './recorded.ts'

const HEAD = '3: vnet0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UNKNOWN'

describe('against the recorded answers of a real kernel', () => {
  it.each([
    [
      'link-show',
      'ip link show vnet0',
      `${HEAD} mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n`,
      '',
      0,
    ],
    [
      'addr-show',
      'ip addr show vnet0',
      `${HEAD} group default qlen 1000\n    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n`,
      '',
      0,
    ],
    ['addr-add', 'ip addr add 10.0.0.1/24 dev vnet0', '', '', 0],
    ['link-up', 'ip link set vnet0 up', '', '', 0],
    ['mtu-bad', 'ip link set vnet0 mtu 70000', '', 'Error: mtu greater than device maximum.\n', 2],
    [
      'mac-busy',
      'ip link set vnet0 address 02:00:00:00:00:02',
      '',
      'RTNETLINK answers: Device or resource busy\n',
      2,
    ],
    ['ethtool', 'ethtool vnet0', 'Settings for vnet0:\n\tLink detected: yes\n', '', 0],
    ['ethtool-g', 'ethtool -g vnet0', '', 'netlink error: Operation not supported\n', 1],
    ['ethtool-k', 'ethtool -k vnet0', 'Features for vnet0:\nrx-checksumming: off [fixed]\n', '', 0],
  ])('%s: %s', (name, line, stdout, stderr, exitCode) => {
    const exchanges = readExchanges(name)
    const kernel = new RecordedKernel(exchanges)
    const result = runOver(kernel, words(line))
    expect([result.stderr, result.exitCode]).toEqual([stderr, exitCode])
    expect(result.stdout.slice(0, stdout.length)).toBe(stdout)
    expect(kernel.asked.map(hex)).toEqual(exchanges.map(({ request }) => hex(cleared(request))))
  })
})

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
