import type { CapturedPacket } from './captured.ts'

/** Bytes a fresh socket may hold. @kernel sysctl_rmem_default net/core/sock.c */
export const DEFAULT_RCVBUF = 212992
/** What a packet costs beside its bytes. @kernel SKB_TRUESIZE() include/linux/skbuff.h */
const OVERHEAD = 768
const MIN_RCVBUF = 2304
const MAX_RCVBUF = 64 * 1024 * 1024

/** The packets that wait for a program, as many as there is room for. @kernel sk_receive_queue include/net/sock.h */
export class PacketQueue {
  #packets: CapturedPacket[] = []
  #first = 0
  #bytes = 0
  #rcvbuf = DEFAULT_RCVBUF

  /** Bytes it may hold: twice what was asked for. */
  get rcvbuf(): number {
    return this.#rcvbuf
  }

  set rcvbuf(bytes: number) {
    this.#rcvbuf = Math.max(MIN_RCVBUF, Math.min(bytes * 2, MAX_RCVBUF))
  }

  get empty(): boolean {
    return this.#first === this.#packets.length
  }

  /** False: there is no room. */
  put(packet: CapturedPacket): boolean {
    if (this.#bytes + packet.bytes.length + OVERHEAD > this.#rcvbuf) return false
    this.#packets.push(packet)
    this.#bytes += packet.bytes.length + OVERHEAD
    return true
  }

  peek(): CapturedPacket | undefined {
    return this.#packets[this.#first]
  }

  take(): CapturedPacket | undefined {
    const packet = this.#packets[this.#first]
    if (packet === undefined) return undefined
    this.#bytes -= packet.bytes.length + OVERHEAD
    this.#first++
    if (this.empty) this.clear()
    else if (this.#first > 1000) {
      this.#packets = this.#packets.slice(this.#first)
      this.#first = 0
    }
    return packet
  }

  clear(): void {
    this.#packets = []
    this.#first = 0
    this.#bytes = 0
  }
}
