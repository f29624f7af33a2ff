import { unregisterNetdev } from '@vnet/netdev'
import { arpRequest, readCapture } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import recorded from './fixtures/lines.json' with { type: 'json' }
import { A, B, FRAMES } from './frames.ts'
import { start } from './rig.ts'

const ARP = arpRequest({ senderMac: A.mac, senderIp: A.ip, targetIp: B.ip })
const all = FRAMES.map((bytes, i) => ({ bytes, sec: 1_700_000_000 + i, nsec: 5000 * i }))
const LISTENING = 'listening on vnet0, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n'
const SUPPRESSED = 'tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n'

describe('lines are those of tcpdump 4.99', () => {
  it.each(Object.entries(recorded))('%s', (options, expected) => {
    const { sock, said } = start(`tcpdump -i vnet0 ${options} -c ${FRAMES.length}`)
    sock.arrive(...all)
    expect(said.stdout).toBe(expected)
    expect(said.exitCode).toBe(0)
  })
})

describe('a capture', () => {
  it('says what the recorded one said: 10-vnet7, command 141', () => {
    const { sock, said } = start('tcpdump -i vnet0 -e -n -xx -c 3 arp')
    const times = [375032, 1402023, 2422089]
    sock.arrive(
      ...times.map((usec) => ({
        bytes: ARP,
        sec: 1795337751 + Math.floor(usec / 1e6),
        nsec: (usec % 1e6) * 1000,
      })),
    )
    const line = (time: string): string =>
      `${time} 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n` +
      '\t0x0000:  ffff ffff ffff 0200 0000 0001 0806 0001\n' +
      '\t0x0010:  0800 0604 0001 0200 0000 0001 0a00 0001\n' +
      '\t0x0020:  0000 0000 0000 0a00 0002\n'
    expect(said.stdout).toBe(line('08:55:51.375032') + line('08:55:52.402023') + line('08:55:53.422089'))
    expect(said.stderr).toBe(
      `${SUPPRESSED}${LISTENING}3 packets captured\n3 packets received by filter\n0 packets dropped by kernel\n`,
    )
  })

  it('ends with Ctrl-C, an empty line and the counts', () => {
    const { sock, said, interrupt, server } = start('tcpdump -v -i vnet0 arp')
    sock.arrive({ bytes: ARP }, { bytes: FRAMES[2]! })
    sock.drops = 4
    expect(said.exitCode).toBeNull()
    interrupt()
    expect(said.stdout).toMatch(/^00:00:00\.000000 ARP, Ethernet .*\n\n$/)
    expect(said.stderr).toBe(
      `tcpdump: ${LISTENING}1 packet captured\n1 packet received by filter\n4 packets dropped by kernel\n`,
    )
    expect(said.exitCode).toBe(0)
    expect([sock.closed, server.open]).toEqual([true, 0])
  })

  it('counts what came and was not shown', () => {
    const { sock, said } = start('tcpdump -i vnet0 -c 1')
    sock.queue.push({ bytes: ARP }, { bytes: ARP }, { bytes: ARP })
    sock.onReadable?.()
    expect(said.stderr).toContain('1 packet captured\n3 packets received by filter\n')
  })

  it('binds to the device and asks for everything, with -p only for its own', () => {
    expect(start('tcpdump -i vnet0').sock.calls).toEqual(['set 1 35', 'set 263 8', 'bind 1', 'set 263 1'])
    expect(start('tcpdump -pi vnet0').sock.calls).toEqual(['set 1 35', 'set 263 8', 'bind 1'])
    expect(start('tcpdump').sock.calls[2]).toBe('bind 1')
    expect(start('tcpdump -i 1').sock.calls[2]).toBe('bind 1')
    expect(start('tcpdump -i any').sock.calls).toEqual(['set 1 35', 'set 263 8', 'bind 0'])
  })

  it('shows device and direction with -i any', () => {
    const { sock, said } = start('tcpdump -t -i any -c 3')
    sock.arrive(
      { bytes: ARP, pkttype: 4 },
      { bytes: FRAMES[3]!, pkttype: 0, ifindex: 9 },
      { bytes: ARP, pkttype: 1 },
    )
    expect(said.stdout).toBe(
      'vnet0 Out ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n' +
        '?     In  IP 10.0.0.2 > 10.0.0.1: ICMP echo reply, id 7, seq 1, length 64\n' +
        'vnet0 B   ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n',
    )
    expect(said.stderr).toContain('tcpdump: data link type LINUX_SLL2\n')
    const link = start('tcpdump -t -e -i any -c 1')
    link.sock.arrive({ bytes: ARP, pkttype: 4 })
    expect(link.said.stdout).toBe(
      'vnet0 Out ifindex 1 02:00:00:00:00:01 ethertype ARP (0x0806), length 48: Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n',
    )
  })

  it('puts a tag back that the kernel took off', () => {
    const { sock, said } = start('tcpdump -t -e -i vnet0 -c 1 vlan 5')
    sock.arrive({ bytes: FRAMES[2]!, tag: [0x8100, 0x2005] })
    expect(said.stdout).toContain(
      'ethertype 802.1Q (0x8100), length 102: vlan 5, p 1, ethertype IPv4 (0x0800), 10.0.0.1',
    )
  })

  it('takes one direction with -Q', () => {
    for (const [direction, expected] of [
      ['in', 1],
      ['out', 2],
      ['inout', 3],
    ] as const) {
      const { sock, said, interrupt } = start(`tcpdump -i vnet0 -Q ${direction}`)
      sock.arrive({ bytes: ARP, pkttype: 4 }, { bytes: ARP, pkttype: 0 }, { bytes: ARP, pkttype: 4 })
      interrupt()
      expect(said.stderr).toContain(`${expected} packet${expected === 1 ? '' : 's'} captured`)
    }
  })

  it('shows what goes through lo once', () => {
    const { sock, said } = start('tcpdump -i vnet0 -c 1')
    sock.arrive({ bytes: ARP, pkttype: 4, hatype: 772 }, { bytes: ARP, pkttype: 0, hatype: 772 })
    expect(said.stderr).toContain('1 packet captured\n2 packets received by filter\n')
  })

  it('waits while its device is down, and ends when it is gone', () => {
    const { dev, sock, said } = start('tcpdump -i vnet0')
    sock.fail()
    expect(said.exitCode).toBeNull()
    sock.arrive({ bytes: ARP })
    unregisterNetdev(dev)
    sock.fail()
    expect(said.exitCode).toBe(1)
    expect(said.stderr).toContain('tcpdump: pcap_loop: The interface disappeared\n1 packet captured\n')
  })

  it('cuts with -s and says so', () => {
    const { sock, said } = start('tcpdump -t -s 30 -i vnet0 -c 1')
    sock.arrive({ bytes: FRAMES[2]! })
    expect(said.stdout).toBe('IP  [|ip]\n')
    expect(said.stderr).toContain('snapshot length 30 bytes')
  })
})

describe('-w', () => {
  const expectFrames = (bytes: Uint8Array): void => {
    const frames: number[][] = []
    const reader = readCapture(bytes)
    for (let f = reader.next(); f !== null; f = reader.next()) {
      frames.push([...f.data.subarray(f.offset, f.offset + f.length)])
    }
    expect(frames).toEqual([[...ARP], [...FRAMES[2]!]])
  }

  it('- writes pcapng to the standard output', () => {
    const { sock, said, interrupt } = start('tcpdump -i vnet0 -w -')
    sock.arrive({ bytes: ARP, sec: 1_700_000_000, nsec: 1 }, { bytes: FRAMES[2]! })
    interrupt()
    expectFrames(Uint8Array.from(said.bytes))
    expect(said.stdout).toBe('')
    expect(said.stderr.startsWith(`tcpdump: ${LISTENING}`)).toBe(true)
  })

  it('writes files where it can, and else says it cannot', () => {
    const chunks: number[] = []
    let closed = 0
    const create = () => ({
      write: (bytes: Uint8Array) => void chunks.push(...bytes),
      close: () => void closed++,
    })
    const { sock } = start('tcpdump -i vnet0 -c 2 -w x.pcapng', create)
    sock.arrive({ bytes: ARP }, { bytes: FRAMES[2]! })
    expectFrames(Uint8Array.from(chunks))
    expect(closed).toBe(1)
    expect(start('tcpdump -i vnet0 -w x').said).toMatchObject({
      stderr: 'tcpdump: x: only -w - can be written here\n',
      exitCode: 1,
    })
  })
})

describe('what is wrong', () => {
  it.each([
    ['tcpdump -i nosuch0', 'tcpdump: nosuch0: No such device exists\n(No such device exists)\n'],
    ['tcpdump -i 9', 'tcpdump: 9: No such device exists\n(No such device exists)\n'],
    ['tcpdump -i vnet0 host and', "tcpdump: can't parse filter expression: syntax error\n"],
    ['tcpdump -c 0', 'tcpdump: invalid packet count 0\n'],
    ['tcpdump -c x', 'tcpdump: invalid packet count x\n'],
    ['tcpdump -Q foo', "tcpdump: unknown capture direction `foo'\n"],
    ['tcpdump -s 9999999', 'tcpdump: invalid snaplen 9999999 (must be >= 0 and <= 262144)\n'],
    ['tcpdump -r x', 'tcpdump: -r is not supported here\n'],
    ['tcpdump -nC 5 -w -', 'tcpdump: -C is not supported here\n'],
    ['tcpdump -d arp', 'tcpdump: -d is not supported here\n'],
    ['tcpdump -y RAW', 'tcpdump: invalid data link type RAW\n'],
    [
      'user$ tcpdump -i vnet0',
      "tcpdump: vnet0: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)\n",
    ],
  ])('%s', (line, stderr) => {
    expect(start(line).said).toMatchObject({ stdout: '', stderr, exitCode: 1 })
  })

  it.each([
    ['tcpdump -k', "tcpdump: invalid option -- 'k'\n"],
    ['tcpdump -i', "tcpdump: option requires an argument -- 'i'\n"],
    ['tcpdump --what', "tcpdump: unrecognized option '--what'\n"],
  ])('%s, followed by how to use it', (line, first) => {
    const { said } = start(line)
    expect(said.stderr.startsWith(`${first}tcpdump of`)).toBe(true)
    expect(said.stderr).toContain('\nUsage: tcpdump [')
    expect(said.exitCode).toBe(1)
  })
})

describe('other things it tells', () => {
  it('devices, link types, version, help', () => {
    expect(start('tcpdump -D').said.stdout).toBe(
      '1.vnet0 [Up, Running, Connected]\n2.any (Pseudo-device that captures on all interfaces) [Up, Running]\n3.down0 [none, Disconnected]\n',
    )
    expect(start('tcpdump -L').said.stdout).toBe(
      'Data link types for vnet0 (use option -y to set):\n  EN10MB (Ethernet)\n',
    )
    expect(start('tcpdump --version').said).toMatchObject({ exitCode: 0, stderr: '' })
    expect(start('tcpdump -h').said.stdout).toContain('Usage: ')
  })

  it('takes options in every spelling', () => {
    const { sock, said } = start(
      "tcpdump --interface=vnet0 --snapshot-length 100 -ttnnlUc1 -- 'icmp or arp' and src 10.0.0.1",
    )
    sock.arrive({ bytes: FRAMES[1]! }, { bytes: ARP, sec: 5 })
    expect(said.stdout).toBe('5.000000 ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n')
  })
})
