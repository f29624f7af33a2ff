import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  consumeSkb,
  devAddPack,
  netdevRxHandlerRegister,
  netdevRxHandlerUnregister,
  netifReceiveSkb,
  RX_HANDLER_CONSUMED,
  RX_HANDLER_PASS,
  type RxHandler,
} from '../src/index.ts'
import { expectNoneAlive, MAC_A, MAC_B, RxRing, rxDev, violation } from './skb-helpers.ts'

const arp = Uint8Array.from([...MAC_A, ...MAC_B, 8, 6, 1, 2, 3])

describe('netdevRxHandlerRegister', () => {
  it('its handler comes after the taps and before the protocols, and may pass a packet on', () => {
    const kernel = createKernel()
    const dev = rxDev(kernel, 'rx0')
    const ring = new RxRing(dev)
    const seen: string[] = []
    const pack = (name: string, type: number) =>
      devAddPack(kernel, { type, func: (skb) => (seen.push(name), consumeSkb(skb), 0) })
    pack('tap', 3)
    pack('arp', 0x0806)
    let verdict: typeof RX_HANDLER_CONSUMED | typeof RX_HANDLER_PASS = RX_HANDLER_PASS
    kernel.rtnl.run(() =>
      netdevRxHandlerRegister(dev, (skb, from) => {
        seen.push(`handler ${from.name}`)
        if (verdict === RX_HANDLER_CONSUMED) consumeSkb(skb)
        return verdict
      }),
    )
    netifReceiveSkb(ring.receive(arp))
    verdict = RX_HANDLER_CONSUMED
    expect(netifReceiveSkb(ring.receive(arp))).toBe(0)
    expect(seen).toEqual(['tap', 'handler rx0', 'arp', 'tap', 'handler rx0'])
    expect(dev.coreStats.rxDropped).toBe(0)
    expectNoneAlive(kernel, ring.pool)
  })

  it('a device has one, until it is taken away', () => {
    const kernel = createKernel()
    const dev = rxDev(kernel, 'rx0')
    const handler: RxHandler = () => RX_HANDLER_PASS
    kernel.rtnl.run(() => {
      netdevRxHandlerRegister(dev, handler)
      expect(() => netdevRxHandlerRegister(dev, handler)).toThrow('Device or resource busy')
      netdevRxHandlerUnregister(dev)
      netdevRxHandlerRegister(dev, handler)
    })
  })

  it('CTX-01 needs rtnl', () => {
    const dev = rxDev(createKernel(), 'rx0')
    expect(violation(() => netdevRxHandlerUnregister(dev))).toContain('CTX-01')
  })
})
