import * as nd from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that are wrong about addresses and sizes. @kernel none */
export const addrMutants: readonly Mutant[] = [
  mutant(
    'ADDR-01',
    'takes any address it is given',
    class extends RefDriver {
      override setMac(addr: Uint8Array): void {
        if (nd.isValidEtherAddr(addr)) super.setMac(addr)
        else nd.ethHwAddrSet(this.dev, addr)
      }
    },
  ),
  mutant(
    'ADDR-02',
    'changes its address while up, which it did not say it can',
    class extends RefDriver {
      override setMac(addr: Uint8Array): void {
        if (nd.isValidEtherAddr(addr)) nd.ethHwAddrSet(this.dev, addr)
        else super.setMac(addr)
      }
    },
  ),
  mutant(
    'ADDR-03',
    'does not look at its address when it opens',
    class extends RefDriver {
      override ops(): nd.NetDeviceOps<RefDriver> {
        const { ndoValidateAddr: _, ...rest } = super.ops()
        return rest
      }
    },
  ),
  mutant(
    'ADDR-04',
    'makes up an address that might belong to a manufacturer',
    class extends RefDriver {
      override setupDev(): void {
        super.setupDev()
        nd.ethHwAddrRandom(this.dev)
        this.dev.devAddr[0] = this.dev.devAddr[0]! & 0xfc
      }
    },
  ),
  mutant(
    'MTU-01',
    'leaves no room for a VLAN tag when it sends',
    class extends RefDriver {
      override longest(): number {
        return this.dev.mtu + nd.ETH_HLEN
      }
    },
  ),
  mutant(
    'MTU-02',
    'sets no upper limit for its MTU',
    class extends RefDriver {
      override setupDev(): void {
        super.setupDev()
        this.dev.maxMtu = 0
      }
    },
  ),
  mutant(
    'MTU-03',
    'makes its buffers longer at the next opening only',
    class extends RefDriver {
      override changeMtu(mtu: number): void {
        if (mtu < this.dev.mtu) super.changeMtu(mtu)
      }
    },
  ),
  mutant(
    'MTU-04',
    'lets frames of 1500 bytes out whatever the MTU is',
    class extends RefDriver {
      override longest(): number {
        return Math.max(this.dev.mtu, 1500) + nd.ETH_HLEN + nd.VLAN_HLEN
      }
    },
  ),
]
