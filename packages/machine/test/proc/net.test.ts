import { describe, expect, it } from 'vitest'
import { fibAdd, neighAdd } from '@vnet/inet'
import { devGetByName, devMcDel } from '@vnet/netdev'
import { SockAf, sockCreate } from '@vnet/netlink'
import { maskNumbers, recordOf } from '../helpers/oracle.ts'
import { configured, machineWithVnet } from '../helpers/machine.ts'
import { bootMachine } from '../../src/index.ts'

const of = (command: string): string => recordOf('vnet7', command).stdout

describe('/proc/net against what a real kernel showed', () => {
  it.each(['dev', 'dev_mcast', 'if_inet6', 'arp', 'softnet_stat', 'snmp', 'ptype', 'dev_snmp6/vnet0'])(
    '%s',
    (file) => {
      const { machine } = configured()
      const recorded = of(`cat /proc/net/${file}`)
      const shown = machine.vfs.read(`/proc/net/${file}`)
      const sorted = (text: string): string[] => maskNumbers(text).split('\n').sort()
      if (file === 'softnet_stat') expect(shown).toMatch(/^[0-9a-f]{8}( 0{8}){12}\n$/)
      // The order of a hash table is not ours to keep.
      else if (file === 'if_inet6' || file === 'dev_mcast') expect(sorted(shown)).toEqual(sorted(recorded))
      else expect(maskNumbers(shown)).toBe(maskNumbers(recorded))
      if (file === 'dev') expect(shown.split('\n')[0]).toBe(recorded.split('\n')[0])
    },
  )

  it('the columns of /proc/net/dev are as wide', () => {
    const { machine } = configured()
    const lines = (text: string): number[] => text.split('\n').map((line) => line.length)
    expect(lines(machine.vfs.read('/proc/net/dev'))).toEqual(lines(of('cat /proc/net/dev')))
  })

  it('addresses of IPv6 are the recorded ones, with their scopes and flags', () => {
    const { machine } = configured()
    const lines = machine.vfs.read('/proc/net/if_inet6').split('\n').sort()
    expect(lines).toEqual(of('cat /proc/net/if_inet6').split('\n').sort())
  })

  it('groups of the card are the recorded ones', () => {
    const { machine } = configured()
    const lines = machine.vfs.read('/proc/net/dev_mcast').split('\n').sort()
    expect(lines).toEqual(of('cat /proc/net/dev_mcast').split('\n').sort())
  })

  it('IPv6 counted what it sent in the first seconds', () => {
    const { machine } = configured()
    const counters = new Map(
      machine.vfs
        .read('/proc/net/dev_snmp6/vnet0')
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/\s+/) as [string, string]),
    )
    expect(counters.get('ifIndex')).toBe('2')
    expect(counters.get('Icmp6OutNeighborSolicits')).toBe('1')
    expect(Number(counters.get('Icmp6OutMLDv2Reports'))).toBeGreaterThan(0)
    expect(Number(counters.get('Ip6OutRequests'))).toBe(Number(counters.get('Icmp6OutMsgs')))
  })

  it('a neighbour stands in /proc/net/arp as recorded for another card', () => {
    const { machine, dev } = configured()
    neighAddTo(machine, dev)
    const line = machine.vfs.read('/proc/net/arp').split('\n')[1]!
    const recorded = recordOf('e1000', 'cat /proc/net/arp').stdout.split('\n')[1]!
    expect(line).toBe(
      recorded
        .replace('10.0.2.2', '10.0.0.2')
        .replace('52:55:0a:00:02:02', '02:00:00:00:00:99')
        .replace('0x2 ', '0x6 ')
        .replace('eth0', 'vnet0'),
    )
  })

  it('routes stand in /proc/net/route', () => {
    const { machine, dev } = configured()
    machine.kernel.rtnl.run(() =>
      fibAdd(machine.inet, {
        family: 2,
        dst: new Uint8Array(4),
        dstLen: 0,
        gateway: Uint8Array.of(10, 0, 0, 254),
        oif: dev,
        type: 1,
        scope: 0,
      }),
    )
    const lines = machine.vfs.read('/proc/net/route').split('\n')
    expect(lines.map((line) => line.length)).toEqual([127, 127, 127, 0])
    expect(lines.map((line) => line.trimEnd())).toEqual([
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'vnet0\t00000000\tFE00000A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'vnet0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
      '',
    ])
  })

  it('groups of IPv4 and IPv6 stand in igmp and igmp6', () => {
    const { machine } = configured()
    expect(machine.vfs.read('/proc/net/igmp')).toBe(
      'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n' +
        '1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n' +
        '2\tvnet0     :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n',
    )
    const groups = machine.vfs
      .read('/proc/net/igmp6')
      .split('\n')
      .filter((line) => line.includes('vnet0'))
    expect(groups.map((line) => line.split(/\s+/)[2])).toEqual([
      'ff0200000000000000000001ff000001',
      'ff020000000000000000000000000001',
      'ff010000000000000000000000000001',
    ])
  })

  it('packet sockets stand in /proc/net/packet, and who receives in ptype', () => {
    const { machine } = configured()
    const sock = sockCreate(machine.kernel, SockAf.PACKET, 3, 0x0300, { pid: 1, capNetAdmin: true })
    const address = new Uint8Array(20)
    address.set([17, 0, 0, 3, 2, 0, 0, 0])
    sock.bind(address)
    expect(machine.vfs.read('/proc/net/packet')).toBe(
      'sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n' +
        '0000000000000000 3      3    0003   2     1 0      0      0     \n',
    )
    expect(machine.vfs.read('/proc/net/ptype').split('\n')[1]).toBe('ALL  vnet0    packet_rcv')
    sock.close()
    expect(machine.vfs.read('/proc/net/packet').split('\n')).toHaveLength(2)
  })

  it('the counters of the whole machine have those of UDP behind them', () => {
    const { machine } = configured()
    const names = machine.vfs
      .read('/proc/net/snmp6')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/\s+/)[0])
    expect(names[0]).toBe('Ip6InReceives')
    expect(names.at(-1)).toBe('UdpLite6MemErrors')
    expect(names).toContain('Udp6IgnoredMulti')
    expect(names).not.toContain('UdpLite6IgnoredMulti')
  })
})

function neighAddTo(
  machine: ReturnType<typeof configured>['machine'],
  dev: ReturnType<typeof configured>['dev'],
): void {
  machine.kernel.rtnl.run(() =>
    neighAdd(
      machine.inet.neighTable(2),
      { dev, dst: Uint8Array.of(10, 0, 0, 2), lladdr: Uint8Array.of(2, 0, 0, 0, 0, 0x99) },
      0x600,
    ),
  )
}

describe('the other files of /proc', () => {
  it('softirqs and interrupts are laid out as recorded', () => {
    const { machine, dev } = configured()
    expect(maskNumbers(machine.vfs.read('/proc/softirqs'))).toBe(maskNumbers(of('cat /proc/softirqs')))
    const recorded = recordOf('e1000', 'cat /proc/interrupts')
      .stdout.split('\n')
      .find((line) => line.endsWith('eth0'))!
    const shown = machine.vfs.read('/proc/interrupts').split('\n')
    expect(shown[0]).toBe('           CPU0       ')
    const line = shown.find((text) => text.endsWith(`${dev.name}-0`))!
    expect(
      line
        .replace(/\s*\d+/g, ' N')
        .replace('VNET', 'IO-APIC')
        .replace(/\s+/g, ' '),
    ).toBe(
      recorded
        .replace(/\s*\d+/g, ' N')
        .replace('eth N', 'vnet N- N')
        .replace(/\s+/g, ' '),
    )
  })

  it('version, uptime, modules, tainted', () => {
    const { machine } = machineWithVnet({ name: 'box' })
    machine.kernel.runFor(1_234_000_000)
    expect(machine.vfs.read('/proc/version')).toBe('Linux version 6.1.0-vnet (vnet) (TypeScript) #1 vnet\n')
    expect(machine.vfs.read('/proc/uptime')).toBe('1.23 1.23\n')
    expect(machine.vfs.read('/proc/modules')).toBe('vnet 16384 0 - Live 0x0000000000000000 (O)\n')
    expect(machine.vfs.read('/proc/sys/kernel/tainted')).toBe('4096\n')
  })

  it('a file of proc cannot be written', () => {
    const { vfs } = bootMachine()
    expect(() => vfs.write('/proc/net/dev', 'x')).toThrow('Input/output error')
  })
})

describe('/proc/sys/net', () => {
  it.each([
    ['core/default_qdisc', 'pfifo_fast\n', 'pfifo_fast\n'],
    ['core/default_qdisc', 'none', 'No such file or directory'],
    ['core/netdev_max_backlog', '0x10', '16\n'],
    ['core/netdev_budget_usecs', '8000', '8000\n'],
    ['core/netdev_budget', '0', 'Invalid argument'],
    ['ipv4/ip_forward', '1', '1\n'],
    ['ipv4/ip_forward', '', 'Invalid argument'],
    ['ipv4/conf/all/forwarding', '1', '1\n'],
    ['ipv4/neigh/vnet0/base_reachable_time_ms', '10000', '10000\n'],
    ['ipv4/neigh/vnet0/retrans_time', '50', '50\n'],
    ['ipv4/neigh/default/gc_thresh3', '2048', '2048\n'],
    ['ipv4/neigh/default/gc_thresh3', '-1', 'Invalid argument'],
    ['ipv6/neigh/vnet0/ucast_solicit', '5', '5\n'],
    ['ipv4/ip_default_ttl', '32\n', '32\n'],
    ['ipv4/ip_default_ttl', '0', 'Invalid argument'],
    ['ipv4/conf/vnet0/arp_ignore', '2', '2\n'],
    ['ipv4/conf/vnet0/promote_secondaries', '1', '1\n'],
    ['ipv6/conf/vnet0/accept_dad', '0', '0\n'],
    ['ipv6/conf/vnet0/addr_gen_mode', '1', '1\n'],
    ['ipv6/conf/vnet0/addr_gen_mode', '2', 'Invalid argument'],
    ['ipv6/conf/all/forwarding', '1', '1\n'],
    ['ipv6/conf/default/router_solicitation_delay', '2', '2\n'],
    ['ipv6/conf/vnet0/disable_ipv6', 'yes', 'Invalid argument'],
  ])('%s takes %j: %j', (file, text, expected) => {
    const { machine } = configured()
    let got: string
    try {
      machine.vfs.write(`/proc/sys/net/${file}`, text)
      got = machine.vfs.read(`/proc/sys/net/${file}`)
    } catch (error) {
      got = (error as Error).message
    }
    expect(got).toBe(expected)
  })

  it('turning IPv6 off on a device takes its addresses', () => {
    const { machine, dev } = configured()
    expect(machine.inet.addresses(10, dev)).toHaveLength(1)
    machine.vfs.write('/proc/sys/net/ipv6/conf/vnet0/disable_ipv6', '1')
    expect(machine.inet.addresses(10, dev)).toEqual([])
    machine.vfs.write('/proc/sys/net/ipv6/conf/vnet0/disable_ipv6', '0')
    expect(machine.inet.addresses(10, dev)).toHaveLength(1)
  })

  it('a setting of neighbours is what counts from then on', () => {
    const { machine } = configured()
    machine.vfs.write('/proc/sys/net/ipv4/neigh/vnet0/retrans_time_ms', '100')
    machine.vfs.write('/proc/sys/net/ipv4/neigh/vnet0/mcast_solicit', '1')
    const began = machine.kernel.clock.ktimeGet()
    machine.run('ping -c 1 10.0.0.2')
    expect(machine.run('ip neigh').stdout).toBe('10.0.0.2 dev vnet0 FAILED \n')
    expect(machine.kernel.clock.ktimeGet() - began).toBeLessThan(1e9)
  })

  it('forwarding for all is forwarding for each', () => {
    const { machine } = configured()
    machine.vfs.write('/proc/sys/net/ipv6/conf/all/forwarding', '1')
    expect(machine.vfs.read('/proc/sys/net/ipv6/conf/vnet0/forwarding')).toBe('1\n')
  })
})

it('a device that goes away leaves none of its groups behind, not one that was never up either', () => {
  const machine = bootMachine()
  const files = ['igmp', 'igmp6', 'dev_mcast', 'if_inet6']
  const texts = (): string[] => files.map((file) => machine.vfs.read(`/proc/net/${file}`))
  const before = texts()
  machine.run('insmod vnet backend=null')
  expect(texts()).not.toEqual(before)
  machine.run('rmmod vnet')
  expect(texts()).toEqual(before)
  machine.run('insmod vnet backend=null')
  machine.run('ip link set vnet0 up')
  const dev = machine.kernel.rtnl.run(() => devGetByName(machine.kernel, 'vnet0')!)
  machine.kernel.rtnl.run(() => devMcDel(dev, Uint8Array.of(0x33, 0x33, 0, 0, 0, 1)))
  machine.run('rmmod vnet')
  expect(texts()).toEqual(before)
  machine.poweroff()
})
