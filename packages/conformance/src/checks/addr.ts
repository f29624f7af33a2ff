import { createKernel } from '@vnet/kernel'
import {
  IffPriv,
  NetAddr,
  devOpen,
  devSetMacAddress,
  devSetMtu,
  ethHwAddrSet,
  ethRandomAddr,
  formatMac,
  isValidEtherAddr,
  netifRunning,
  registerNetdeviceNotifier,
} from '@vnet/netdev'
import type { Check } from '../check.ts'
import { testFrame } from '../frames.ts'
import { MS, Testbed } from '../testbed.ts'
import { beforeOps } from './observe.ts'

const GOOD = Uint8Array.of(2, 0, 0, 0x12, 0x34, 0x56)
const BAD: readonly (readonly [string, Uint8Array])[] = [
  ['zero', new Uint8Array(6)],
  ['broadcast', new Uint8Array(6).fill(0xff)],
  ['multicast', Uint8Array.of(1, 0, 0x5e, 0, 0, 1)],
]
const HEADER = 14
const TAG = 4

function setMac(t: Testbed, addr: Uint8Array): string {
  return t.errnoOf(() => t.kernel.rtnl.run(() => devSetMacAddress(t.dev, addr)))
}

function setMtu(t: Testbed, mtu: number): void {
  t.kernel.rtnl.run(() => devSetMtu(t.dev, mtu))
}

/** A frame with a VLAN tag: `length` bytes in all. */
function tagged(length: number): Uint8Array {
  const frame = testFrame(length)
  frame.set([0x81, 0, 0, 7, 0x88, 0xb5], 12)
  return frame
}

const isMadeUp = (addr: Uint8Array): boolean => (addr[0]! & 3) === 2

/** Addresses, MTU, frames. @kernel none */
export const addrChecks: readonly Check[] = [
  {
    id: 'ADDR-01',
    title: 'has a valid address, and takes none that is zero or multicast',
    run(t) {
      const dev = t.create()
      t.expect(isValidEtherAddr(dev.devAddr), `its address is ${formatMac(dev.devAddr)}`)
      const before = formatMac(dev.devAddr)
      for (const [what, addr] of BAD) {
        setMac(t, addr)
        t.equal(formatMac(dev.devAddr), before, `address after it was asked to take a ${what} one`)
      }
    },
  },
  {
    id: 'ADDR-02',
    title: 'refuses a new address while up with EBUSY, and a bad one with EADDRNOTAVAIL',
    run(t) {
      const dev = t.create()
      const answer = setMac(t, GOOD)
      if (answer === 'EOPNOTSUPP') t.skip('its address cannot be changed')
      t.equal(answer, 'none', 'a good address while down')
      t.equal(formatMac(dev.devAddr), formatMac(GOOD), 'address')
      for (const [what, addr] of BAD) {
        const code = setMac(t, addr)
        if (code !== 'none') t.equal(code, 'EADDRNOTAVAIL', `a ${what} address`)
        setMac(t, GOOD)
      }
      t.up()
      const live = (dev.privFlags & IffPriv.LIVE_ADDR_CHANGE) !== 0
      t.equal(setMac(t, Uint8Array.of(2, 0, 0, 0, 0, 7)), live ? 'none' : 'EBUSY', 'a good address while up')
    },
  },
  {
    id: 'ADDR-03',
    title: 'cannot be opened with a bad address',
    run(t) {
      const dev = t.create()
      for (const [what, addr] of BAD) {
        ethHwAddrSet(dev, addr)
        t.equal(t.errnoOf(() => t.kernel.rtnl.run(() => devOpen(dev))), 'EADDRNOTAVAIL', `opening with a ${what} address`) // prettier-ignore
        t.expect(!netifRunning(dev), `it runs with a ${what} address`)
      }
    },
  },
  {
    id: 'ADDR-04',
    title: 'makes up only unicast, local addresses, marks them random, and repeats them under a seed',
    run(t) {
      const dev = t.create()
      if (dev.addrAssignType === NetAddr.RANDOM) {
        t.expect(isMadeUp(dev.devAddr), `made up ${formatMac(dev.devAddr)}: not a local unicast address`)
        const again = new Testbed(t.spec, t.seed)
        const same = formatMac(again.create().devAddr)
        again.destroy()
        t.equal(same, formatMac(dev.devAddr), 'address under the same seed')
      }
      const [one, other] = [7, 7].map((seed) => ethRandomAddr(createKernel({ seed })))
      t.equal(formatMac(other!), formatMac(one!), 'random address under the same seed')
      t.expect(isMadeUp(one!), `made up ${formatMac(one!)}: not a local unicast address`)
    },
  },
  {
    id: 'MTU-01',
    title: 'sends frames of the MTU and 14 bytes, and with a VLAN tag of 4 more',
    run(t) {
      const dev = t.start()
      const { mtu } = dev
      t.send(mtu + HEADER)
      t.send(tagged(mtu + HEADER + TAG))
      t.run(100 * MS)
      t.equal(t.cable.wire.map((f) => f.length), [mtu + HEADER, mtu + HEADER + TAG], 'lengths on the wire') // prettier-ignore
    },
  },
  {
    id: 'MTU-02',
    title: 'has limits for its MTU, so that the core refuses before the driver is asked',
    run(t) {
      const dev = t.create()
      let asked = 0
      beforeOps(dev, ['ndoChangeMtu'], () => asked++)
      const { mtu } = dev
      for (const bad of [0, dev.minMtu - 1, (t.supports.maxMtu ?? 1500) + 1, 65536, -1, 1500.5]) {
        let message = ''
        const code = t.errnoOf(() => {
          try {
            setMtu(t, bad)
          } catch (error) {
            message = (error as { extack?: string }).extack ?? ''
            throw error
          }
        })
        t.equal(code, 'EINVAL', `an MTU of ${bad}`)
        t.expect(message !== '', `an MTU of ${bad} was refused without a sentence`)
      }
      t.equal(asked, 0, 'times the driver was asked')
      t.equal(dev.mtu, mtu, 'MTU')
      t.expect(dev.minMtu >= 68, `it allows an MTU of ${dev.minMtu}; IPv4 needs 68`)
    },
  },
  {
    id: 'MTU-03',
    title: 'has room for the new size when the new MTU is announced',
    run(t) {
      const dev = t.start()
      const mtu = t.supports.maxMtu ?? dev.maxMtu
      if (mtu <= dev.mtu) t.skip(`it takes no MTU above ${dev.mtu}`)
      registerNetdeviceNotifier(t.kernel, (event, which) => {
        if (event === 'NETDEV_CHANGEMTU' && which === dev) t.inject(testFrame(mtu + HEADER))
      })
      setMtu(t, mtu)
      t.run(100 * MS)
      t.equal(t.received.map((f) => f.length), [mtu + HEADER], 'lengths received right after the change') // prettier-ignore
    },
  },
  {
    id: 'MTU-04',
    title: 'keeps to its MTU both ways',
    run(t) {
      t.start()
      setMtu(t, 1000)
      const lengths = [500, 1300]
      for (const length of lengths) {
        t.send(length)
        t.inject(testFrame(length))
        t.run(100 * MS)
      }
      t.equal(t.cable.wire.map((f) => f.length), [500], 'lengths sent at an MTU of 1000') // prettier-ignore
      t.equal(t.received.map((f) => f.length), [500], 'lengths received at an MTU of 1000') // prettier-ignore
    },
  },
]
