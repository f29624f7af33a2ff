import { createKernel } from '@vnet/kernel'
import { netlinkServer } from '@vnet/netlink'
import { describe, expect, it } from 'vitest'
import { addDev } from '../elsewhere.ts'
import { run, words } from '../run.ts'

function machine() {
  const kernel = createKernel()
  netlinkServer(kernel)
  addDev(kernel, 'vnet0')
  return kernel
}

describe('words that ip does not take', () => {
  it.each([
    ['ip -q link', 255, 'Option "-q" is unknown, try "ip -help".\n'],
    ['ip -family nosuch link', 255, 'Error: argument "nosuch" is wrong: invalid protocol family\n\n'],
    ['ip nosuch', 1, 'Object "nosuch" is unknown, try "ip help".\n'],
    ['ip link nosuch', 255, 'Command "nosuch" is unknown, try "ip link help".\n'],
    ['ip addr nosuch', 255, 'Command "nosuch" is unknown, try "ip address help".\n'],
    ['ip route nosuch', 255, 'Command "nosuch" is unknown, try "ip route help".\n'],
    ['ip neigh nosuch', 255, 'Command "nosuch" is unknown, try "ip neigh help".\n'],
    ['ip rule nosuch', 255, 'Command "nosuch" is unknown, try "ip rule help".\n'],
    ['ip link set', 255, 'Not enough of information: "dev" argument is required.\n'],
    ['ip link set vnet0 mtu', 255, 'Command line is not complete. Try option "help"\n'],
    ['ip link set vnet0 mtu 12x', 255, 'Error: argument "12x" is wrong: Invalid "mtu" value\n\n'],
    [
      'ip link set vnet0 promisc maybe',
      255,
      'Error: argument of "promisc" must be one of "on" or "off", not "maybe"\n',
    ],
    ['ip link set a/b up', 255, 'Error: argument "a/b" is wrong: "name" not a valid ifname\n\n'],
    ['ip link set vnet0 vnet1', 255, 'Error: either "dev" is duplicate, or "vnet1" is a garbage.\n'],
    ['ip link set nosuch up', 1, 'Cannot find device "nosuch"\n'],
    ['ip link del nosuch', 1, 'Cannot find device "nosuch"\n'],
    ['ip link show nosuch', 1, 'Device "nosuch" does not exist.\n'],
    ['ip addr show nosuch', 1, 'Device "nosuch" does not exist.\n'],
    ['ip link add dummy0 type dummy', 2, 'Error: Unknown device type.\n'],
    ['ip link add dummy0', 255, 'Not enough information: "type" argument is required\n'],
    ['ip addr add 10.0.0.1/24', 1, 'Not enough information: "dev" argument is required.\n'],
    [
      'ip addr add 10.0.0.1/33 dev vnet0',
      1,
      'Error: any valid prefix is expected rather than "10.0.0.1/33".\n',
    ],
    ['ip -4 addr add fe80::1 dev vnet0', 1, 'Error: inet prefix is expected rather than "fe80::1".\n'],
    ['ip -6 addr add 10.0.0.1 dev vnet0', 1, 'Error: inet6 prefix is expected rather than "10.0.0.1".\n'],
    ['ip addr add 10.0.0.1 dev vnet0 label lo:1', 1, '"dev" (vnet0) must match "label" (lo:1).\n'],
    ['ip addr add 10.0.0.1 dev vnet0 scope x', 255, 'Error: argument "x" is wrong: invalid scope value.\n\n'],
    ['ip route add 10.0.0.0/8 via nosuch', 1, 'Error: inet address is expected rather than "nosuch".\n'],
    ['ip route add 10.0.0.0/8 table x', 255, 'Error: argument "x" is wrong: "table" value is invalid\n\n'],
    ['ip route get', 1, 'need at least a destination address\n'],
    ['ip neigh add 10.0.0.1', 255, 'Device and destination are required arguments.\n'],
    ['ip neigh add 10.0.0.1 lladdr zz dev vnet0', 1, '"zz" is invalid lladdr.\n'],
    ['ip stats show nosuch', 255, 'Error: unknown argument "nosuch".\n'],
    ['tc nosuch', 255, 'Object "nosuch" is unknown, try "tc help".\n'],
    ['tc qdisc show dev nosuch', 1, 'Cannot find device "nosuch"\n'],
  ])('%s: %i', (line, exitCode, stderr) => {
    expect(run(machine(), words(line))).toEqual({ stdout: '', stderr, exitCode })
  })

  it.each(['ip', 'ip help', 'ip link help', 'ip addr help', 'ip route help', 'ip neigh help', 'tc'])(
    '%s tells how it is used, and ends with 255',
    (line) => {
      const { stdout, stderr, exitCode } = run(machine(), words(line))
      expect([stdout, exitCode]).toEqual(['', 255])
      expect(stderr).toMatch(/^Usage: (ip|tc) /)
    },
  )
})

describe('short words', () => {
  it.each([
    ['ip l', 'ip link show'],
    ['ip li sh vnet0', 'ip link show dev vnet0'],
    ['ip -s -s l l vnet0', 'ip -stats -statistics link list vnet0'],
    ['ip a', 'ip address show'],
    ['ip a s vnet0', 'ip addr show dev vnet0'],
    ['ip -d -j -p a', 'ip -details -json -pretty addr'],
    ['ip --oneline link', 'ip -o link'],
    ['ip -br l', 'ip -brief link'],
    ['ip ro', 'ip route'],
    ['ip n', 'ip neighbour show'],
    ['ip ru', 'ip rule list'],
    ['tc -s q', 'tc -statistics qdisc show'],
  ])('%s is %s', (short, long) => {
    const kernel = machine()
    const result = run(kernel, words(short))
    expect(result.exitCode).toBe(0)
    expect(result).toEqual(run(kernel, words(long)))
  })

  it('sets with beginnings of words, and without rights is refused', () => {
    const kernel = machine()
    expect(run(kernel, words('ip l s vnet0 up')).exitCode).toBe(0)
    expect(run(kernel, words('ip -o l sh up')).stdout).toContain('vnet0: <BROADCAST,MULTICAST,UP,LOWER_UP>')
    expect(run(kernel, words('ip l s vnet0 down'), { capNetAdmin: false })).toEqual({
      stdout: '',
      stderr: 'RTNETLINK answers: Operation not permitted\n',
      exitCode: 2,
    })
  })
})
