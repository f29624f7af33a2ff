import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { ipv4Of, parsePing, PingError } from '../../src/ping/options.ts'
import { PingTally, rttText } from '../../src/ping/tally.ts'
import { icmpErrorText } from '../../src/ping/icmp-text.ts'
import { run } from '../run.ts'

const parse = (line: string): ReturnType<typeof parsePing> => parsePing(['ping', ...line.split(' ')])

function refusal(line: string): { message: string; exitCode: number } {
  try {
    parse(line)
  } catch (error) {
    if (error instanceof PingError) return { message: error.message, exitCode: error.exitCode }
    throw error
  }
  throw new Error('taken')
}

describe('the command line of ping', () => {
  it('takes letters together, and a value with or without a blank', () => {
    expect(parse('-qfc3 -s 100 -I vnet0 10.0.0.1')).toMatchObject({
      quiet: true,
      flood: true,
      count: 3,
      size: 100,
      device: 'vnet0',
      source: '',
    })
  })

  it('takes options behind the destination', () => {
    expect(parse('10.0.0.1 -c 2')).toMatchObject({ target: '10.0.0.1', count: 2 })
  })

  it('has no interval in a flood, unless one is given', () => {
    expect(parse('-f 10.0.0.1').intervalNs).toBe(0)
    expect(parse('-f -i 0.5 10.0.0.1').intervalNs).toBe(5e8)
    expect(parse('-i 0.5 -f 10.0.0.1').intervalNs).toBe(5e8)
  })

  it('tells the address of -I from the device, and takes both', () => {
    expect(parse('-I 10.0.0.5 10.0.0.1')).toMatchObject({ device: '', source: '10.0.0.5' })
    expect(parse('-I fe80::1%vnet0 fe80::2')).toMatchObject({ device: 'vnet0', source: 'fe80::1' })
    expect(parse('-I vnet1 -I 10.0.0.5 10.0.0.1')).toMatchObject({ device: 'vnet1', source: '10.0.0.5' })
  })

  it.each([
    ['-i -1 1.1.1.1', 'ping: bad timing interval: -1', 2],
    ['-W x 1.1.1.1', 'ping: bad linger time: x', 2],
    ['-s -1 1.1.1.1', "ping: invalid argument: '-1': out of range: 0 <= value <= 127992", 1],
    ['-l 0 1.1.1.1', "ping: invalid argument: '0': out of range: 1 <= value <= 65536", 1],
    ['-Q x 1.1.1.1', 'ping: bad TOS value: x', 2],
    ['-M toString 1.1.1.1', 'ping: invalid -M argument: toString', 2],
    ['nobody.example', 'ping: nobody.example: Name or service not known', 2],
    ['-V', 'ping from vnet, after iputils 20221126', 0],
  ])('%s: %s', (line, message, exitCode) => {
    expect(refusal(line)).toEqual({ message, exitCode })
  })

  it.each([['-Z'], ['-c']])('%s: tells how it is used', (line) => {
    expect(refusal(line)).toMatchObject({ exitCode: 2 })
    expect(refusal(line).message).toContain('\nUsage\n  ping [options] <destination>\n')
  })
})

describe('an address as inet_aton reads it', () => {
  it.each([
    ['10.0.0.1', [10, 0, 0, 1]],
    ['127.1', [127, 0, 0, 1]],
    ['10.1.258', [10, 1, 1, 2]],
    ['3232235777', [192, 168, 1, 1]],
    ['4294967295', [255, 255, 255, 255]],
  ])('%s', (text, bytes) => {
    expect([...ipv4Of(text)!]).toEqual(bytes)
  })

  it.each(['256.1', '1.2.3.256', '1.2.65536', '4294967296', '1.2.3.4.5', '1..2', '', 'a'])(
    '%s is none',
    (text) => {
      expect(ipv4Of(text)).toBeNull()
    },
  )
})

describe('the statistics', () => {
  it('count answers again, errors and what is lost', () => {
    const tally = new PingTally(1e9)
    for (tally.sent = 1; tally.sent < 3; tally.sent++) tally.answer(tally.sent, 100)
    expect(tally.answer(2, 400)).toBe(true)
    tally.errors++
    tally.lastNs = 3e9
    expect(tally.text('x', false)).toBe(
      '\n--- x ping statistics ---\n3 packets transmitted, 2 received, +1 duplicates, +1 errors, 33.3333% packet loss, time 2000ms\nrtt min/avg/max/mdev = 0.100/0.200/0.400/0.141 ms, pipe 2\n',
    )
  })

  it('say nothing of loss before anything was sent', () => {
    expect(new PingTally(0).text('x', false)).toBe(
      '\n--- x ping statistics ---\n0 packets transmitted, 0 received\n\n',
    )
  })

  it('tell numbers apart after all of them were used', () => {
    const tally = new PingTally(0)
    tally.sent = 1
    tally.answer(1, 5)
    tally.forget(1)
    expect(tally.answer(1, 5)).toBe(false)
    tally.sent = 65_538
    expect(tally.inFlight).toBe(1)
  })

  it.each([
    [7, '0.007'],
    [999, '0.999'],
    [1000, '1.00'],
    [9994, '9.99'],
    [9995, '10.0'],
    [99_949, '99.9'],
    [99_950, '100'],
    [1_234_567, '1235'],
  ])('%i µs are %s ms', (micros, text) => {
    expect(rttText(micros)).toBe(text)
  })
})

describe('the text of an ICMP error', () => {
  it.each([
    [2, 3, 4, 1400, 'Frag needed and DF set (mtu = 1400)'],
    [2, 3, 13, 0, 'Packet filtered'],
    [2, 3, 99, 0, 'Dest Unreachable, Bad Code: 99'],
    [2, 11, 0, 0, 'Time to live exceeded'],
    [2, 12, 0, 20, 'Parameter problem: pointer = 20'],
    [10, 1, 0, 0, 'Destination unreachable: No route'],
    [10, 2, 0, 1280, 'Packet too big: mtu=1280'],
    [10, 3, 0, 0, 'Time exceeded: Hop limit'],
  ])('family %i, type %i, code %i, %i', (family, type, code, info, text) => {
    expect(icmpErrorText(family, type, code, info)).toBe(text)
  })
})

describe('ping on a kernel without protocols', () => {
  it('says so', () => {
    expect(run(createKernel(), ['ping', '-c', '1', '10.0.0.1'])).toMatchObject({ stdout: '', exitCode: 2 })
  })
})
