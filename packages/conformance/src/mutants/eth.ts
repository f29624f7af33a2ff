import { ethtoolNotify, type EthtoolOps } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import { RefDriver } from '../ref/ref-driver.ts'
import { refSpec } from '../ref/ref-spec.ts'
import { mutant, mutantSpec, type Mutant } from './mutant.ts'

/** Drivers with a bad ethtool table. @kernel none */
export const ethMutants: readonly Mutant[] = [
  mutant(
    'ETH-01',
    'answers EINVAL to a question about pause frames, of which it knows nothing',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        return {
          ...super.ethtoolOps(),
          getPauseparam: () => {
            throw new Errno('EINVAL')
          },
          getPauseStats: () => ({}),
        }
      }
    },
  ),
  mutant(
    'ETH-02',
    'forgets its coalescing when its rings get another size',
    class extends RefDriver {
      override setRings(tx: number, rx: number): void {
        super.setRings(tx, rx)
        this.card.coalesce = { frames: 1, ns: 0 }
      }
    },
  ),
  mutant(
    'ETH-03',
    'sends the notice of a resize itself, where the core does too',
    class extends RefDriver {
      override setRings(tx: number, rx: number): void {
        super.setRings(tx, rx)
        ethtoolNotify(this.dev, 'rings-ntf')
      }
    },
  ),
  mutant(
    'ETH-04',
    'refuses a ring size and does not say why',
    class extends RefDriver {
      override setRings(tx: number, rx: number): void {
        if (tx < 2 || rx < 2) throw new Errno('EINVAL')
        super.setRings(tx, rx)
      }
    },
  ),
  mutant(
    'ETH-05',
    'claims a maximum it cannot do',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        const good = super.ethtoolOps()
        return { ...good, getRingparam: (dev) => ({ ...good.getRingparam!(dev), rxMaxPending: 8192 }) }
      }

      override setRings(tx: number, rx: number): void {
        if (rx > 4096) throw new Errno('EINVAL', 'the card has room for 4096 descriptors', 'rx')
        super.setRings(tx, rx)
      }
    },
  ),
  mutant(
    'ETH-06',
    'says that it has no channel at all',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        return { ...super.ethtoolOps(), getChannels: () => ({ maxCombined: 1, combinedCount: 0 }) }
      }
    },
  ),
  mutantSpec('ETH-08', 'can set its coalescing and does not declare which parameters', (good) => ({
    ...refSpec(
      good.name,
      class extends RefDriver {
        override setupDev(): void {
          super.setupDev()
          const { supportedCoalesceParams: _, ...rest } = this.ethtoolOps()
          this.dev.ethtoolOps = rest
        }
      },
    ),
    supports: { ...good.supports, coalesce: false },
  })),
  mutant(
    'ETH-09',
    'rounds the size of a ring down to a multiple of four',
    class extends RefDriver {
      override setRings(tx: number, rx: number): void {
        super.setRings(tx, rx > 4 ? rx & ~3 : rx)
      }
    },
  ),
  mutant(
    'ETH-10',
    'stays deaf when the memory for larger rings cannot be had',
    class extends RefDriver {
      override setRings(tx: number, rx: number): void {
        try {
          super.setRings(tx, rx)
        } catch (error) {
          if ((error as Errno).code === 'ENOMEM') this.card.rxOn = false
          throw error
        }
      }
    },
  ),
  mutant(
    'ETH-12',
    'has one value less than it has names',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        return { ...super.ethtoolOps(), getEthtoolStats: () => [BigInt(this.card.doorbells)] }
      }
    },
  ),
  mutant(
    'ETH-13',
    'does not let ethtool -i find its name',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        return {
          ...super.ethtoolOps(),
          getDrvinfo: () => {
            throw new Errno('EOPNOTSUPP')
          },
        }
      }
    },
  ),
  mutant(
    'ETH-14',
    'has pause settings and counts no pause frames',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        return {
          ...super.ethtoolOps(),
          getPauseparam: () => ({ autoneg: false, rxPause: false, txPause: false }),
        }
      }
    },
  ),
]
