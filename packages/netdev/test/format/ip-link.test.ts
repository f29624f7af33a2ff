import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  devGetByName,
  formatIpLink,
  IfLinkMode,
  Iff,
  linkInfo,
  type LinkInfo,
  netifDormantOn,
  RtnlLinkStats64,
  runIpLink,
} from '../../src/index.ts'
import { makeDev } from '../helpers.ts'

function ip(kernel: Parameters<typeof runIpLink>[0], line: string) {
  return runIpLink(
    kernel,
    line.split(' ').filter((word) => word !== ''),
  )
}

function info(change: Partial<LinkInfo> = {}): LinkInfo {
  return { ...linkInfo(makeDev({}, { down: true, name: 'vnet0' }).dev), ...change }
}

describe('ip link', () => {
  it('shows numbers wider than their columns with all columns moved', () => {
    const stats = new RtnlLinkStats64()
    Object.assign(stats, {
      rxBytes: 123456789012n,
      rxPackets: 87654321n,
      txDropped: 1234567890n,
      rxLengthErrors: 99999999n,
    })
    expect(
      formatIpLink([info({ stats })], { stats: 2 })
        .split('\n')
        .slice(2),
    ).toEqual([
      '    RX:    bytes  packets errors    dropped  missed   mcast           ',
      '    123456789012 87654321      0          0       0       0 ',
      '    RX errors:     length    crc      frame    fifo overrun',
      '                 99999999      0          0       0       0 ',
      '    TX:    bytes  packets errors    dropped carrier collsns           ',
      '               0        0      0 1234567890       0       0 ',
      '    TX errors:    aborted   fifo     window heartbt transns',
      '                        0      0          0       0       0 ',
      '',
    ])
  })

  it('shows columns that are there only when something was counted', () => {
    const stats = new RtnlLinkStats64()
    Object.assign(stats, { rxCompressed: 1n, rxNohandler: 2n, txCompressed: 3n })
    const text = formatIpLink([info({ stats })], { stats: 2 })
    expect(text).toContain('   mcast compressed\n')
    expect(text).toContain(' collsns compressed\n')
    expect(text).toContain(' overrun  nohandler\n')
    const json = JSON.parse(formatIpLink([info({ stats })], { stats: 2, json: true })) as [
      { stats64: { rx: unknown; tx: unknown } },
    ]
    expect(json[0].stats64.rx).toMatchObject({ compressed: 1, nohandler: 2 })
    expect(json[0].stats64.tx).toMatchObject({ compressed: 3 })
  })

  it("prints every flag once, in iproute2's order, and what it does not know in hex", () => {
    const all = Object.values(Iff).reduce((sum, bit) => sum | bit, 0)
    expect(formatIpLink([info({ flags: all })])).toContain(
      '<LOOPBACK,BROADCAST,POINTOPOINT,MULTICAST,NOARP,ALLMULTI,PROMISC,MASTER,SLAVE,DEBUG,DYNAMIC,AUTOMEDIA,PORTSEL,NOTRAILERS,UP,LOWER_UP,DORMANT,ECHO>',
    )
    expect(formatIpLink([info({ flags: 0x40000000 })])).toContain('<40000000>')
    expect(formatIpLink([info({ flags: 0 })])).toContain('<>')
  })

  it('leaves out a queue length of 0 and names groups by number', () => {
    expect(formatIpLink([info({ txqlen: 0, group: 7 })])).toContain('group 7 \n')
    expect(JSON.parse(formatIpLink([info({ txqlen: 0 })], { json: true }))[0]).not.toHaveProperty('txqlen')
  })

  it('lists several links in one line each, and in JSON of both kinds', () => {
    const links = [
      info({ ifindex: 1 }),
      info({ ifindex: 2, ifname: 'b', link: 'a', linkDown: true, ifalias: 'x' }),
    ]
    expect(formatIpLink(links, { oneline: true, stats: 1 }).split('\n')).toHaveLength(3)
    const compact = formatIpLink(links, { json: true, brief: true })
    expect(compact).toBe(
      '[{"ifname":"vnet0","operstate":"DOWN","address":"02:00:00:00:00:01","flags":["BROADCAST","MULTICAST"]},' +
        '{"link":"a","ifname":"b","operstate":"DOWN","address":"02:00:00:00:00:01","flags":["BROADCAST","MULTICAST","M-DOWN"]}]\n',
    )
    const pretty = formatIpLink(links, { json: true, pretty: true, details: true, stats: 2 })
    expect(pretty).toContain('\n    },{\n        "ifindex": 2,')
    expect(JSON.parse(pretty)).toEqual(
      JSON.parse(formatIpLink(links, { json: true, details: true, stats: 2 })),
    )
    expect(formatIpLink([], { json: true })).toBe('[]\n')
    expect(formatIpLink([])).toBe('')
  })

  it('JSON is well formed whatever the alias', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.boolean(), (ifalias, pretty) => {
        const text = formatIpLink([info({ ifalias })], { json: true, pretty })
        expect(JSON.parse(text)[0].ifalias ?? '').toBe(ifalias)
      }),
      { numRuns: 30 },
    )
  })

  it('takes options short, long, repeated and abbreviated', () => {
    const { kernel } = makeDev()
    const same = (a: string, b: string) => expect(ip(kernel, a)).toEqual(ip(kernel, b))
    same('-s -s link', '-stats -statistics link show')
    same('-d l', '--details link list')
    same('-o link sh', '-oneline link lst')
    same('-j -p link', '-json -pretty link')
    same('-br link', '-brief link')
    same('-s -s -s link', '-s -s link')
    expect(ip(kernel, '-x link')).toEqual({
      stdout: '',
      stderr: 'Option "-x" is unknown, try "ip -help".\n',
      exitCode: 255,
    })
    expect(ip(kernel, 'address')).toMatchObject({
      stderr: 'Object "address" is unknown, try "ip help".\n',
      exitCode: 1,
    })
    expect(ip(kernel, 'link frob')).toMatchObject({
      stderr: 'Command "frob" is unknown, try "ip link help".\n',
      exitCode: 255,
    })
  })

  it('selects by name and by state', () => {
    const { kernel } = makeDev()
    makeDev({}, { kernel, down: true })
    expect(ip(kernel, '-br link show up').stdout).toMatch(/^test0 .*\n$/)
    expect(ip(kernel, '-br link show dev test1').stdout).toMatch(/^test1 .*\n$/)
    expect(ip(kernel, 'link show dev')).toMatchObject({
      stderr: 'Command line is not complete. Try option "help"\n',
      exitCode: 255,
    })
    expect(ip(kernel, 'link show test0 x')).toMatchObject({
      stderr: 'Error: either "dev" is duplicate, or "x" is a garbage.\n',
      exitCode: 255,
    })
    expect(ip(kernel, 'link show nope')).toEqual({
      stdout: '',
      stderr: 'Device "nope" does not exist.\n',
      exitCode: 1,
    })
  })

  it('sets what the records do not: group, mode words, several at once', () => {
    const { kernel, dev } = makeDev()
    expect(ip(kernel, 'link set dev test0 group 5 mtu 1000 txqlen 7 dynamic on').exitCode).toBe(0)
    expect([dev.group, dev.mtu, dev.txQueueLen, dev.flags & Iff.DYNAMIC]).toEqual([5, 1000, 7, Iff.DYNAMIC])
    expect(ip(kernel, 'link set test0 group default down').exitCode).toBe(0)
    expect([dev.group, dev.flags & Iff.UP]).toEqual([0, 0])
    for (const [line, exitCode] of [
      ['link set', 255],
      ['link set up', 255],
      ['link set nope up', 1],
      ['link set test0 group x', 255],
      ['link set test0 promisc maybe', 255],
      ['link set test0 mtu', 255],
      ['link del nope', 1],
      ['link del test0', 2],
    ] as const) {
      expect([line, ip(kernel, line).exitCode]).toEqual([line, exitCode])
    }
  })

  it('shows link modes and states by name', () => {
    const { kernel, dev } = makeDev()
    dev.linkmode = IfLinkMode.DORMANT
    netifDormantOn(dev)
    kernel.runFor(2e9)
    expect(ip(kernel, 'link').stdout).toContain(
      '<NO-CARRIER,BROADCAST,MULTICAST,UP,LOWER_UP,DORMANT> mtu 1500 qdisc pfifo_fast state DORMANT mode DORMANT',
    )
    expect(devGetByName(kernel, 'test0')).toBe(dev)
  })
})
