import { patchCable } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import {
  NET_RX_SUCCESS,
  consumeSkb,
  devAddPack,
  devClose,
  devGetStats,
  devOpen,
  devQueueXmit,
  freeNetdev,
  netdevAllocSkb,
  skbPut,
  unregisterNetdev,
} from '@vnet/netdev'
import { createCard, createVnet, destroyVnet } from '@vnet/vnet'
import { expect, it } from 'vitest'
import { FifoCard } from '../src/fifo-card.ts'
import { createFifo } from '../src/fifo-driver.ts'

const TYPE = 0x88b5

it('talks to vnet0 over a patch cable, both ways, and leaves nothing', () => {
  const kernel = createKernel()
  kernel.currentModule = 'test'
  const { a, b } = patchCable(kernel)
  const fifoCard = new FifoCard(kernel, a)
  const vnetCard = createCard(kernel, { backend: b })
  const fifo = createFifo(kernel, fifoCard)
  const vnet = createVnet(kernel, { hw: vnetCard })
  kernel.currentModule = null
  const got = new Map<string, number[]>([
    ['fifo0', []],
    ['vnet0', []],
  ])
  devAddPack(kernel, {
    type: TYPE,
    func: (skb, dev) => {
      got.get(dev.name)!.push(skb.mem[skb.data]!)
      consumeSkb(skb)
      return NET_RX_SUCCESS
    },
  })
  kernel.rtnl.run(() => [fifo, vnet].forEach((dev) => devOpen(dev)))
  for (let n = 0; n < 100; n++) {
    for (const [from, to] of [
      [fifo, vnet],
      [vnet, fifo],
    ] as const) {
      const skb = netdevAllocSkb(from, 64)!
      const at = skbPut(skb, 60)
      skb.mem.set([...to.devAddr, ...from.devAddr, TYPE >> 8, TYPE & 0xff, n], at)
      devQueueXmit(skb)
    }
    if (n % 10 === 9) kernel.runFor(1_000_000)
  }
  const numbers = Array.from({ length: 100 }, (_, n) => n)
  expect(got.get('vnet0')).toEqual(numbers)
  expect(got.get('fifo0')).toEqual(numbers)
  expect(devGetStats(fifo)).toMatchObject({
    txPackets: 100n,
    txBytes: 6000n,
    rxPackets: 100n,
    rxBytes: 6000n,
  })

  kernel.rtnl.run(() => devClose(fifo))
  unregisterNetdev(fifo)
  freeNetdev(fifo)
  destroyVnet(vnet)
  fifoCard.destroy()
  vnetCard.destroy()
  kernel.runFor(2e9)
  expect(kernel.violations).toEqual([])
  expect(kernel.census.take().filter((e) => e.module === 'test')).toEqual([])
})
