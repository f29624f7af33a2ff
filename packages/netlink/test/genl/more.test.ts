import { Errno } from '@vnet/kernel'
import { devOpen } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import type { NlWriter } from '../../src/index.ts'
import {
  Af,
  EthMsg,
  EthSs,
  genlFind,
  Ifla,
  NlmF,
  Rtm,
  rtnlAfRegister,
  rtnlRegister,
} from '../../src/index.ts'
import { card } from '../card.ts'
import { Client, errnoOf, find, ifinfo, makeRig, num, refusal, text } from '../rig.ts'

function rig() {
  const made = makeRig(card())
  const client = new Client(made.server, 16)
  return {
    ...made,
    client,
    id: genlFind(made.server, 'ethtool')!.id,
    netdev: genlFind(made.server, 'netdev')!.id,
  }
}

const body =
  (cmd: number, fill: (w: NlWriter) => void) =>
  (w: NlWriter): void => {
    w.u8(cmd)
    w.u8(1)
    w.u16(0)
    fill(w)
  }

const nest = (w: NlWriter, type: number, fill: () => void): void => {
  const at = w.nestStart(type)
  fill()
  w.nestEnd(at)
}

describe('the header of an ethtool request', () => {
  it.each([
    ['by number', (w: NlWriter) => w.putU32(1, 1), 0, undefined],
    ['no such number', (w: NlWriter) => w.putU32(1, 9), -19, 'no device matches ifindex'],
    ['nothing in it', () => {}, -22, 'neither ifindex nor name specified'],
    ['a flag nobody knows', (w: NlWriter) => w.putU32(3, 0x80), -22, 'reserved bit set'],
  ] as const)('%s', (_what, fill, errno, message) => {
    const { client, id } = rig()
    const said = refusal(
      client,
      id,
      NlmF.ACK,
      body(EthMsg.LINKSTATE_GET, (w) => nest(w, 1, () => fill(w))),
    )
    expect([said?.errno, said?.message]).toEqual([errno, message])
  })

  it('number and name must mean the same device', () => {
    const { client, id } = rig()
    const ask = (name: string) =>
      refusal(
        client,
        id,
        NlmF.ACK,
        body(EthMsg.LINKSTATE_GET, (w) =>
          nest(w, 1, () => {
            w.putU32(1, 1)
            w.putString(2, name)
          }),
        ),
      )
    expect(ask('vnet0')?.errno).toBe(0)
    expect(ask('other0')).toEqual({ errno: -19, message: 'ifindex and name do not match', offset: 20 })
  })
})

describe('sets of names', () => {
  const sets = (w: NlWriter, ...ids: number[]): void =>
    nest(w, 2, () => {
      for (const one of ids) nest(w, 1, () => w.putU32(1, one))
    })

  it('of the kernel, all of them, or only how many', () => {
    const { client, id } = rig()
    const [all] = client.ask(
      id,
      0,
      body(EthMsg.STRSET_GET, (w) => nest(w, 1, () => {})),
    )
    expect(find(all!.attrs, 2)!.inside).toHaveLength(16)
    const [counts] = client.ask(
      id,
      0,
      body(EthMsg.STRSET_GET, (w) => {
        nest(w, 1, () => {})
        sets(w, EthSs.LINK_MODES)
        w.putFlag(3)
      }),
    )
    expect(num(find(counts!.attrs, 2, 1, 2))).toBe(93)
    expect(find(counts!.attrs, 2, 1, 3)).toBeUndefined()
  })

  it('of a device, one or all devices', () => {
    const { client, id } = rig()
    const [own] = client.ask(
      id,
      0,
      body(EthMsg.STRSET_GET, (w) => {
        nest(w, 1, () => w.putString(2, 'vnet0'))
        sets(w, EthSs.PRIV_FLAGS)
      }),
    )
    expect(text(find(own!.attrs, 2, 1, 3, 1, 2))).toBe('legacy')
    const dump = client.ask(
      id,
      NlmF.DUMP,
      body(EthMsg.STRSET_GET, () => {}),
    )
    expect(dump.map((one) => find(one.attrs, 2)?.inside?.length)).toEqual([2, undefined])
  })

  it('refuses an unknown set, and a device’s set without a device', () => {
    const { client, id } = rig()
    const ask = (set: number) =>
      refusal(
        client,
        id,
        0,
        body(EthMsg.STRSET_GET, (w) => sets(w, set)),
      )
    expect(ask(99)).toEqual({ errno: -95, message: 'unknown string set id', offset: 28 })
    expect(ask(EthSs.STATS)?.message).toBe('requested per device strings without dev')
    expect(ask(EthSs.NTUPLE_FILTERS)?.errno).toBe(-95)
  })
})

describe('sets of bits that are wrong', () => {
  it.each([
    [
      'index too high',
      (w: NlWriter) => nest(w, 3, () => nest(w, 1, () => w.putU32(1, 40))),
      'bit index too high',
    ],
    [
      'neither index nor name',
      (w: NlWriter) => nest(w, 3, () => nest(w, 1, () => {})),
      'neither bit index nor name specified',
    ],
    [
      'index and name of two bits',
      (w: NlWriter) =>
        nest(w, 3, () =>
          nest(w, 1, () => {
            w.putU32(1, 0)
            w.putString(2, 'link')
          }),
        ),
      'bit index and name mismatch',
    ],
    [
      'something else in the list',
      (w: NlWriter) => nest(w, 3, () => w.putU32(2, 0)),
      'only ETHTOOL_A_BITSET_BITS_BIT allowed in ETHTOOL_A_BITSET_BITS',
    ],
    [
      'a list and words',
      (w: NlWriter) => {
        nest(w, 3, () => {})
        w.putBinary(4, new Uint8Array(4))
      },
      'value/mask only allowed in compact bitset',
    ],
    ['no size', (w: NlWriter) => w.putBinary(4, new Uint8Array(4)), 'missing size in compact bitset'],
    ['no value', (w: NlWriter) => w.putU32(2, 4), 'missing value in compact bitset'],
    [
      'no mask',
      (w: NlWriter) => {
        w.putU32(2, 4)
        w.putBinary(4, new Uint8Array(4))
      },
      'missing mask in compact bitset',
    ],
    [
      'a value of another length',
      (w: NlWriter) => {
        w.putFlag(1)
        w.putU32(2, 40)
        w.putBinary(4, new Uint8Array(4))
      },
      'bitset value length does not match size',
    ],
    [
      'bits past the end',
      (w: NlWriter) => {
        w.putFlag(1)
        w.putU32(2, 32)
        w.putBinary(4, Uint8Array.from([0, 0, 0, 0x80]))
      },
      'cannot modify bits past kernel bitset size',
    ],
    [
      'a mask in a list',
      (w: NlWriter) => {
        w.putFlag(1)
        w.putU32(2, 8)
        w.putBinary(4, new Uint8Array(4))
        w.putBinary(5, new Uint8Array(4))
      },
      'mask not allowed in list bitset',
    ],
  ] as const)('ETH-04 %s', (_what, fill, message) => {
    const { client, id } = rig()
    const said = refusal(
      client,
      id,
      0,
      body(EthMsg.DEBUG_SET, (w) => {
        nest(w, 1, () => w.putU32(1, 1))
        nest(w, 2, () => fill(w))
      }),
    )
    expect(said?.message).toBe(message)
    expect(said?.offset).toBeGreaterThanOrEqual(32)
  })
})

describe('the netdev family on a device that is up', () => {
  it('tells of its queues and NAPI instances, one by one', () => {
    const { client, netdev, dev, kernel } = rig()
    kernel.rtnl.run(() => devOpen(dev))
    const napi = {
      napiId: 5,
      enabled: true,
      del() {},
      deferHardIrqs: 2,
      groFlushTimeout: 20_000,
      irqSuspendTimeout: 0,
    }
    dev.napis.add(napi)
    const queue =
      (type: number, id: number) =>
      (w: NlWriter): void => {
        w.putU32(1, id)
        w.putU32(2, dev.ifindex)
        w.putU32(3, type)
      }
    expect(num(find(client.ask(netdev, 0, body(10, queue(1, 0)))[0]!.attrs, 3))).toBe(1)
    expect(errnoOf(client.ask(netdev, 0, body(10, queue(1, 7)))[0])).toBe(-2)
    expect(
      client.ask(
        netdev,
        NlmF.DUMP,
        body(10, (w) => w.putU32(2, dev.ifindex)),
      ),
    ).toHaveLength(3)
    const [one] = client.ask(
      netdev,
      0,
      body(11, (w) => w.putU32(2, 5)),
    )
    expect([num(find(one!.attrs, 5)), num(find(one!.attrs, 6))]).toEqual([2, 20_000])
    expect(
      errnoOf(
        client.ask(
          netdev,
          0,
          body(11, (w) => w.putU32(2, 6)),
        )[0],
      ),
    ).toBe(-2)
    expect(
      errnoOf(
        client.ask(
          netdev,
          NlmF.DUMP,
          body(12, (w) => w.putU32(1, dev.ifindex)),
        )[0],
      ),
    ).toBe(-95)
    expect(
      client.ask(
        netdev,
        NlmF.DUMP,
        body(1, () => {}),
      ),
    ).toHaveLength(2)
    dev.napis.delete(napi)
  })
})

describe('plugging in a protocol stack', () => {
  it('adds its part to every link, and takes changes to it', () => {
    const { server, dev } = rig()
    const client = new Client(server)
    const taken: number[] = []
    const take = rtnlAfRegister(server, {
      family: Af.INET,
      fillLinkAf: (w) => {
        w.putU32(1, 42)
        return true
      },
      setLinkAf: (_dev, attrs) => void taken.push(attrs.length),
    })
    rtnlAfRegister(server, { family: Af.INET6, fillLinkAf: () => false })
    const [link] = client.ask(Rtm.GETLINK, 0, (w) => ifinfo(w, { index: dev.ifindex }))
    const spec = find(link!.attrs, Ifla.AF_SPEC)!.payload
    expect([...spec]).toEqual([12, 0, 2, 0, 8, 0, 1, 0, 42, 0, 0, 0])
    const set = (family: number) =>
      refusal(client, Rtm.NEWLINK, NlmF.ACK, (w) => {
        ifinfo(w, { index: dev.ifindex })
        nest(w, Ifla.AF_SPEC, () => nest(w, family, () => w.putU32(1, 1)))
      })?.errno
    expect([set(Af.INET), set(Af.INET6), taken]).toEqual([0, -97, [8]])
    take()
  })

  it('a dump that fails at its end says so in DONE; one that fails at once in an error', () => {
    const { server } = rig()
    const client = new Client(server)
    rtnlRegister(server, Af.INET, Rtm.GETADDR, {
      dumpit: (request) => {
        if (request.seq === 2) throw new Errno('EINVAL', 'not so')
        return {
          type: Rtm.NEWADDR,
          entries: [
            (w: NlWriter) => w.raw(new Uint8Array(8)),
            () => {
              throw new Errno('EIO', 'half way')
            },
          ],
        }
      },
    })
    const ask = () =>
      client.ask(Rtm.GETADDR, NlmF.DUMP, (w) => w.raw(Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0])))
    expect(ask().map((one) => [one.type, errnoOf(one)])).toEqual([
      [20, undefined],
      [3, -5],
    ])
    expect(ask().map((one) => [one.type, errnoOf(one)])).toEqual([[2, -22]])
    expect(() => rtnlRegister(server, Af.INET, Rtm.GETADDR, {})).toThrow(Errno)
  })
})
