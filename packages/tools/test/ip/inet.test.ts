import { describe, expect, it } from 'vitest'
import { bootMachine } from '../elsewhere.ts'

const machine = bootMachine()
for (const line of ['insmod vnet.ko backend=null', 'ip link set vnet0 up', 'sleep 3']) machine.run(line)

/** Commands in this order, each with what it prints; an error text begins with `!` and the exit code. */
const STEPS: readonly (readonly [line: string, output: string])[] = [
  ['ip addr add 10.0.0.1/24 brd + dev vnet0 label vnet0:a', ''],
  ['ip addr add 2001:db8::1/64 dev vnet0 nodad', ''],
  ['ip addr add 10.0.0.1/24 dev vnet0', '!2 RTNETLINK answers: File exists\n'],
  [
    'ip -4 addr show dev vnet0',
    '2: vnet0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc # state UP group default qlen 1000\n' +
      '    inet 10.0.0.1/24 brd 10.0.0.255 scope global vnet0:a\n       valid_lft forever preferred_lft forever\n',
  ],
  [
    'ip -o -6 addr show dev vnet0 scope global',
    '2: vnet0    inet6 2001:db8::1/64 scope global nodad \\       valid_lft forever preferred_lft forever\n',
  ],
  [
    'ip -br -4 addr',
    'lo               UNKNOWN        127.0.0.1/8 \nvnet0            UP             10.0.0.1/24 \n',
  ],
  ['ip route add default via 10.0.0.254', ''],
  ['ip route add 10.1.0.0/16 via 10.0.0.2 dev vnet0 metric 5 proto static', ''],
  ['ip route add blackhole 10.9.0.0/16', ''],
  ['ip route add 10.2.0.0/16 dev nosuch', '!1 Cannot find device "nosuch"\n'],
  ['ip route add 10.1.0.0/16 via 10.0.0.2 metric 5', '!2 RTNETLINK answers: File exists\n'],
  [
    'ip route',
    'default via 10.0.0.254 dev vnet0 \n10.0.0.0/24 dev vnet0 proto kernel scope link src 10.0.0.1 \n' +
      '10.1.0.0/16 via 10.0.0.2 dev vnet0 proto static metric 5 \nblackhole 10.9.0.0/16 \n',
  ],
  [
    'ip -d route show 10.1.0.0/16',
    'unicast 10.1.0.0/16 via 10.0.0.2 dev vnet0 proto static scope global metric 5 \n',
  ],
  ['ip route show root 10.0.0.0/8 proto static', '10.1.0.0/16 via 10.0.0.2 dev vnet0 metric 5 \n'],
  ['ip route show match 10.1.2.3 scope link', ''],
  ['ip -j route show default', '[{"dst":"default","gateway":"10.0.0.254","dev":"vnet0","flags":[]}]\n'],
  ['ip route get 8.8.8.8', '8.8.8.8 via 10.0.0.254 dev vnet0 src 10.0.0.1 uid 0 \n    cache \n'],
  ['ip route get 10.9.1.1', '!2 RTNETLINK answers: Invalid argument\n'],
  ['ip route get 10.0.0.1', 'local 10.0.0.1 dev lo table local src 10.0.0.1 uid 0 \n    cache <local> \n'],
  [
    'ip -6 route get 2001:db8::2',
    '2001:db8::2 from :: dev vnet0 proto kernel src 2001:db8::1 metric 256 pref medium\n',
  ],
  [
    'ip -6 route',
    '2001:db8::/64 dev vnet0 proto kernel metric 256 pref medium\nfe80::/64 dev vnet0 proto kernel metric 256 pref medium\n',
  ],
  ['ip route del 10.1.0.0/16', ''],
  ['ip route del 10.1.0.0/16', '!2 RTNETLINK answers: No such process\n'],
  ['ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev vnet0', ''],
  ['ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:08 dev vnet0', '!2 RTNETLINK answers: File exists\n'],
  ['ip neigh add fe80::7 lladdr 02:00:00:00:00:07 nud reachable dev vnet0', ''],
  [
    'ip neigh',
    '10.0.0.7 dev vnet0 lladdr 02:00:00:00:00:07 PERMANENT \nfe80::7 dev vnet0 lladdr 02:00:00:00:00:07 REACHABLE \n',
  ],
  ['ip -6 neigh show dev vnet0', 'fe80::7 lladdr 02:00:00:00:00:07 REACHABLE \n'],
  [
    'ip -j neigh show nud permanent',
    '[{"dst":"10.0.0.7","dev":"vnet0","lladdr":"02:00:00:00:00:07","state":["PERMANENT"]}]\n',
  ],
  ['ip neigh get 10.0.0.7 dev vnet0', '10.0.0.7 dev vnet0 lladdr 02:00:00:00:00:07 PERMANENT \n'],
  ['ip neigh del 10.0.0.8 dev vnet0', '!2 RTNETLINK answers: No such file or directory\n'],
  ['ip neigh flush dev vnet0', ''],
  ['ip -4 neigh', '10.0.0.7 dev vnet0 lladdr 02:00:00:00:00:07 PERMANENT \n'],
  ['ip rule', '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n'],
  [
    'ip netconf show dev lo',
    /* family by family */ 'inet lo forwarding off rp_filter off mc_forwarding off proxy_neigh off ignore_routes_with_linkdown off \ninet6 lo forwarding off mc_forwarding off proxy_neigh off ignore_routes_with_linkdown off \n',
  ],
  ['ip -4 maddr show dev lo', '1:\tlo\n\tinet  224.0.0.1\n'],
  ['ip addr flush dev vnet0 scope global', ''],
  ['ip -br addr show vnet0', 'vnet0            UP             fe80::ff:fe00:1/64 \n'],
  ['ip route flush table main', ''],
  ['ip route', ''],
]

describe('addresses, routes and neighbours of a machine', () => {
  it.each(STEPS)('%s', (line, output) => {
    const { stdout, stderr, exitCode } = machine.run(line)
    const text = exitCode === 0 ? stdout + stderr : `!${exitCode} ${stderr}`
    expect(text.replace(/qdisc \S+/, 'qdisc #')).toBe(output)
  })

  it('table all is of all families', () => {
    const { stdout } = machine.run('ip route show table all')
    expect(stdout).toContain('local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1 \n')
    expect(stdout).toContain('local ::1 dev lo table local proto kernel metric 0 pref medium\n')
  })

  it('-h makes counters short', () => {
    for (let i = 0; i < 4; i++) machine.run('ping -c 1 -s 1000 127.0.0.1')
    const bytes = /RX:.*\n +(\d+)/.exec(machine.run('ip -s link show lo').stdout)![1]!
    expect(bytes.length).toBe(4)
    expect(machine.run('ip -h -s link show lo').stdout).toMatch(
      new RegExp(`RX:.*\\n +${bytes[0]}\\.\\d\\dk `),
    )
  })
})
