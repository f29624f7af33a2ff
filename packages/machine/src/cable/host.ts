import type { Backend } from '@vnet/backend'
import type { Kernel } from '@vnet/kernel'
import type { FrameTap } from './frame-tap.ts'
import type { SharedCables } from './shared-cables.ts'

/** What the world around a machine can give its cards. Everything may be missing. */
export interface CableHost {
  /** The cable of a device: `tap:name`, `packet:eth0`, … @throws Errno with a sentence */
  cable?(spec: string, kernel: Kernel): Backend
  /** Switches and patch cables that several machines of this process share. Default: each has its own. */
  readonly shared?: SharedCables
  /** Lets clients in beside the card of a device. @returns what ends it: when the device goes, or gets another name */
  wire?(device: string, tap: FrameTap): () => void
}
