import { ethtoolNotify, setEthtoolOps } from '@vnet/ethtool'
import type { EthtoolOps } from '@vnet/ethtool'
import { NETIF_F } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { EthMsg, EthReply, genlFind, NetlinkOption, NlmF, SOL_NETLINK } from '../../src/index.ts'
import type { MessageNode, NlWriter } from '../../src/index.ts'
import { card } from '../card.ts'
import { addDev, Client, errnoOf, find, makeRig, num, refusal, text } from '../rig.ts'
import type { Rig } from '../rig.ts'

interface Ethtool extends Rig {
  readonly id: number
  readonly client: Client
  ask(
    cmd: number,
    attrs?: (w: NlWriter) => void,
    header?: (w: NlWriter) => void,
    flags?: number,
  ): MessageNode[]
  refused(cmd: number, attrs?: (w: NlWriter) => void): ReturnType<typeof refusal>
}

function byName(w: NlWriter, name = 'vnet0', attr = 1, flags?: number): void {
  const at = w.nestStart(attr)
  w.putString(2, name)
  if (flags !== undefined) w.putU32(3, flags)
  w.nestEnd(at)
}

function ethtool(ops: EthtoolOps<any> | null = card()): Ethtool {
  const rig = makeRig(ops, (dev) => {
    dev.hwFeatures = NETIF_F.SG | NETIF_F.HW_CSUM
  })
  const { id } = genlFind(rig.server, 'ethtool')!
  const client = new Client(rig.server, 16)
  const body =
    (cmd: number, attrs?: (w: NlWriter) => void, header = (w: NlWriter) => byName(w)) =>
    (w: NlWriter): void => {
      w.u8(cmd)
      w.u8(1)
      w.u16(0)
      header(w)
      attrs?.(w)
    }
  return {
    ...rig,
    id,
    client,
    ask: (cmd, attrs, header, flags = 0) => client.ask(id, flags, body(cmd, attrs, header)),
    refused: (cmd, attrs) => refusal(client, id, NlmF.ACK, body(cmd, attrs)),
  }
}

/** [type, value] of the plain numbers of an answer. */
function numbers(message: MessageNode | undefined): [number, number | undefined][] {
  return message!.attrs.filter((node) => node.inside === undefined).map((node) => [node.rawType, num(node)])
}

describe('reading', () => {
  it.each([
    [
      'rings',
      EthMsg.RINGS_GET,
      EthReply.RINGS,
      [
        [2, 4096],
        [6, 64],
        [5, 4096],
        [9, 64],
        [13, 0],
      ],
    ],
    [
      'channels',
      EthMsg.CHANNELS_GET,
      EthReply.CHANNELS,
      [
        [5, 4],
        [9, 1],
      ],
    ],
    ['coalesce', EthMsg.COALESCE_GET, EthReply.COALESCE, [[2, 10]]],
    [
      'pause',
      EthMsg.PAUSE_GET,
      EthReply.PAUSE,
      [
        [2, 0],
        [3, 1],
        [4, 1],
      ],
    ],
    ['linkstate', EthMsg.LINKSTATE_GET, EthReply.LINKSTATE, [[2, 0]]],
    [
      'linkinfo',
      EthMsg.LINKINFO_GET,
      EthReply.LINKINFO,
      [
        [2, 0],
        [3, 0],
        [4, 0],
        [5, 0],
        [6, 0],
      ],
    ],
  ] as const)('ETH-01 %s: only what the driver has', (_name, cmd, reply, values) => {
    const [answer] = ethtool().ask(cmd)
    expect(answer!.header[0]).toBe(reply)
    expect(numbers(answer)).toEqual(values)
    expect(text(find(answer!.attrs, 1, 2))).toBe('vnet0')
  })

  it('ETH-01 refuses what the driver has not, and an unknown device, each in its way', () => {
    const none = ethtool({})
    expect(none.refused(EthMsg.RINGS_GET)).toEqual({ errno: -95 })
    expect(none.refused(EthMsg.LINKMODES_GET)?.message).toBe('failed to retrieve link settings')
    expect(none.refused(EthMsg.TUNNEL_INFO_GET)?.message).toBe('device does not report tunnel offload info')
    for (const cmd of [EthMsg.EEE_GET, EthMsg.FEC_GET, EthMsg.MODULE_EEPROM_GET, EthMsg.CABLE_TEST_ACT]) {
      expect(none.refused(cmd)?.errno).toBe(-95)
    }
    expect(none.refused(99)?.errno).toBe(-95)
    // A card that tells nothing of a module has nothing to refuse.
    expect(none.refused(EthMsg.MODULE_GET)?.errno).toBe(0)
    const said = refusal(none.client, none.id, NlmF.ACK, (w) => {
      w.u32(EthMsg.RINGS_GET | 0x100)
      byName(w, 'nosuch')
    })
    expect(said).toEqual({ errno: -19, message: 'no device matches name', offset: 24 })
    expect(refusal(none.client, none.id, 0, (w) => w.u32(EthMsg.RINGS_GET))?.message).toBe(
      'request header missing',
    )
    expect(refusal(none.client, 999, 0, (w) => w.u32(1))?.errno).toBe(-2)
    expect(refusal(none.client, none.id, 0, (w) => w.u32(0x10000 | EthMsg.RINGS_GET))?.message).toBe(
      'genlmsghdr.reserved field is not 0',
    )
  })

  it('link modes: names in a list, or words when asked for short', () => {
    const { ask } = ethtool()
    const [long] = ask(EthMsg.LINKMODES_GET)
    const bits = find(long!.attrs, 3, 3)!.inside!
    expect(bits.map((bit) => text(find(bit.inside, 2)))).toEqual([
      '10baseT/Half',
      '10baseT/Full',
      '100baseT/Half',
      '100baseT/Full',
      '1000baseT/Full',
      'Autoneg',
    ])
    const [short] = ask(EthMsg.LINKMODES_GET, undefined, (w) => byName(w, 'vnet0', 1, 1))
    expect(num(find(short!.attrs, 3, 4))).toBe(0x2f)
    expect(num(find(short!.attrs, 3, 5))).toBe(0x6f)
  })

  it('standard statistics: header 2, groups by name', () => {
    const { ask, refused } = ethtool()
    const groups =
      (...names: string[]) =>
      (w: NlWriter): void => {
        const at = w.nestStart(3)
        w.putFlag(1)
        const bits = w.nestStart(3)
        for (const name of names) {
          const bit = w.nestStart(1)
          w.putString(2, name)
          w.nestEnd(bit)
        }
        w.nestEnd(bits)
        w.nestEnd(at)
      }
    const [answer] = ask(EthMsg.STATS_GET, groups('eth-mac', 'rmon'), (w) => byName(w, 'vnet0', 2))
    const [mac, rmon] = answer!.attrs.filter((node) => (node.rawType & 0x3fff) === 4)
    expect([num(find(mac!.inside, 2)), num(find(mac!.inside, 4, 3))]).toEqual([1, 9])
    expect(num(find(rmon!.inside, 5, 8))).toBe(64)
    expect(refused(EthMsg.STATS_GET)?.errno).toBe(-22)
  })

  it('pause counters when the header asks for them', () => {
    const [answer] = ethtool().ask(EthMsg.PAUSE_GET, undefined, (w) => byName(w, 'vnet0', 1, 4))
    expect(find(answer!.attrs, 5)!.inside!.map((node) => [node.rawType, num(node)])).toEqual([[3, 5]])
  })

  it('how packets are spread: table and key', () => {
    const [answer] = ethtool().ask(EthMsg.RSS_GET)
    expect(find(answer!.attrs, 4)!.payload).toHaveLength(16)
    expect([...find(answer!.attrs, 5)!.payload]).toEqual([1, 2])
  })

  it('dumps the devices that can answer', () => {
    const rig = ethtool()
    addDev(rig.kernel, 'plain0')
    const answers = rig.ask(EthMsg.RINGS_GET, undefined, () => {}, NlmF.DUMP)
    expect(answers.map((one) => text(find(one.attrs, 1, 2)))).toEqual(['vnet0', undefined])
  })
})

describe('changing', () => {
  const u32 = (type: number, value: number) => (w: NlWriter) => w.putU32(type, value)

  it('ETH-02 changes what is mentioned, and tells the group "monitor" once', () => {
    const rig = ethtool()
    const watcher = new Client(rig.server, 16)
    watcher.socket.setsockopt(
      SOL_NETLINK,
      NetlinkOption.ADD_MEMBERSHIP,
      genlFind(rig.server, 'ethtool')!.groups.get('monitor')!,
    )
    expect(errnoOf(rig.ask(EthMsg.RINGS_SET, u32(6, 128), undefined, NlmF.ACK)[0])).toBe(0)
    const [notice, ...more] = watcher.read()
    expect([notice!.header[0], notice!.seq, more.length]).toEqual([EthReply.RINGS_NTF, 0, 0])
    expect(numbers(notice)).toContainEqual([6, 128])
    // Nothing changed: nothing told.
    rig.ask(EthMsg.RINGS_SET, u32(6, 128))
    expect(watcher.read()).toEqual([])
    ethtoolNotify(rig.dev, 'pause-ntf')
    expect(watcher.read()[0]!.header[0]).toBe(EthReply.PAUSE_NTF)
  })

  it('ETH-04 ETH-05 says which attribute is wrong', () => {
    const { refused } = ethtool()
    expect(refused(EthMsg.RINGS_SET, u32(9, 5000))).toEqual({
      errno: -22,
      message: 'requested ring size exceeds maximum',
      offset: 36,
    })
    expect(refused(EthMsg.CHANNELS_SET, u32(6, 100))).toEqual({
      errno: -22,
      message: 'requested channel count exceeds maximum',
      offset: 36,
    })
    expect(refused(EthMsg.COALESCE_SET, u32(6, 1))?.message).toBe('cannot modify an unsupported parameter')
    expect(refused(EthMsg.RINGS_SET, (w) => w.putU8(13, 1))?.message).toBe('setting tx push not supported')
    expect(refused(EthMsg.RINGS_SET, u32(40, 1))).toEqual({
      errno: -22,
      message: 'Unknown attribute type',
      offset: 36,
    })
    expect(refused(EthMsg.RINGS_SET, (w) => w.putU8(13, 2))?.errno).toBe(-34)
  })

  it('message classes by bits, wake-on by name, private switches by name', () => {
    const rig = ethtool()
    rig.ask(EthMsg.DEBUG_SET, (w) => {
      const at = w.nestStart(2)
      w.putFlag(1)
      w.putU32(2, 3)
      w.putBinary(4, Uint8Array.from([5, 0, 0, 0]))
      w.nestEnd(at)
    })
    expect(
      num(find(rig.ask(EthMsg.DEBUG_GET, undefined, (w) => byName(w, 'vnet0', 1, 1))[0]!.attrs, 2, 4)),
    ).toBe(5)
    const named =
      (name: string) =>
      (w: NlWriter): void => {
        const at = w.nestStart(2)
        const bits = w.nestStart(3)
        const bit = w.nestStart(1)
        w.putString(2, name)
        w.putFlag(3)
        w.nestEnd(bit)
        w.nestEnd(bits)
        w.nestEnd(at)
      }
    expect(rig.refused(EthMsg.WOL_SET, named('magic'))?.errno).toBe(0)
    expect(rig.refused(EthMsg.WOL_SET, named('arp'))?.message).toBe('cannot enable unsupported WoL mode')
    expect(rig.refused(EthMsg.PRIVFLAGS_SET, named('fast'))?.errno).toBe(0)
    expect(rig.refused(EthMsg.PRIVFLAGS_SET, named('nosuch'))).toEqual({
      errno: -95,
      message: 'bit name not found',
      offset: 48,
    })
  })

  it('features: tells what became of the wish', () => {
    const rig = ethtool()
    const [answer] = rig.ask(
      EthMsg.FEATURES_SET,
      (w) => {
        const at = w.nestStart(3)
        const bits = w.nestStart(3)
        for (const name of ['tx-scatter-gather', 'rx-lro']) {
          const bit = w.nestStart(1)
          w.putString(2, name)
          w.putFlag(3)
          w.nestEnd(bit)
        }
        w.nestEnd(bits)
        w.nestEnd(at)
      },
      (w) => byName(w, 'vnet0', 1, 1),
    )
    expect(answer!.header[0]).toBe(EthReply.FEATURES_SET)
    // Not as wished: rx-lro, bit 15. Changed: scatter-gather, bit 0, and what needs it.
    expect(num(find(answer!.attrs, 3, 5))).toBe(1 << 15)
    expect(num(find(answer!.attrs, 4, 5))! & 1).toBe(1)
    expect(rig.dev.features & NETIF_F.SG).toBe(NETIF_F.SG)
  })

  it('is for who may change the network', () => {
    const rig = ethtool()
    const guest = new Client(rig.server, 16, { capNetAdmin: false })
    for (const cmd of [EthMsg.RINGS_SET, EthMsg.WOL_GET]) {
      expect(refusal(guest, rig.id, 0, (w) => w.u32(cmd | 0x100))?.errno).toBe(-1)
    }
  })
})

describe('nlctrl and netdev', () => {
  it('finds a family, and describes what a command takes', () => {
    const rig = ethtool()
    const ctrl = (cmd: number, flags: number, fill: (w: NlWriter) => void) =>
      rig.client.ask(16, flags, (w) => {
        w.u32(cmd | 0x200)
        fill(w)
      })
    const [family] = ctrl(3, 0, (w) => w.putString(2, 'ethtool'))
    expect(num(find(family!.attrs, 1))).toBe(rig.id)
    expect(errnoOf(ctrl(3, 0, (w) => w.putString(2, 'nl80211'))[0])).toBe(-2)
    expect(ctrl(3, NlmF.DUMP, () => {}).map((one) => text(find(one.attrs, 2)))).toEqual([
      'nlctrl',
      'ethtool',
      'netdev',
      undefined,
    ])
    const policy = ctrl(10, NlmF.DUMP, (w) => {
      w.putU16(1, rig.id)
      w.putU32(10, EthMsg.PAUSE_GET)
    })
    // `ethtool -I` looks for the mask of the header's flags, with the bit STATS.
    const flags = policy.map((one) => find(one.attrs, 8, 1, 3, 12)).find((node) => node !== undefined)
    expect(num(flags)).toBe(7)
  })

  it('tells of devices, queues and NAPI instances', () => {
    const rig = ethtool()
    rig.dev.napis.add({ napiId: 8193, enabled: true, del() {} })
    const { id } = genlFind(rig.server, 'netdev')!
    const ask = (cmd: number, flags: number, fill: (w: NlWriter) => void) =>
      rig.client.ask(id, flags, (w) => {
        w.u32(cmd | 0x100)
        fill(w)
      })
    expect(num(find(ask(1, 0, (w) => w.putU32(1, rig.dev.ifindex))[0]!.attrs, 1))).toBe(rig.dev.ifindex)
    expect(num(find(ask(11, NlmF.DUMP, () => {})[0]!.attrs, 2))).toBe(8193)
    expect(ask(10, NlmF.DUMP, () => {}).map((one) => one.type)).toEqual([3])
    expect(ask(12, NlmF.DUMP, () => {}).map((one) => one.type)).toEqual([3])
    expect(errnoOf(ask(1, 0, () => {})[0])).toBe(-22)
    expect(
      errnoOf(
        ask(10, 0, (w) => {
          w.putU32(1, 0)
          w.putU32(2, rig.dev.ifindex)
          w.putU32(3, 0)
        })[0],
      ),
    ).toBe(-2)
  })

  it('ETH-08 the rig’s table is one the core accepts', () => {
    const { dev } = makeRig(null)
    expect(() => setEthtoolOps(dev, card())).not.toThrow()
  })
})
