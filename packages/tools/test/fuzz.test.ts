import { createKernel } from '@vnet/kernel'
import { netlinkServer, syscallServer } from '@vnet/netlink'
import { describe, expect, it } from 'vitest'
import { addDev, card } from './elsewhere.ts'
import { localTransport } from '../src/index.ts'
import { Dice, lyingTransport } from './proc/lying.ts'
import type { Lies } from './proc/lying.ts'
import { runOver, words } from './run.ts'

const COMMANDS = [
  'ip -d -s -s link',
  'ip -j -p -d -s link show vnet0',
  'ip -br addr',
  'ip -j addr show dev vnet0',
  'ip route show table all',
  'ip -s neigh',
  'ip netconf',
  'ip ntable',
  'ip rule',
  'ip stats',
  'tc -s qdisc',
  'tc -s -j qdisc show dev vnet0',
  'ip link set vnet0 mtu 1400',
  'ethtool vnet0',
  'ethtool -i vnet0',
  'ethtool -S vnet0',
  'ethtool -S vnet0 --all-groups',
  'ethtool -k vnet0',
  'ethtool -K vnet0 gro off',
  'ethtool -g vnet0',
  'ethtool -c vnet0',
  'ethtool -I -a vnet0',
  'ethtool -x vnet0',
  'ethtool -X vnet0 equal 2',
  'ethtool -d vnet0',
  'ethtool -e vnet0',
  'ethtool -t vnet0',
  'ethtool -T vnet0',
  'ethtool -P vnet0',
  'ethtool -n vnet0',
  'ethtool --show-priv-flags vnet0',
]

function machine() {
  const kernel = createKernel()
  netlinkServer(kernel)
  addDev(kernel, 'vnet0', card())
  return localTransport(syscallServer(kernel))
}

/** Exit codes of some runs with lies of their own. A program that waits, or throws, ends the test. */
function exitCodes(command: string, lies: (dice: Dice) => Lies, runs: number): number[] {
  const codes: number[] = []
  for (let seed = 1; seed <= runs; seed++) {
    const transport = lyingTransport(machine(), lies(new Dice(seed)))
    codes.push(runOver(transport, words(command)).exitCode)
  }
  return codes
}

const flips = (dice: Dice): Lies => ({
  data(bytes) {
    for (let i = dice.below(4); i > 0 && bytes.length > 0; i--)
      bytes[dice.below(bytes.length)] = dice.below(256)
  },
})

const lengths = (dice: Dice): Lies => ({
  // Lengths of messages and attributes stand at multiples of four.
  data(bytes) {
    if (bytes.length < 4) return
    const at = dice.below(bytes.length >> 2) << 2
    bytes[at] = dice.below(256)
    bytes[at + 1] = dice.below(3) === 0 ? 0xff : 0
  },
})

const results = (dice: Dice): Lies => ({
  result: (value) =>
    dice.below(6) === 0 ? BigInt(dice.below(2) === 0 ? -dice.below(140) : dice.below(1 << 30)) : value,
})

const noise = (dice: Dice): Lies => ({
  data: (bytes) => bytes.forEach((_byte, i) => (bytes[i] = dice.below(256))),
})

describe('a machine that lies', () => {
  it.each(COMMANDS)('%s ends, whatever the answers are', (command) => {
    const codes = [
      ...exitCodes(command, flips, 25),
      ...exitCodes(command, lengths, 25),
      ...exitCodes(command, results, 15),
      ...exitCodes(command, noise, 5),
    ]
    expect(codes.filter((code) => !Number.isInteger(code) || code < 0 || code > 255)).toEqual([])
    expect(codes.some((code) => code !== 0)).toBe(true)
  })

  it('changes nothing when the answers come byte by byte', () => {
    for (const command of COMMANDS) {
      const whole = runOver(machine(), words(command))
      expect(runOver(lyingTransport(machine(), { pieces: 1 }), words(command))).toEqual(whole)
    }
  })
})
