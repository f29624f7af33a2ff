import { Errno, type Kernel, type MemoryBlock } from '@vnet/kernel'
import * as nd from '@vnet/netdev'
import type { TestCable } from '../cable.ts'
import { RefDriver } from '../ref/ref-driver.ts'
import type { CreateOptions } from '../spec.ts'
import { mutant, type Mutant } from './mutant.ts'

/** What all devices of these broken drivers share in a kernel. */
class Shared {
  made = 0
  counters: RefDriver['counters'] | null = null
}

function sharedOf(kernel: Kernel): Shared {
  return kernel.subsys('conformance-mutant', () => new Shared())
}

/** Drivers that get the life of a device wrong. @kernel none */
export const lifeMutants: readonly Mutant[] = [
  mutant(
    'LIFE-01',
    'finishes its set-up after it has registered',
    class extends RefDriver {
      declare ready: boolean

      override register(): void {
        super.register()
        this.ready = true
      }

      override open(): void {
        if (!this.ready) throw new Errno('EAGAIN')
        super.open()
      }
    },
  ),
  mutant(
    'LIFE-02',
    'makes every error of registering ENODEV',
    class extends RefDriver {
      override register(): void {
        try {
          super.register()
        } catch {
          throw new Errno('ENODEV')
        }
      }
    },
  ),
  mutant(
    'LIFE-02',
    'forgets to free its device when it cannot be registered',
    class extends RefDriver {
      override register(): void {
        nd.registerNetdev(this.dev)
      }
    },
  ),
  mutant(
    'LIFE-03',
    'stops its device itself before it unregisters it, without closing it',
    class extends RefDriver {
      declare opened: boolean

      override open(): void {
        super.open()
        this.opened = true
      }

      override stop(): void {
        if (this.opened) super.stop()
        this.opened = false
      }

      override destroy(): void {
        if (nd.netifRunning(this.dev)) this.dev.ops.ndoStop!(this.dev)
        super.destroy()
      }
    },
  ),
  mutant(
    'LIFE-05',
    'frees its device twice',
    class extends RefDriver {
      override destroy(): void {
        super.destroy()
        nd.freeNetdev(this.dev)
      }
    },
  ),
  mutant(
    'LIFE-06',
    'unregisters twice',
    class extends RefDriver {
      override destroy(): void {
        nd.unregisterNetdev(this.dev)
        super.destroy()
      }
    },
  ),
  mutant(
    'LIFE-07',
    'runs its ndoInit again at each open',
    class extends RefDriver {
      override ops(): nd.NetDeviceOps<RefDriver> {
        return { ...super.ops(), ndoInit: () => {} }
      }

      override open(): void {
        this.dev.ops.ndoInit!(this.dev)
        super.open()
      }
    },
  ),
  mutant(
    'LIFE-08',
    'runs its ndoUninit at each stop',
    class extends RefDriver {
      override ops(): nd.NetDeviceOps<RefDriver> {
        return { ...super.ops(), ndoUninit: () => {} }
      }

      override stop(): void {
        super.stop()
        this.dev.ops.ndoUninit!(this.dev)
      }
    },
  ),
  mutant(
    'LIFE-09',
    'numbers its devices itself and never takes a free number again',
    class extends RefDriver {
      override register(): void {
        const shared = sharedOf(this.kernel)
        this.dev.name = `ref${shared.made}`
        super.register()
        shared.made++
      }
    },
  ),
  mutant(
    'LIFE-10',
    'gives each of its devices index 1',
    class extends RefDriver {
      override register(): void {
        super.register()
        this.dev.ifindex = 1
      }
    },
  ),
  mutant(
    'LIFE-11',
    'does not free the memory of its card',
    class extends RefDriver {
      declare memory: MemoryBlock

      override setupDev(): void {
        super.setupDev()
        this.memory = this.kernel.mem.alloc(4096)
      }

      override register(): void {
        try {
          super.register()
        } catch (error) {
          this.kernel.mem.free(this.memory)
          throw error
        }
      }
    },
  ),
  mutant(
    'LIFE-11',
    'forgets its counters when it is unregistered, though others may still hold the device',
    class extends RefDriver {
      override destroy(): void {
        super.destroy()
        this.counters = {
          txPackets: 0n,
          txBytes: 0n,
          txDropped: 0n,
          txErrors: 0n,
          rxPackets: 0n,
          rxBytes: 0n,
          rxDropped: 0n,
        }
      }
    },
  ),
  mutant(
    'LIFE-12',
    'counts for all its devices together',
    class extends RefDriver {
      constructor(kernel: Kernel, cable: TestCable, options: CreateOptions) {
        super(kernel, cable, options)
        const shared = sharedOf(kernel)
        this.counters = shared.counters ??= this.counters
      }
    },
  ),
]
