declare module 'fast-fifo' {
  export default class FastFifo {
    constructor(highWaterMark: number)
    push(value: unknown): void
    shift(): unknown
  }
}

declare module '*/IXYclass.ixy' {
  export class IXY {
    constructor(address: string, rxQueues: number, txQueues: number, device: unknown)
    rx_batch(queue: number, bufs: unknown[], count: number): number
    tx_batch(queue: number, bufs: unknown[], count: number): number
  }
}

declare module '*/packets.ixy' {
  const packets: {
    create(pool: unknown, index: number, size: number): unknown
    alloc(pool: unknown): unknown
    allocBatch(pool: unknown, bufs: unknown[]): void
  }
  export default packets
}
