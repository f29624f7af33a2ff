import {
  CHECKSUM_PARTIAL,
  CHECKSUM_UNNECESSARY,
  NETIF_F,
  PktFeature,
  callNetdeviceNotifiers,
  ethTypeTrans,
  groReceiveSkb,
  skbChecksum,
  type NetDeviceOps,
  type NetdevFeatures,
  type SkBuff,
} from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

type Ops = NetDeviceOps<RefDriver>

/** A driver that advertises features. */
abstract class Advertiser extends RefDriver {
  abstract advertised(): NetdevFeatures

  override setupDev(): void {
    super.setupDev()
    this.dev.features |= this.advertised()
    this.dev.hwFeatures |= this.advertised()
  }
}

function storeSum(skb: SkBuff, from: number, field: number): void {
  const sum = ~skbChecksum(skb, from - skb.data, skb.data + skb.len - from) & 0xffff
  skb.mem[field] = sum >> 8
  skb.mem[field + 1] = sum & 0xff
}

const isIpv4 = (skb: SkBuff): boolean => skb.mem[skb.data + 12] === 8 && skb.mem[skb.data + 13] === 0

/** Drivers that get features and checksums wrong. @kernel none */
export const featMutants: readonly Mutant[] = [
  mutant(
    'FEAT-01',
    'writes the features that are on when it opens',
    class extends RefDriver {
      override start(): void {
        this.dev.features = this.dev.features | 0n
        super.start()
      }
    },
  ),
  mutant(
    'FEAT-02',
    'changes the device while it is only asked what is possible',
    class extends RefDriver {
      override ops(): Ops {
        return {
          ...super.ops(),
          ndoFixFeatures: (dev, features) => {
            dev.vlanFeatures ^= NETIF_F.RXALL
            return features
          },
        }
      }
    },
  ),
  mutant(
    'FEAT-03',
    'switches another feature on when one goes off',
    class extends RefDriver {
      override ops(): Ops {
        return {
          ...super.ops(),
          ndoFixFeatures: (_dev, features) =>
            (features & NETIF_F.GRO) === 0n ? features | NETIF_F.RXHASH : features,
        }
      }
    },
  ),
  mutant(
    'FEAT-04',
    'switches on what the core found impossible',
    class extends RefDriver {
      override setupDev(): void {
        super.setupDev()
        this.dev.hwFeatures |= NETIF_F.GRO_HW
      }

      override ops(): Ops {
        return {
          ...super.ops(),
          ndoSetFeatures: (dev, features) => {
            dev.features = features | (dev.wantedFeatures & NETIF_F.GRO_HW)
            return true
          },
        }
      }
    },
  ),
  mutant(
    'FEAT-05',
    'sends a notice of its own when its features change',
    class extends RefDriver {
      override ops(): Ops {
        return {
          ...super.ops(),
          ndoSetFeatures: (dev) => {
            if (dev.regState === 'registered') callNetdeviceNotifiers('NETDEV_FEAT_CHANGE', dev)
          },
        }
      }
    },
  ),
  mutant(
    'FEAT-06',
    'says that its card puts VLAN tags in, which it does not',
    class extends Advertiser {
      override advertised(): NetdevFeatures {
        return NETIF_F.HW_VLAN_CTAG_TX
      }
    },
  ),
  mutant(
    'FEAT-07',
    'adds a feature in ndoFeaturesCheck',
    class extends RefDriver {
      override ops(): Ops {
        return { ...super.ops(), ndoFeaturesCheck: (_skb, _dev, features) => features | PktFeature.HIGHDMA }
      }
    },
  ),
  mutant(
    'CSUM-01',
    'sums from the network header instead of csumStart',
    class extends Advertiser {
      override advertised(): NetdevFeatures {
        return NETIF_F.HW_CSUM
      }

      override queue(skb: SkBuff): void {
        if (skb.ipSummed === CHECKSUM_PARTIAL) storeSum(skb, skb.data + 14, skb.csumStart + skb.csumOffset)
        super.queue(skb)
      }
    },
  ),
  mutant(
    'CSUM-02',
    'has its card sum every UDP packet, also those the stack has summed',
    class extends Advertiser {
      override advertised(): NetdevFeatures {
        return NETIF_F.HW_CSUM
      }

      override queue(skb: SkBuff): void {
        const { data, mem } = skb
        if (skb.ipSummed === CHECKSUM_PARTIAL) storeSum(skb, skb.csumStart, skb.csumStart + skb.csumOffset)
        else if (isIpv4(skb) && mem[data + 23] === 17) storeSum(skb, data + 34, data + 40)
        super.queue(skb)
      }
    },
  ),
  mutant(
    'CSUM-03',
    'marks every packet as checked and good',
    class extends RefDriver {
      override deliver(skb: SkBuff): void {
        skb.protocol = ethTypeTrans(skb, this.dev)
        skb.ipSummed = CHECKSUM_UNNECESSARY
        groReceiveSkb(this.gro, skb)
      }
    },
  ),
  mutant(
    'CSUM-04',
    'clears the checksum of the IP header for a card that does not make it',
    class extends RefDriver {
      override queue(skb: SkBuff): void {
        if (isIpv4(skb)) skb.mem.fill(0, skb.data + 24, skb.data + 26)
        super.queue(skb)
      }
    },
  ),
]
