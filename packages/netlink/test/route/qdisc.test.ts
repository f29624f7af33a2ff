import { devOpen, setDefaultQdisc } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { NlmF, Rtm } from '../../src/index.ts'
import type { NlWriter } from '../../src/index.ts'
import { Client, errnoOf, find, makeRig, refusal, text } from '../rig.ts'

const tcmsg =
  (index: number, parent = 0) =>
  (w: NlWriter): void => {
    w.u32(0)
    w.u32(index)
    w.u32(0)
    w.u32(parent)
    w.u32(0)
  }

describe('RTM_GETQDISC', () => {
  it('tells of the root with its options and counters, once the device is up', () => {
    const { server, dev, kernel } = makeRig()
    const client = new Client(server)
    const ask = () => client.ask(Rtm.GETQDISC, NlmF.DUMP, tcmsg(0))
    expect(ask().map(errnoOf)).toEqual([0])
    kernel.rtnl.run(() => devOpen(dev))
    const [root, done] = ask()
    expect(errnoOf(done)).toBe(0)
    expect(new DataView(root!.header.buffer).getInt32(4, true)).toBe(dev.ifindex)
    const [one] = client.ask(Rtm.GETQDISC, 0, tcmsg(dev.ifindex, 0xffffffff))
    expect(text(find(one!.attrs, 1))).toBe('pfifo_fast')
    expect([...find(one!.attrs, 2)!.payload.slice(0, 6)]).toEqual([3, 0, 0, 0, 1, 2])
    expect(find(one!.attrs, 3)!.payload).toHaveLength(40)
  })

  it('tells the settings and counters of fq_codel as tc reads them', () => {
    const { server, dev, kernel } = makeRig()
    setDefaultQdisc(kernel, 'fq_codel')
    const client = new Client(server)
    kernel.rtnl.run(() => devOpen(dev))
    const [one] = client.ask(Rtm.GETQDISC, 0, tcmsg(dev.ifindex, 0xffffffff))
    expect(text(find(one!.attrs, 1))).toBe('fq_codel')
    const { payload } = find(one!.attrs, 2)!
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
    // Each is four bytes of head and a word.
    const words = new Map<number, number>()
    for (let at = 0; at < payload.length; at += 8) {
      words.set(view.getUint16(at + 2, true), view.getUint32(at + 4, true))
    }
    // target, limit, interval, ecn, flows, quantum, batch, memory
    expect([1, 2, 3, 4, 5, 6, 8, 9].map((type) => words.get(type))).toEqual([
      4999,
      10240,
      99999,
      1,
      1024,
      1514,
      64,
      32 << 20,
    ])
    expect(find(one!.attrs, 4)!.payload).toHaveLength(40)
  })

  it('refuses a place where there is none', () => {
    const { server, dev } = makeRig()
    const client = new Client(server)
    expect(refusal(client, Rtm.GETQDISC, 0, tcmsg(dev.ifindex, 7))).toEqual({
      errno: -2,
      message: 'Failed to find qdisc with specified classid',
    })
    expect(refusal(client, Rtm.GETQDISC, 0, tcmsg(99))?.errno).toBe(-19)
  })
})
