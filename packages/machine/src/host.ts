import type { CableHost } from './cable/host.ts'

/** A piece of memory that a program of the host maps, too. */
export interface SharedFile {
  readonly path: string
  readonly bytes: Uint8Array
  /** Makes what was written to `bytes` visible to the program. */
  flush(offset: number, length: number): void
  release(): void
}

/** What only the world around the machine can give. Everything may be missing. */
export interface MachineHost extends CableHost {
  /** A file of mode 0600 that both sides map: the rings of AF_PACKET. @throws Errno ENOMEM */
  sharedFile?(bytes: number): SharedFile
}
