import { runConformance, type DriverSpec, type TestCable } from '@vnet/conformance'
import type { Kernel } from '@vnet/kernel'
import * as nd from '@vnet/netdev'

/** A card that is nothing but a plug: what is sent goes straight into the cable. */
function createPlug(kernel: Kernel, cable: TestCable): nd.NetDevice<null> {
  const count = { txPackets: 0n, txBytes: 0n, txDropped: 0n, rxPackets: 0n, rxBytes: 0n, rxDropped: 0n }
  const ops: nd.NetDeviceOps<null> = {
    ndoOpen: (dev) => nd.netifTxStartAllQueues(dev),
    ndoStop: (dev) => nd.netifTxDisable(dev),
    ndoValidateAddr: nd.ethValidateAddr,
    ndoSetMacAddress: nd.ethMacAddr,
    ndoGetStats64: (_dev, stats) => Object.assign(stats, count),
    ndoStartXmit(skb, dev) {
      const { mem, data, len } = skb
      if (len <= dev.mtu + nd.ETH_HLEN + nd.VLAN_HLEN && cable.transmit(mem, data, len)) {
        count.txPackets++
        count.txBytes += BigInt(len)
        nd.devConsumeSkbAny(skb)
      } else {
        count.txDropped++
        nd.devKfreeSkbAny(skb, nd.SkbDropReason.PKT_TOO_BIG)
      }
      return nd.NETDEV_TX_OK
    },
  }
  const dev = nd.allocEtherdevMqs<null>(kernel, { name: 'plug%d', priv: () => null, ops })
  nd.ethHwAddrRandom(dev)
  dev.driverName = 'plug'
  nd.registerNetdev(dev)
  cable.attach({
    receive(mem, offset, length) {
      const tag = mem[offset + 12] === 0x81 && mem[offset + 13] === 0 ? nd.VLAN_HLEN : 0
      if (!nd.netifRunning(dev)) return false
      const good = length >= nd.ETH_HLEN && length <= dev.mtu + nd.ETH_HLEN + tag
      const skb = good ? nd.netdevAllocSkb(dev, length) : null
      if (skb === null) count.rxDropped++
      else {
        skb.mem.set(mem.subarray(offset, offset + length), nd.skbPut(skb, length))
        skb.protocol = nd.ethTypeTrans(skb, dev)
        count.rxPackets++
        count.rxBytes += BigInt(skb.len)
        nd.netifRx(skb)
      }
      return true
    },
    linkChange() {},
    writable() {},
  })
  return dev
}

const plug: DriverSpec = {
  name: 'plug',
  create(kernel, cable) {
    const dev = createPlug(kernel, cable)
    return {
      dev,
      destroy() {
        cable.attach(null)
        nd.unregisterNetdev(dev)
        nd.freeNetdev(dev)
      },
    }
  },
}

const { broken } = runConformance(plug)
for (const [rule, message] of broken) console.log(`${rule}: ${message}`)
