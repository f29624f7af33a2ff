import { SYS_HEAD_LEN, SysAnswer } from '@vnet/netlink'
import type { Channel, Transport } from '../../src/index.ts'

/** A random generator with a seed: the same lies each time. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 1) >>> 0
  }

  below(n: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 0x100000000) * n)
  }
}

/** How a machine lies. */
export interface Lies {
  /** Changes what is copied out; may give other bytes of the same length. */
  readonly data?: (bytes: Uint8Array) => void
  /** Changes a result. */
  readonly result?: (value: bigint) => bigint
  /** Cuts every answer into pieces of this many bytes. */
  readonly pieces?: number
}

/** A machine behind someone who changes what it says. */
export function lyingTransport(inner: Transport, lies: Lies): Transport {
  return {
    open(onBytes, onClose): Channel {
      let pending = new Uint8Array(0)
      const give = (bytes: Uint8Array): void => {
        const size = lies.pieces ?? bytes.length
        for (let at = 0; at < bytes.length; at += size) onBytes(bytes.slice(at, at + size))
      }
      return inner.open((bytes) => {
        const joined = new Uint8Array(pending.length + bytes.length)
        joined.set(pending)
        joined.set(bytes, pending.length)
        pending = joined
        for (let length = whole(pending); length > 0; length = whole(pending)) {
          const message = pending.slice(0, length)
          pending = pending.slice(length)
          lie(message, lies)
          give(message)
        }
      }, onClose)
    },
  }
}

/** Bytes of the first message; 0: not all there. */
function whole(bytes: Uint8Array): number {
  if (bytes.length < SYS_HEAD_LEN) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const length = SYS_HEAD_LEN + (view.getUint32(0, true) === SysAnswer.COPYOUT ? view.getUint32(4, true) : 0)
  return bytes.length < length ? 0 : length
}

function lie(message: Uint8Array, lies: Lies): void {
  const view = new DataView(message.buffer)
  const what = view.getUint32(0, true)
  if (what === SysAnswer.COPYOUT) lies.data?.(message.subarray(SYS_HEAD_LEN))
  if (what === SysAnswer.RET && lies.result !== undefined) {
    view.setBigInt64(8, lies.result(view.getBigInt64(8, true)), true)
  }
}
