import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { masked, MachinePair } from './pair.ts'

interface Recorded {
  readonly command: string
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** What iputils 20221126 printed, on Linux, with 10.0.0.1 and 10.0.0.2 at the ends of a veth. */
const RECORDED: readonly Recorded[] = JSON.parse(
  readFileSync(new URL('fixtures/iputils.json', import.meta.url), 'utf8'),
)

let pair: MachinePair
beforeEach(() => {
  pair = new MachinePair()
})
afterEach(() => {
  pair.end()
})

describe('as iputils prints it', () => {
  it.each(RECORDED.map((one) => [one.command, one] as const))('%s', (command, recorded) => {
    const { stdout, stderr, exitCode } = pair.run(command)
    expect({ stdout: masked(stdout), stderr, exitCode }).toEqual({
      stdout: masked(recorded.stdout),
      stderr: recorded.stderr,
      exitCode: recorded.exitCode,
    })
  })
})

describe('Ctrl-C', () => {
  it('ends a ping that was answered with its statistics and 0', () => {
    const ping = pair.start('ping 10.0.0.2')
    pair.runFor(2.5e9)
    expect(ping.over).toBe(false)
    ping.interrupt()
    expect(ping).toMatchObject({ over: true, exitCode: 0, stderr: '' })
    expect(masked(ping.stdout)).toMatch(
      /icmp_seq=3 ttl=64 time=T ms\n\n--- 10\.0\.0\.2 ping statistics ---\n3 packets transmitted, 3 received, 0% packet loss, time T\nrtt min\/avg\/max\/mdev = T ms\n$/,
    )
  })

  it('ends a ping that nobody answered with 1', () => {
    const ping = pair.start('ping 10.0.0.9')
    pair.runFor(1.5e9)
    ping.interrupt()
    expect(ping).toMatchObject({ over: true, exitCode: 1 })
    expect(masked(ping.stdout)).toMatch(/2 packets transmitted, 0 received, 100% packet loss, time T\n\n$/)
  })

  it('ends arping with what it has seen', () => {
    const arping = pair.start('arping -I vnet0 10.0.0.2')
    pair.runFor(1.5e9)
    arping.interrupt()
    expect(arping).toMatchObject({ over: true, exitCode: 0 })
    expect(arping.stdout).toMatch(/Sent 2 probes \(1 broadcast\(s\)\)\nReceived 2 response\(s\)\n$/)
  })
})

/** True for an echo reply in an IPv4 frame. */
function isReply(frame: Uint8Array): boolean {
  return frame[12] === 8 && frame[13] === 0 && frame[23] === 1 && frame[34] === 0
}

/** Adds up to the same sum: one byte more, another of the same place less. */
function lie(frame: Uint8Array): Uint8Array {
  const out = frame.slice()
  out[62]! += 1
  out[64]! -= 1
  return out
}

describe('a machine at the other end', () => {
  it('that answers twice is told apart', () => {
    pair.endB.tamper = (frame) => (isReply(frame) ? [frame, frame] : [frame])
    const { stdout, exitCode } = pair.run('ping -c 2 -i 0.2 10.0.0.2')
    expect(exitCode).toBe(0)
    expect(masked(stdout)).toContain(
      '64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=T ms\n64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=T ms (DUP!)\n',
    )
    expect(stdout).toContain('2 packets transmitted, 2 received, +1 duplicates, 0% packet loss')
  })

  it('that changes the bytes is found out', () => {
    pair.endB.tamper = (frame) => [isReply(frame) ? lie(frame) : frame]
    const { stdout } = pair.run('ping -c 1 10.0.0.2')
    expect(stdout).toContain(
      'ms\nwrong data byte #20 should be 0x14 but was 0x15\n#16\t10 11 12 13 15 15 15 17 ',
    )
  })

  it('that answers with a broken checksum has not answered', () => {
    pair.endB.tamper = (frame) => {
      if (isReply(frame)) frame[60]! ^= 1
      return [frame]
    }
    const { stdout, exitCode } = pair.run('ping -c 1 -W 1 10.0.0.2')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('1 packets transmitted, 0 received, 100% packet loss')
    expect(pair.run('cat /proc/net/snmp').stdout).toMatch(/^Icmp: 1 1 1 /m)
  })

  it('that leaves while it is asked is missed, and its neighbour entry fails', () => {
    const ping = pair.start('ping -c 8 10.0.0.2')
    pair.runFor(2.5e9)
    pair.b.poweroff()
    for (let s = 0; s < 60 && !ping.over; s++) pair.runFor(1e9)
    expect(ping).toMatchObject({ over: true, exitCode: 0 })
    expect(ping.stdout).toMatch(/8 packets transmitted, 3 received.* packet loss/)
  })

  it('that is replaced by another device of the same address is found again', () => {
    expect(pair.run('ping -c 1 10.0.0.2').exitCode).toBe(0)
    pair.runOn(pair.b, 'ip link set vnet0 down')
    pair.runOn(pair.b, 'ip link set vnet0 address 02:00:00:00:00:22 up')
    pair.runFor(1e9)
    pair.runOn(pair.b, 'arping -I vnet0 -U -c 1 10.0.0.2')
    pair.runFor(1e9)
    expect(pair.run('ping -c 1 10.0.0.2').exitCode).toBe(0)
  })
})

describe('what arping sends', () => {
  const arp = (frame: Uint8Array): readonly number[][] => [
    [...frame.subarray(0, 6)],
    [frame[21]!],
    [...frame.subarray(22, 28)],
    [...frame.subarray(28, 32)],
    [...frame.subarray(32, 38)],
    [...frame.subarray(38, 42)],
  ]
  const ALL = [255, 255, 255, 255, 255, 255]
  const MAC = [2, 0, 0, 0, 0, 1]
  const OWN = [10, 0, 0, 1]

  it.each([
    ['-U -c 1 10.0.0.1', [ALL, [1], MAC, OWN, ALL, OWN]],
    ['-A -c 1 10.0.0.1', [ALL, [2], MAC, OWN, MAC, OWN]],
    ['-D -c 1 10.0.0.9', [ALL, [1], MAC, [0, 0, 0, 0], ALL, [10, 0, 0, 9]]],
    ['-c 1 10.0.0.9', [ALL, [1], MAC, OWN, ALL, [10, 0, 0, 9]]],
  ])('with %s', (line, fields) => {
    pair.endA.sent.length = 0
    pair.run(`arping -I vnet0 ${line}`)
    pair.runFor(1e6)
    const sent = pair.endA.sent.filter((frame) => frame[12] === 8 && frame[13] === 6)
    expect(sent.map(arp)).toEqual([fields])
  })

  it('goes to the one who answered, from the second on', () => {
    pair.endA.sent.length = 0
    pair.run('arping -I vnet0 -c 2 10.0.0.2')
    expect(pair.endA.sent.map((frame) => [...frame.subarray(0, 6)])).toEqual([ALL, [2, 0, 0, 0, 0, 2]])
  })
})

describe('a machine whose own device goes', () => {
  it('down ends in unreachable network for each request that follows', () => {
    const ping = pair.start('ping -c 4 -W 1 10.0.0.2')
    pair.runFor(1.5e9)
    pair.run('ip link set vnet0 down')
    pair.runFor(5e9)
    expect(ping).toMatchObject({ over: true, exitCode: 0 })
    expect(ping.stderr).toBe('ping: sendmsg: Network is unreachable\n'.repeat(2))
    expect(ping.stdout).toContain('4 packets transmitted, 2 received, 50% packet loss')
  })

  it('down is said by arping before it begins', () => {
    pair.run('ip link set vnet0 down')
    expect(pair.run('arping -I vnet0 -c 1 10.0.0.2')).toEqual({
      stdout: 'Interface "vnet0" is down\n',
      stderr: '',
      exitCode: 2,
    })
  })
})

describe('a flood', () => {
  it('prints a dot for each request and takes it back for each answer', () => {
    expect(pair.run('ping -f -c 3 10.0.0.2').stdout).toContain('data.\n.\b \b.\b \b.\b \b\n---')
  })

  it('prints an E over the dot of each request that came to nothing', () => {
    expect(pair.run('ping -f -c 3 10.0.0.9').stdout).toContain('data.\n...\bE\bE\bE\n---')
  })
})
