import { Errno } from '@vnet/kernel'
import { encodeRequest, Sys, SYS_HEAD_LEN, SYS_MAX_PIECE, SYS_STATUS_LEN, SysAnswer } from '@vnet/netlink'
import type { ProcessMemory } from './memory.ts'
import type { Channel, Transport } from './transport.ts'

const EFAULT = -14n
const EIO = -5n

/** Who waits for what a descriptor says. */
export interface DescriptorEvents {
  returned(value: bigint): void
  woken(): void
}

/**
 * A descriptor of a program: requests go out, and copies and results come in, in any split of the stream.
 *
 * @kernel struct file include/linux/fs.h
 */
export class Descriptor {
  readonly #memory: ProcessMemory
  readonly #events: DescriptorEvents
  readonly #channel: Channel
  #bytes = new Uint8Array(0)
  #calling = false
  #fault = false
  #parsing = false
  /** The machine has ended it. */
  gone = false

  constructor(transport: Transport, memory: ProcessMemory, events: DescriptorEvents) {
    this.#memory = memory
    this.#events = events
    this.#channel = transport.open(
      (bytes) => this.#receive(bytes),
      () => this.#lost(),
    )
  }

  /** Sends a request; the result comes as {@link DescriptorEvents.returned}. */
  call(op: number, args: readonly (number | bigint)[]): void {
    if (this.gone) return this.#events.returned(EIO)
    this.#calling = true
    this.#fault = false
    this.#send(op, args)
  }

  /** Asks the machine to end the call that waits: it returns -EINTR. */
  interrupt(): void {
    if (this.#calling) this.#send(Sys.interrupt, [])
  }

  #send(op: number, args: readonly (number | bigint)[]): void {
    this.#channel.send(encodeRequest(op, args))
  }

  close(): void {
    if (this.gone) return
    this.gone = true
    this.#channel.close()
  }

  #lost(): void {
    if (this.gone) return
    this.gone = true
    if (this.#calling) this.#return(EIO)
    else this.#events.woken()
  }

  #receive(bytes: Uint8Array): void {
    if (this.gone) return
    const joined = new Uint8Array(this.#bytes.length + bytes.length)
    joined.set(this.#bytes)
    joined.set(bytes, this.#bytes.length)
    this.#bytes = joined
    if (this.#parsing) return
    this.#parsing = true
    try {
      while (!this.gone && this.#head());
    } finally {
      this.#parsing = false
    }
  }

  /** Takes one head and what belongs to it; false: more bytes must come first. */
  #head(): boolean {
    const bytes = this.#bytes
    if (bytes.length < SYS_HEAD_LEN) return false
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const what = view.getUint32(0, true)
    const length = view.getUint32(4, true)
    const value = view.getBigInt64(8, true)
    if (what > SysAnswer.RET || length > SYS_MAX_PIECE) return this.#malformed()
    const end = SYS_HEAD_LEN + (what === SysAnswer.COPYOUT ? length : 0)
    if (bytes.length < end) return false
    this.#bytes = bytes.subarray(end)
    if (what === SysAnswer.WAKE) this.#events.woken()
    else if (what === SysAnswer.COPYIN) this.#copyIn(value, length)
    else if (what === SysAnswer.COPYOUT) this.#copyOut(value, bytes.slice(SYS_HEAD_LEN, end))
    else this.#return(this.#fault ? EFAULT : value)
    return true
  }

  #malformed(): boolean {
    this.close()
    if (this.#calling) this.#return(EIO)
    else this.#events.woken()
    return false
  }

  #copyIn(address: bigint, length: number): void {
    const copy = this.#memoryAt(address, length)
    const answer = new Uint8Array(SYS_STATUS_LEN + (copy?.length ?? 0))
    new DataView(answer.buffer).setBigInt64(0, copy === null ? EFAULT : 0n, true)
    if (copy !== null) answer.set(copy, SYS_STATUS_LEN)
    this.#channel.send(answer)
  }

  #memoryAt(address: bigint, length: number): Uint8Array | null {
    try {
      return this.#memory.copyFromUser(address, length)
    } catch (error) {
      if (error instanceof Errno) return null
      throw error
    }
  }

  #copyOut(address: bigint, bytes: Uint8Array): void {
    try {
      this.#memory.copyToUser(address, bytes)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      this.#fault = true
    }
  }

  #return(value: bigint): void {
    if (!this.#calling) return
    this.#calling = false
    this.#events.returned(value)
  }
}
