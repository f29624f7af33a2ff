import { devGetByName, unregisterNetdev } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import type { NlWriter } from '../../src/index.ts'
import { Af, Ifla, NlmF, Rtm, rtnlRegister } from '../../src/index.ts'
import { addDev, Client, errnoOf, find, ifinfo, makeRig, num, refusal, text } from '../rig.ts'

function set(what: Parameters<typeof ifinfo>[1], attrs: (w: NlWriter) => void = () => {}) {
  const rig = makeRig()
  const client = new Client(rig.server)
  const index = rig.dev.ifindex
  const said = refusal(client, Rtm.NEWLINK, NlmF.ACK, (w) => {
    ifinfo(w, { index, ...what })
    attrs(w)
  })
  return { ...rig, client, said }
}

describe('RTM_NEWLINK on a link that is there', () => {
  it('brings it up and down', () => {
    const { dev, client, said } = set({ flags: 1, change: 1 })
    expect([said?.errno, dev.flags & 1]).toEqual([0, 1])
    client.ask(Rtm.SETLINK, NlmF.ACK, (w) => ifinfo(w, { index: dev.ifindex, change: 1 }))
    expect(dev.flags & 1).toBe(0)
  })

  it('changes mtu, address, name, alias, group and queue length in one message', () => {
    const { dev, said } = set({}, (w) => {
      w.putU32(Ifla.MTU, 1000)
      w.putBinary(Ifla.ADDRESS, Uint8Array.from([2, 0, 0, 0, 0, 9]))
      w.putString(Ifla.IFNAME, 'lan0')
      w.putBinary(Ifla.IFALIAS, new TextEncoder().encode('hello'))
      w.putU32(Ifla.GROUP, 7)
      w.putU32(Ifla.TXQLEN, 50)
    })
    expect(said?.errno).toBe(0)
    expect([dev.mtu, dev.devAddr[5], dev.name, dev.ifalias, dev.group, dev.txQueueLen]).toEqual([
      1000,
      9,
      'lan0',
      'hello',
      7,
      50,
    ])
  })

  it('takes an empty alias away', () => {
    const { dev, client } = set({}, (w) => w.putBinary(Ifla.IFALIAS, new TextEncoder().encode('x')))
    client.ask(Rtm.NEWLINK, 0, (w) => {
      ifinfo(w, { index: dev.ifindex })
      w.putBinary(Ifla.IFALIAS, new Uint8Array(0))
    })
    expect(dev.ifalias).toBe('')
  })

  it('switches promiscuous mode, all multicast, multicast and arp', () => {
    const { dev } = set({ flags: 0x100 | 0x200 | 0x80, change: 0x100 | 0x200 | 0x80 | 0x1000 })
    expect([dev.promiscuity, dev.allmulti, dev.flags & 0x1080]).toEqual([1, 1, 0x80])
  })

  it.each([
    [67, 'mtu less than device minimum'],
    [-1, 'mtu less than device minimum'],
    [9000, 'mtu greater than device maximum'],
  ])('MTU-03 an mtu of %i is refused with a sentence', (mtu, message) => {
    expect(set({}, (w) => w.putU32(Ifla.MTU, mtu)).said).toEqual({ errno: -22, message })
  })

  it('refuses by the device’s word: carrier of a card, a group address, a name that is taken', () => {
    expect(set({}, (w) => w.putU8(Ifla.CARRIER, 0)).said).toEqual({ errno: -95 })
    expect(set({}, (w) => w.putBinary(Ifla.ADDRESS, Uint8Array.from([1, 0, 0, 0, 0, 0]))).said?.errno).toBe(
      -99,
    )
    expect(set({}, (w) => w.putBinary(Ifla.ADDRESS, new Uint8Array(3))).said?.errno).toBe(-22)
    expect(set({}, (w) => w.putU32(Ifla.MASTER, 99)).said?.errno).toBe(-22)
  })

  it('asks for more memory than anyone has: ENOMEM', () => {
    expect(set({}, (w) => w.putU32(Ifla.TXQLEN, 0xffffffff)).said?.errno).toBe(-12)
  })

  it('warns in the log when half of it was done', () => {
    const { kernel, said } = set({}, (w) => {
      w.putU32(Ifla.MTU, 1000)
      w.putU8(Ifla.CARRIER, 0)
    })
    expect(said?.errno).toBe(-95)
    expect(kernel.log.records.map((one) => one.text).join()).toContain('some changes committed already')
  })

  it('is for who may change the network', () => {
    const { server, dev } = makeRig()
    const client = new Client(server, 0, { capNetAdmin: false })
    expect(refusal(client, Rtm.NEWLINK, 0, (w) => ifinfo(w, { index: dev.ifindex }))?.errno).toBe(-1)
    expect(client.ask(Rtm.GETLINK, 0, (w) => ifinfo(w, { index: dev.ifindex }))[0]!.type).toBe(Rtm.NEWLINK)
  })
})

describe('making and removing links', () => {
  it('no kind of link can be made, and none removed', () => {
    const { server, dev } = makeRig()
    const client = new Client(server)
    const made = refusal(client, Rtm.NEWLINK, NlmF.CREATE | NlmF.EXCL, (w) => {
      ifinfo(w)
      w.putString(Ifla.IFNAME, 'dummy0')
    })
    expect(made).toEqual({ errno: -95, message: 'Unknown device type' })
    expect(refusal(client, Rtm.DELLINK, 0, (w) => ifinfo(w, { index: dev.ifindex }))?.errno).toBe(-95)
    expect(refusal(client, Rtm.DELLINK, 0, (w) => ifinfo(w, { index: 99 }))?.errno).toBe(-19)
    expect(refusal(client, Rtm.NEWLINK, 0, (w) => ifinfo(w, { index: -1 }))?.message).toBe(
      "ifindex can't be negative",
    )
  })
})

describe('RTM_GETLINK', () => {
  it('finds by number and by name; nobody there is ENODEV', () => {
    const { server, dev } = makeRig()
    const client = new Client(server)
    const [byIndex] = client.ask(Rtm.GETLINK, 0, (w) => ifinfo(w, { index: dev.ifindex }))
    const [byName] = client.ask(Rtm.GETLINK, 0, (w) => {
      ifinfo(w)
      w.putString(Ifla.IFNAME, 'vnet0')
    })
    expect(text(find(byIndex!.attrs, Ifla.IFNAME))).toBe('vnet0')
    expect(byName!.attrs).toEqual(byIndex!.attrs)
    expect(refusal(client, Rtm.GETLINK, 0, (w) => ifinfo(w, { index: 9 }))?.errno).toBe(-19)
    expect(refusal(client, Rtm.GETLINK, 0, (w) => ifinfo(w))?.errno).toBe(-22)
  })

  it('with strict checking, refuses a dirty header and attributes it does not use', () => {
    const { server, dev } = makeRig()
    const client = new Client(server)
    client.socket.strictCheck = true
    expect(refusal(client, Rtm.GETLINK, 0, (w) => ifinfo(w, { index: dev.ifindex, flags: 1 }))?.message).toBe(
      'Invalid values in header for get link request',
    )
    expect(
      refusal(client, Rtm.GETLINK, 0, (w) => {
        ifinfo(w, { index: dev.ifindex })
        w.putU32(Ifla.MTU, 1)
      }),
    ).toEqual({ errno: -22, message: 'Unsupported attribute in get link request', offset: 32 })
  })

  it('dumps in order of the index, ends with DONE, and filters', () => {
    const { server, kernel } = makeRig()
    addDev(kernel, 'b0', null, (d) => {
      d.linkKind = 'dummy'
    })
    const client = new Client(server)
    const all = client.ask(Rtm.GETLINK, NlmF.DUMP, (w) => ifinfo(w))
    expect(all.map((one) => text(find(one.attrs, Ifla.IFNAME)))).toEqual(['vnet0', 'b0', undefined])
    expect(all.map((one) => one.flags)).toEqual([2, 2, 2])
    const some = client.ask(Rtm.GETLINK, NlmF.DUMP, (w) => {
      ifinfo(w)
      const at = w.nestStartNoflag(Ifla.LINKINFO)
      w.putString(1, 'dummy')
      w.nestEnd(at)
    })
    expect(some.map((one) => text(find(one.attrs, Ifla.IFNAME)))).toEqual(['b0', undefined])
    expect(some.every((one) => (one.flags & NlmF.DUMP_FILTERED) !== 0)).toBe(true)
  })
})

describe('group LINK', () => {
  it('tells each change once', () => {
    const { server, dev, kernel } = makeRig()
    const watcher = new Client(server)
    watcher.socket.bind(0, 1)
    const client = new Client(server)
    const change = (
      what: Parameters<typeof ifinfo>[1],
      attrs: (w: NlWriter) => void = () => {},
    ): number[][] => {
      client.ask(Rtm.NEWLINK, 0, (w) => {
        ifinfo(w, { index: dev.ifindex, ...what })
        attrs(w)
      })
      return watcher.read().map((one) => [one.type, new DataView(one.header.buffer).getUint32(12, true)])
    }
    expect(change({ flags: 1, change: 1 })).toEqual([[16, 1]])
    expect(change({ flags: 1, change: 1 })).toEqual([])
    expect(change({ flags: 0x100, change: 0x100 })).toEqual([[16, 0x100]])
    expect(change({}, (w) => w.putU32(Ifla.MTU, 900))).toEqual([[16, 0]])
    expect(change({}, (w) => w.putU32(Ifla.TXQLEN, 9))).toEqual([[16, 0]])
    expect(change({}, (w) => w.putBinary(Ifla.IFALIAS, Uint8Array.from([65])))).toEqual([[16, 0]])
    expect(change({}, (w) => w.putU32(Ifla.GROUP, 3))).toEqual([[16, 0]])
    expect(change({ change: 1 })).toEqual([[16, 1]])
    expect(change({}, (w) => w.putString(Ifla.IFNAME, 'lan1'))).toEqual([[16, 0]])
    unregisterNetdev(dev)
    expect(watcher.read().map((one) => [one.type, one.seq, one.portid])).toEqual([[17, 0, 0]])
    addDev(kernel, 'new0')
    expect(watcher.read().map((one) => one.type)).toEqual([16])
    expect(devGetByName(kernel, 'new0')).toBeDefined()
  })
})

describe('what needs a protocol stack', () => {
  it('is empty to ask for and refused to make', () => {
    const { server } = makeRig()
    const client = new Client(server)
    for (const type of [Rtm.GETADDR, Rtm.GETROUTE, Rtm.GETNEIGH, Rtm.GETRULE, Rtm.GETNETCONF]) {
      const answers = client.ask(type, NlmF.DUMP, (w) => w.raw(new Uint8Array(12)))
      expect(answers.map((one) => one.type)).toEqual([3])
    }
    expect(
      refusal(client, Rtm.NEWADDR, 0, (w) => w.raw(Uint8Array.from([2, 24, 0, 0, 1, 0, 0, 0])))?.errno,
    ).toBe(-95)
    expect(refusal(client, Rtm.NEWNEIGH, 0, (w) => w.raw(new Uint8Array(12)))?.errno).toBe(-97)
    expect(refusal(client, 200, 0, (w) => w.raw(new Uint8Array(12)))?.errno).toBe(-95)
  })

  it('answers as soon as one is registered', () => {
    const { server } = makeRig()
    const client = new Client(server)
    const take = rtnlRegister(server, Af.INET, Rtm.GETADDR, {
      dumpit: () => ({
        type: Rtm.NEWADDR,
        entries: [(w) => w.raw(Uint8Array.from([2, 24, 0, 0, 1, 0, 0, 0]))],
      }),
    })
    const dump = () =>
      client.ask(Rtm.GETADDR, NlmF.DUMP, (w) => w.raw(new Uint8Array(8))).map((one) => one.type)
    expect(dump()).toEqual([20, 3])
    take()
    expect(dump()).toEqual([3])
  })
})

describe('RTM_GETSTATS and RTM_GETNSID', () => {
  it('tells 25 counters of 64 bits', () => {
    const { server, dev } = makeRig()
    const client = new Client(server)
    const ask =
      (index: number, mask: number) =>
      (w: NlWriter): void => {
        w.u32(0)
        w.u32(index)
        w.u32(mask)
      }
    const [reply] = client.ask(Rtm.GETSTATS, 0, ask(dev.ifindex, 1))
    expect(find(reply!.attrs, 1)!.payload).toHaveLength(200)
    expect(refusal(client, Rtm.GETSTATS, 0, ask(dev.ifindex, 0))?.message).toBe(
      'Filter mask must be set for stats get',
    )
    expect(client.ask(Rtm.GETSTATS, NlmF.DUMP, ask(0, 1)).map(errnoOf)).toEqual([undefined, 0])
  })

  it('no hardware counts by itself, and that is said when it is asked for', () => {
    const { server, dev } = makeRig()
    const ask = (filter: number | null) =>
      new Client(server).ask(Rtm.GETSTATS, 0, (w) => {
        w.u32(0)
        w.u32(dev.ifindex)
        w.u32(1 << 3)
        if (filter === null) return
        const at = w.nestStart(1)
        w.putU32(4, filter)
        w.nestEnd(at)
      })[0]!
    const info = find(ask(null).attrs, 4)!.payload
    // HW_S_INFO, L3_STATS, and in it REQUEST and USED, both 0.
    expect([...info]).toEqual([24, 0, 2, 128, 20, 0, 3, 128, 5, 0, 1, 0, 0, 0, 0, 0, 5, 0, 2, 0, 0, 0, 0, 0])
    expect(ask(2).attrs).toHaveLength(1)
    expect(ask(1).attrs).toHaveLength(0)
  })

  it('no namespace has a number', () => {
    const { server } = makeRig()
    const [reply] = new Client(server).ask(Rtm.GETNSID, 0, (w) => {
      w.u32(0)
      w.putU32(3, 5)
    })
    expect(num(find(reply!.attrs, 1))).toBe(0xffffffff)
  })
})
