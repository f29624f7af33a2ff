import {
  createKernel,
  hwEventSetup,
  hwEventStart,
  type Kernel,
  localBhDisable,
  localBhEnable,
  requestIrq,
} from '@vnet/kernel'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  allocSkb,
  backlogStats,
  consumeSkb,
  devAddPack,
  flushBacklog,
  kfreeSkb,
  LinkState,
  type NetDevice,
  netifRx,
  rxStateOf,
  skbCacheOf,
  SkbDropReason,
} from '../src/index.ts'
import { expectNoneAlive, MAC_A, MAC_B, RxRing, rxDev, violation } from './skb-helpers.ts'

let kernel: Kernel
let dev: NetDevice<any>
let ring: RxRing
let contexts: string[]

const arp = Uint8Array.from([...MAC_A, ...MAC_B, 8, 6, 1, 2, 3])

beforeEach(() => {
  kernel = createKernel()
  dev = rxDev(kernel)
  ring = new RxRing(dev, 2048, 128)
  contexts = []
  devAddPack(kernel, {
    type: 0x0806,
    func(skb) {
      contexts.push(kernel.ctx)
      consumeSkb(skb)
      return 0
    },
  })
})

function inHardirq(fn: () => void): void {
  const irq = kernel.irq.allocLine('test')
  requestIrq(kernel, irq, () => (fn(), 1), {}, 'test', {})
  const event = hwEventSetup(kernel, () => kernel.irq.pulse(irq), 'test')
  hwEventStart(event, 0)
  kernel.step()
}

describe('netifRx', () => {
  it('passes a packet on in the NET_RX softirq, from process context at once', () => {
    expect(netifRx(ring.receive(arp))).toBe(0)
    expect(contexts).toEqual(['softirq'])
    expect(backlogStats(kernel)).toEqual({ processed: 1, dropped: 0, qlen: 0 })
    expectNoneAlive(kernel, ring.pool)
  })

  it('from an interrupt handler: when it returns', () => {
    inHardirq(() => {
      netifRx(ring.receive(arp))
      netifRx(ring.receive(arp))
      expect(contexts).toEqual([])
    })
    expect(contexts).toEqual(['softirq', 'softirq'])
    expectNoneAlive(kernel, ring.pool)
  })

  it('RX-04 holds 1,000 packets and drops the rest, counted and with a reason', () => {
    localBhDisable(kernel)
    let ok = 0
    for (let i = 0; i < 1010; i++) if (netifRx(ring.receive(arp)) === 0) ok++
    expect([ok, backlogStats(kernel).qlen, dev.coreStats.rxDropped]).toEqual([1000, 1000, 10])
    expect(skbCacheOf(kernel).drops[SkbDropReason.CPU_BACKLOG]).toBe(10)
    localBhEnable(kernel)
    kernel.runFor(1e6)
    expect(contexts.length).toBe(1000)
    expect(backlogStats(kernel)).toEqual({ processed: 1000, dropped: 10, qlen: 0 })
    expectNoneAlive(kernel, ring.pool)
  })

  it('takes 64 at a time, so that others run in between', () => {
    const runs: number[] = []
    kernel.trace.on('irq:softirq_exit', () => runs.push(contexts.length))
    localBhDisable(kernel)
    for (let i = 0; i < 130; i++) netifRx(ring.receive(arp))
    localBhEnable(kernel)
    expect(runs).toEqual([64, 128, 130])
  })

  it('drops what a device that is down received', () => {
    dev.state &= ~LinkState.START
    expect(netifRx(ring.receive(arp))).toBe(1)
    expect(dev.coreStats.rxDropped).toBe(1)
    expect(skbCacheOf(kernel).drops[SkbDropReason.DEV_READY]).toBe(1)
    expectNoneAlive(kernel, ring.pool)
  })

  it('flushBacklog drops the packets of one device and keeps the order of the others', () => {
    const other = rxDev(kernel, 'rx1')
    const otherRing = new RxRing(other, 8, 128)
    const seen: string[] = []
    devAddPack(kernel, {
      type: 0x0806,
      dev: other,
      func: (skb) => (seen.push(String(skb.len)), kfreeSkb(skb), 0),
    })
    localBhDisable(kernel)
    netifRx(otherRing.receive(Uint8Array.from([...arp, 1])))
    netifRx(ring.receive(arp))
    netifRx(otherRing.receive(Uint8Array.from([...arp, 1, 2])))
    flushBacklog(kernel, dev)
    expect([backlogStats(kernel).qlen, dev.coreStats.rxDropped]).toEqual([2, 1])
    localBhEnable(kernel)
    expect(seen).toEqual(['4', '5'])
    expectNoneAlive(kernel, ring.pool, otherRing.pool)
  })

  it('what waits is not lost when a receiver breaks a rule', () => {
    devAddPack(kernel, {
      type: 0x0806,
      func(skb) {
        kfreeSkb(skb)
        kfreeSkb(skb)
        return 0
      },
    })
    localBhDisable(kernel)
    netifRx(ring.receive(arp))
    netifRx(ring.receive(arp))
    expect(violation(() => localBhEnable(kernel))).toMatch(/^SKB-06/)
    expect(violation(() => kernel.runFor(1e6))).toMatch(/^SKB-06/)
    expect(backlogStats(kernel)).toEqual({ processed: 2, dropped: 0, qlen: 0 })
    expectNoneAlive(kernel, ring.pool)
  })
})

describe('misuse', () => {
  it('RX-04 from inside a NAPI poll is reported, when napi says that one runs', () => {
    const napi = { napiId: 8193, enabled: true, polling: true, del: () => {} }
    devAddPack(kernel, {
      type: 0x0800,
      func(skb) {
        kfreeSkb(skb)
        return netifRx(ring.receive(arp))
      },
    })
    const ip = Uint8Array.from([...MAC_A, ...MAC_B, 8, 0, 1])
    expect(netifRx(ring.receive(ip))).toBe(0)
    dev.napis.add(napi)
    expect(violation(() => netifRx(ring.receive(ip)))).toMatch(
      /^RX-04: netifRx of skb#\d+ of rx0-rx0 inside a NAPI poll of rx0/,
    )
    dev.napis.delete(napi)
  })

  it('RX-01 SKB-06 a packet without a device, and one that was freed, are reported', () => {
    const skb = allocSkb(kernel, 64)!
    expect(violation(() => netifRx(skb))).toMatch(/^RX-01/)
    kfreeSkb(skb)
    expect(violation(() => netifRx(skb))).toMatch(/^SKB-06: netifRx/)
    expect(rxStateOf(kernel).backlog.qlen).toBe(0)
  })
})
