import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'

describe('Ethernet addresses', () => {
  it('come back from their text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (mac) => {
        expect(w.parseMac(w.formatMac(mac))).toEqual(mac)
      }),
    )
  })

  it.each(['02:00:00:00:00:01', '02-00-00-00-00-01', '2:0:0:0:0:1'])('are read from %s', (text) => {
    expect(w.parseMac(text)).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 1))
  })

  it.each([
    '',
    '02:00:00:00:00',
    '02:00:00:00:00:01:02',
    '02:00:00:00:00:0g',
    '02:00:00:00:00:001',
    ' 2:0:0:0:0:1',
  ])('are not read from "%s"', (text) => expect(w.parseMac(text)).toBeNull())

  it('are known as group, broadcast, local, zero', () => {
    const of = (text: string): boolean[] => {
      const mac = w.parseMac(text)!
      return [
        w.isMulticastEtherAddr(mac),
        w.isBroadcastEtherAddr(mac),
        w.isLocalEtherAddr(mac),
        w.isZeroEtherAddr(mac),
        w.isValidEtherAddr(mac),
      ]
    }
    expect(of('ff:ff:ff:ff:ff:ff')).toEqual([true, true, true, false, false])
    expect(of('ff:ff:ff:ff:ff:fe')).toEqual([true, false, true, false, false])
    expect(of('01:00:5e:00:00:01')).toEqual([true, false, false, false, false])
    expect(of('02:00:00:00:00:01')).toEqual([false, false, true, false, true])
    expect(of('00:00:00:00:00:00')).toEqual([false, false, false, true, false])
    expect(of('00:00:00:00:00:01')).toEqual([false, false, false, false, true])
  })

  it('are compared where they lie', () => {
    const buffer = Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 7)
    expect(w.etherAddrEqual(buffer, 1, buffer, 7)).toBe(true)
    for (let i = 7; i < 13; i++) {
      const other = buffer.slice()
      other[i]! ^= 1
      expect(w.etherAddrEqual(buffer, 1, other, 7)).toBe(false)
    }
  })

  it('that are wrong are refused by builders, with the reason', () => {
    const out = new Uint8Array(14)
    const build = (src: w.MacAddress) => () => w.buildEth(out, 0, { dst: w.MAC_BROADCAST, src, proto: 0x800 })
    expect(build('02:00')).toThrow('02:00 is not an Ethernet address: write it like 02:00:00:00:00:01')
    expect(build(new Uint8Array(5))).toThrow(RangeError)
  })
})

describe('IPv4 addresses', () => {
  it('come back from their text', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (address) => {
        expect(w.parseIpv4Address(w.formatIpv4Address(address))).toBe(address)
      }),
    )
  })

  it.each(['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.x', '1..2.3', '-1.2.3.4', '1.2.3.4 '])(
    'are not read from "%s"',
    (text) => expect(w.parseIpv4Address(text)).toBeNull(),
  )

  it('have a number in each form', () => {
    expect(w.ipv4Number('10.0.0.1')).toBe(0x0a000001)
    expect(w.ipv4Number(Uint8Array.of(255, 255, 255, 255))).toBe(0xffffffff)
    expect(w.ipv4Number(0xc0a80001)).toBe(0xc0a80001)
    for (const wrong of ['ten', -1, 0x100000000, 1.5, Uint8Array.of(1, 2, 3)]) {
      expect(() => w.ipv4Number(wrong)).toThrow(RangeError)
    }
  })

  it('are known by kind', () => {
    const number = (text: string): number => w.parseIpv4Address(text)!
    expect(w.ipv4IsMulticast(number('224.0.0.1'))).toBe(true)
    expect(w.ipv4IsMulticast(number('240.0.0.1'))).toBe(false)
    expect(w.ipv4IsLbcast(number('255.255.255.255'))).toBe(true)
    expect(w.ipv4IsLoopback(number('127.9.9.9'))).toBe(true)
    expect(w.ipv4IsZeronet(number('0.0.0.5'))).toBe(true)
    expect(w.ipv4IsZeronet(number('1.0.0.5'))).toBe(false)
    expect(w.formatMac(w.ipEthMcMap(number('239.255.1.2')))).toBe('01:00:5e:7f:01:02')
  })

  it('have netmasks', () => {
    expect([0, 1, 24, 32].map((length) => w.formatIpv4Address(w.inetMakeMask(length)))).toEqual([
      '0.0.0.0',
      '128.0.0.0',
      '255.255.255.0',
      '255.255.255.255',
    ])
    expect(() => w.inetMakeMask(33)).toThrow(
      'an IPv4 prefix length must be a whole number from 0 to 32, not 33',
    )
  })
})

describe('IPv6 addresses', () => {
  it.each([
    // RFC 5952, sections 4.1, 4.2.1, 4.2.2, 4.2.3, 4.3 and 5.
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::AAAA', '2001:db8::aaaa'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::1.2.3.4', '::102:304'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1::', '1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ])('are printed in the canonical form: %s is %s', (text, canonical) => {
    expect(w.formatIpv6Address(w.parseIpv6Address(text)!)).toBe(canonical)
  })

  it('come back from their text, zeros or not', () => {
    const group = fc.oneof(fc.constant(0), fc.nat(0xffff), fc.constant(0xffff))
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const bytes = Uint8Array.from(groups.flatMap((one) => [one >>> 8, one & 255]))
        const text = w.formatIpv6Address(bytes)
        expect(w.parseIpv6Address(text)).toEqual(bytes)
        // The browser's own URL parser agrees about the short form, except that it has no dotted one.
        if (!text.includes('.')) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    '',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:2:3:4:5:6:7:8::',
    'fe80::1%eth0',
    ':1:2:3:4:5:6:7',
    ' ::1',
  ])('are not read from "%s"', (text) => expect(w.parseIpv6Address(text)).toBeNull())

  it('have their groups and kinds', () => {
    const address = w.parseIpv6Address('fe80::ff:fe00:1')!
    const group = w.addrconfAddrSolictMult(address)
    expect(w.formatIpv6Address(group)).toBe('ff02::1:ff00:1')
    expect(w.formatMac(w.ipv6EthMcMap(group))).toBe('33:33:ff:00:00:01')
    expect(w.formatIpv6Address(w.linkLocalFromMac(w.parseMac('02:00:00:00:00:01')!))).toBe('fe80::ff:fe00:1')
    expect(w.ipv6AddrIsMulticast(group)).toBe(true)
    expect(w.ipv6AddrIsMulticast(address)).toBe(false)
    expect(w.ipv6AddrIsLinkLocal(address)).toBe(true)
    expect(w.ipv6AddrIsLinkLocal(w.parseIpv6Address('fec0::1')!)).toBe(false)
    expect(w.ipv6AddrAny(new Uint8Array(16))).toBe(true)
    expect(w.ipv6AddrAny(address)).toBe(false)
  })

  it('that are wrong are refused by builders, with the reason', () => {
    expect(() => w.ipv6Bytes('fe80')).toThrow('fe80 is not an IPv6 address: write it like fe80::1')
    expect(() => w.ipv6Bytes(new Uint8Array(4))).toThrow(RangeError)
  })
})

describe('readers and writers', () => {
  it('are big-endian and come back', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffffffff), (short, long) => {
        const out = new Uint8Array(8)
        w.putUnalignedBe16(short, out, 1)
        w.putUnalignedBe32(long, out, 3)
        expect([w.getUnalignedBe16(out, 1), w.getUnalignedBe32(out, 3)]).toEqual([short, long])
        expect(new DataView(out.buffer).getUint32(3)).toBe(long)
        expect([out[0], out[7]]).toEqual([0, 0])
      }),
    )
  })
})
