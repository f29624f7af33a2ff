import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { anyFrame, ascii, fixture, fixtureText, hex, office, type Recorded, records } from '../corpus.ts'

/** One entry a frame: a line, and the dump that belongs to it. */
function entries(text: string): string[] {
  const all: string[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('\t')) all.push(all.pop()! + '\n' + line)
    else if (line !== '') all.push(line)
  }
  return all
}

const print = (one: Recorded, options: w.FormatOptions): string =>
  w.formatFrame(one.bytes, 0, one.bytes.length, { wireLength: one.wireLength, dump: true, ...options })

const withTime = (one: Recorded, options: w.FormatOptions): string =>
  `${w.formatTime(one.tsSec, one.tsNsec)} ${print(one, options)}`

describe('formatFrame prints what tcpdump 4.99.3 printed', () => {
  it.each(['13-vnet-pcap', '13-vnet-pcap-noipv6'])('for the frames of the oracle, %s', (name) => {
    const flows = new w.TcpFlows()
    const lines = records(fixture(`${name}.pcap`)).map((one) => withTime(one, { flows }))
    expect(lines).toEqual(entries(fixtureText(`${name}.tcpdump.txt`)))
  })

  it('for office.pcap, except that DNS is not read', () => {
    const flows = new w.TcpFlows()
    const lines = records(office()).map((one) => withTime(one, { flows }))
    let dns = 0
    for (const entry of entries(fixtureText('office.tcpdump.txt'))) {
      const [, number, expected] = /^([0-9]+) ([^]*)$/.exec(entry)!
      const line = lines[Number(number) - 1]
      if (/\.53[ :]/.test(expected!)) {
        dns++
        expect(line).toMatch(/: UDP, length [0-9]+$/)
        expect(line!.split(': ')[1]).toBe(expected!.split(': ')[1])
      } else expect(line).toBe(expected)
    }
    expect(dns).toBe(4)
  })

  it('for TCP with absolute numbers, without flows', () => {
    const all = records(office())
    const lines = entries(fixtureText('office.absolute.tcpdump.txt'))
    expect(lines.length).toBe(40)
    for (const entry of lines) {
      const [, number, expected] = /^([0-9]+) (.*)$/.exec(entry)!
      expect(withTime(all[Number(number) - 1]!, {})).toBe(expected)
    }
  })

  it.each([
    ['crafted.tcpdump.txt', true],
    ['crafted.nolink.tcpdump.txt', false],
  ])('for 822 frames of every kind, changed and cut, %s', (name, link) => {
    const flows = new w.TcpFlows()
    const frames = records(fixture('crafted.pcap'))
    const expected = entries(fixtureText(name))
    expect(frames.length).toBe(822)
    expect(expected.length).toBe(822)
    frames.forEach((one, i) => expect(print(one, { link, flows }), `frame ${i + 1}`).toBe(expected[i]))
  })
})

describe('formatFrame', () => {
  it('prints the frames of the oracle from their bytes', () => {
    const sender = { senderMac: '02:00:00:00:00:01', senderIp: '10.0.0.1' }
    expect(w.formatFrame(w.arpRequest({ ...sender, targetIp: '10.0.0.2' }))).toBe(
      '02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.2 tell 10.0.0.1, length 28',
    )
    expect(
      w.formatFrame(
        w.arpReply({ ...sender, senderIp: '10.0.0.2', targetMac: '02:00:00:00:00:01', targetIp: '10.0.0.1' }),
      ),
    ).toBe(
      '02:00:00:00:00:01 > 02:00:00:00:00:01, ethertype ARP (0x0806), length 42: Reply 10.0.0.2 is-at 02:00:00:00:00:01, length 28',
    )
  })

  it('ends an unknown frame tidily, or with a dump', () => {
    const line = '02:00:00:00:00:ff > ff:ff:ff:ff:ff:ff, ethertype Unknown (0x88b5), length 60'
    expect(w.formatFrame(w.helloFrame())).toBe(line)
    expect(w.formatFrame(w.helloFrame(), 0, 60, { dump: true })).toBe(
      line +
        ': \n\t0x0000:  4865 6c6c 6f20 6672 6f6d 2076 6e65 7420  Hello.from.vnet.' +
        '\n\t0x0010:  5258 0000 0000 0000 0000 0000 0000 0000  RX..............' +
        '\n\t0x0020:  0000 0000 0000 0000 0000 0000 0000       ..............',
    )
  })

  it('is always exactly one line without a dump', () => {
    fc.assert(
      fc.property(anyFrame, fc.boolean(), (frame, link) => {
        const line = w.formatFrame(frame, 0, frame.length, { link })
        expect(line).not.toMatch(/[\n\r]/)
        expect(line).not.toBe('')
      }),
      { numRuns: 3000 },
    )
  })

  it('begins alike with and without a dump', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const line = w.formatFrame(frame)
        expect(w.formatFrame(frame, 0, frame.length, { dump: true }).startsWith(line)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('ends packets inside packets inside packets', () => {
    const nested = new Uint8Array(20000)
    nested.set(hex('020000000001 020000000002 0800'))
    for (let at = 14; at + 20 <= nested.length; at += 20) {
      const header = new Uint8Array(20)
      w.buildIpv4(header, 0, { src: 1, dst: 2, protocol: 4, payloadLength: nested.length - at - 20 })
      nested.set(header, at)
    }
    expect(w.formatFrame(nested)).toMatch(/ip-proto-4 [0-9]+$/)
  })
})

describe('TcpFlows', () => {
  const segment = (more: {
    seq: number
    ack: number
    flags: number
    back?: boolean
    length?: number
  }): Uint8Array => {
    const here = {
      srcMac: w.MAC_ZERO,
      dstMac: w.MAC_ZERO,
      src: '10.0.0.1',
      dst: '10.0.0.2',
      srcPort: 40000,
      dstPort: 9,
    }
    const there = { ...here, src: here.dst, dst: here.src, srcPort: here.dstPort, dstPort: here.srcPort }
    return w.tcpFrame({
      ...(more.back === true ? there : here),
      ...more,
      payload: new Uint8Array(more.length ?? 0),
    })
  }

  it('count from the start of a conversation, both ways, over the end of 32 bits', () => {
    const flows = new w.TcpFlows()
    const tail = (frame: Uint8Array): string =>
      w.formatFrame(frame, 0, frame.length, { flows }).split('Flags ')[1]!
    expect(tail(segment({ seq: 0xfffffff0, ack: 0, flags: 2 }))).toBe(
      '[S], seq 4294967280, win 65535, length 0',
    )
    expect(tail(segment({ back: true, seq: 500, ack: 0xfffffff1, flags: 0x12 }))).toBe(
      '[S.], seq 500, ack 4294967281, win 65535, length 0',
    )
    expect(tail(segment({ seq: 0xfffffff1, ack: 501, flags: 0x18, length: 100 }))).toBe(
      '[P.], seq 1:101, ack 1, win 65535, length 100',
    )
    expect(tail(segment({ back: true, seq: 501, ack: 0x55, flags: 0x10 }))).toBe(
      '[.], ack 101, win 65535, length 0',
    )
  })

  it('forget the oldest conversation when there are too many', () => {
    const flows = new w.TcpFlows(2)
    const ask = (port: number, seq: number): number => flows.relate('a', port, 'b', 60000, seq, 1, false).seq
    expect([ask(1, 1000), ask(2, 1000), ask(1, 1005)]).toEqual([1000, 1000, 5])
    expect([ask(3, 1000), ask(1, 1006), ask(3, 1001)]).toEqual([1000, 1006, 1])
  })
})

describe('formatTime', () => {
  it('prints seconds since 1970 or the time of day', () => {
    expect(w.formatTime(1795338157, 993854000)).toBe('1795338157.993854')
    expect(w.formatTime(1795338157, 993854321, 'epoch', 9)).toBe('1795338157.993854321')
    expect(w.formatTime(1795338157, 7999, 'day')).toBe('09:02:37.000007')
  })
})

describe('hexDump', () => {
  it('shows the last line with or without characters', () => {
    expect(w.hexDump(ascii('Hello from vnet RX'), 0, 18)).toBe(
      '\n\t0x0000:  4865 6c6c 6f20 6672 6f6d 2076 6e65 7420  Hello.from.vnet.' +
        '\n\t0x0010:  5258                                     RX',
    )
    expect(w.hexDump(hex('ab cd ef'), 0, 3, false)).toBe('\n\t0x0000:  abcd ef')
    expect(w.hexDump(hex('ab'), 1, 3)).toBe('')
  })
})
