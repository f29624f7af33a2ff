import type { EthtoolOps } from '@vnet/ethtool'
import { cancelWorkSync, scheduleWork, workSetup } from '@vnet/kernel'
import * as nd from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that are wrong about the link. @kernel none */
export const linkMutants: readonly Mutant[] = [
  mutant(
    'LINK-01',
    'turns its sender off with the second loss of carrier and never on again',
    class extends RefDriver {
      losses = 0

      override linkChanged(): void {
        super.linkChanged()
        if (this.kernel.ctx === 'hardirq' && !this.card.linkUp && ++this.losses === 2) this.card.txOn = false
      }
    },
  ),
  mutant(
    'LINK-02',
    'begins a self-test when the link goes for the second time, and never ends it',
    class extends RefDriver {
      losses = 0

      override linkChanged(): void {
        super.linkChanged()
        if (this.kernel.ctx === 'hardirq' && !this.card.linkUp && ++this.losses === 2)
          nd.netifTestingOn(this.dev)
      }
    },
  ),
  mutant(
    'LINK-03',
    'tells of a change of the link itself, where the core does too',
    class extends RefDriver {
      readonly tell = workSetup(
        this.kernel,
        () => this.kernel.rtnl.run(() => nd.netdevStateChange(this.dev)),
        'ref',
      )

      override linkChanged(): void {
        super.linkChanged()
        if (this.kernel.ctx === 'hardirq') scheduleWork(this.tell)
      }

      override destroy(): void {
        cancelWorkSync(this.tell)
        super.destroy()
      }

      override stop(): void {
        super.stop()
        cancelWorkSync(this.tell)
      }
    },
  ),
  mutant(
    'LINK-04',
    'takes the carrier away for a moment when it comes',
    class extends RefDriver {
      override linkChanged(): void {
        super.linkChanged()
        if (this.kernel.ctx !== 'hardirq' || !this.card.linkUp) return
        nd.netifCarrierOff(this.dev)
        nd.netifCarrierOn(this.dev)
      }
    },
  ),
  mutant(
    'LINK-05',
    'always says that the link is there',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        return { ...super.ethtoolOps(), getLink: () => true }
      }
    },
  ),
  mutant(
    'LINK-06',
    'lets the user set the carrier of a card with a cable',
    class extends RefDriver {
      override ops(): nd.NetDeviceOps<RefDriver> {
        return {
          ...super.ops(),
          ndoChangeCarrier: (dev, on) => (on ? nd.netifCarrierOn(dev) : nd.netifCarrierOff(dev)),
        }
      }
    },
  ),
]
