import type { EthtoolOps } from '@vnet/ethtool'
import { prInfo } from '@vnet/kernel'
import type { SkBuff } from '@vnet/netdev'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that are wrong about queues and messages. @kernel none */
export const mqMutants: readonly Mutant[] = [
  mutant(
    'MQ-01',
    'says that it receives on two queues and allocated one',
    class extends RefDriver {
      override setupDev(): void {
        super.setupDev()
        this.dev.realNumRxQueues = 2
      }
    },
  ),
  mutant(
    'MQ-02',
    'numbers its queue 1',
    class extends RefDriver {
      override ethtoolOps(): EthtoolOps<RefDriver> {
        const { counters } = this
        return {
          ...super.ethtoolOps(),
          getStrings: () => ['rx_queue_1_packets'],
          getEthtoolStats: () => [counters.rxPackets],
        }
      }
    },
  ),
  mutant(
    'MQ-03',
    'says of its packets in turn that they came from queue 0, 1 and 2',
    class extends RefDriver {
      turn = 0

      override deliver(skb: SkBuff): void {
        skb.queueMapping = this.turn++ % 3
        super.deliver(skb)
      }
    },
  ),
  mutant(
    'MQ-04',
    'hashes by exclusive or unless told otherwise',
    class extends RefDriver {
      override setupDev(): void {
        super.setupDev()
        this.rss = { ...this.rss, hfunc: 2 }
      }
    },
  ),
  mutant(
    'MQ-05',
    'has a table with one entry for its queue',
    class extends RefDriver {
      override setupDev(): void {
        super.setupDev()
        this.rss = { ...this.rss, indir: [0] }
      }
    },
  ),
  mutant(
    'MQ-06',
    'takes its own key again at each opening',
    class extends RefDriver {
      override open(): void {
        super.open()
        this.rss = { ...this.rss, key: this.rss.key.map((_, i) => (i * 37 + 11) & 0xff) }
      }
    },
  ),
  mutant(
    'LOG-01',
    'begins its messages with its own name, so that nobody knows which device is meant',
    class extends RefDriver {
      override start(): void {
        super.start()
        prInfo(this.kernel, 'ref: started')
      }
    },
  ),
  mutant(
    'LOG-03',
    'keeps the classes of messages in a place where nobody looks',
    class extends RefDriver {
      level = 0

      override ethtoolOps(): EthtoolOps<RefDriver> {
        return {
          ...super.ethtoolOps(),
          getMsglevel: () => this.level,
          setMsglevel: (_dev, level) => {
            this.level = level
          },
        }
      }
    },
  ),
]
