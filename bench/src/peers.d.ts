declare module 'fast-fifo' {
  export default class FastFifo {
    constructor(highWaterMark: number)
    push(value: unknown): void
    shift(): unknown
  }
}
