import { Errno, hwEventCancel, hwEventSetup, hwEventStart, type Kernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { runBackend, testBackend, type BackendLike, type BackendSpec, type CablePort } from '../src/index.ts'

/** A cable whose far end is its near end: a good backend, in the plainest way. */
class Echo implements BackendLike {
  readonly name = 'echo'
  readonly counters = {
    txFrames: 0, txBytes: 0, rxFrames: 0, rxBytes: 0, rxMissed: 0, dropped: 0, held: 0, upFrames: 0, downFrames: 0, made: 0,
  } // prettier-ignore
  port: CablePort | null = null
  waiting: Uint8Array[] = []
  readonly event

  constructor(kernel: Kernel) {
    this.event = hwEventSetup(kernel, () => this.deliver(), 'echo')
  }

  get linkUp(): boolean {
    return this.port !== null
  }

  attach(port: CablePort | null): void {
    if (port !== null && this.port !== null) throw new Errno('EBUSY')
    this.port = port
    if (port === null) this.forget()
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    this.counters.txFrames++
    this.counters.txBytes += length
    if (this.port === null) {
      this.counters.dropped++
      return true
    }
    this.keep(mem, offset, length)
    return true
  }

  keep(mem: Uint8Array, offset: number, length: number): void {
    this.counters.held++
    this.waiting.push(mem.slice(offset, offset + length))
    hwEventStart(this.event, 1)
  }

  forget(): void {
    hwEventCancel(this.event)
    this.counters.dropped += this.waiting.length
    this.counters.held = 0
    this.waiting = []
  }

  deliver(): void {
    for (let frame = this.waiting.shift(); frame !== undefined; frame = this.waiting.shift()) {
      this.counters.held--
      this.offer(frame)
    }
  }

  offer(frame: Uint8Array): void {
    this.counters.rxFrames++
    this.counters.rxBytes += frame.length
    if (this.port?.receive(frame, 0, frame.length) === false) this.counters.rxMissed++
  }
}

const spec = (Backend: typeof Echo): BackendSpec => ({
  name: 'echo',
  create: (kernel) => ({ backend: new Backend(kernel) }),
  echoes: true,
})

testBackend({ describe, it }, spec(Echo))

const broken: readonly (readonly [string, RegExp, typeof Echo])[] = [
  [
    'keeps the caller’s bytes and copies nothing',
    /copies what it keeps/,
    class extends Echo {
      override keep(mem: Uint8Array, offset: number, length: number): void {
        super.keep(mem, offset, length)
        this.waiting[this.waiting.length - 1] = mem.subarray(offset, offset + length)
      }
    },
  ],
  [
    'calls the card from inside transmit',
    /never calls the card/,
    class extends Echo {
      override keep(mem: Uint8Array, offset: number, length: number): void {
        this.offer(mem.slice(offset, offset + length))
      }
    },
  ],
  [
    'goes on after the card was unplugged',
    /SKB-07/,
    class extends Echo {
      override forget(): void {}
    },
  ],
  [
    'loses frames without counting them',
    /out, dropped and held/,
    class extends Echo {
      override forget(): void {
        super.forget()
        this.counters.dropped = 0
      }
    },
  ],
  [
    'takes a second card',
    /takes one card/,
    class extends Echo {
      override attach(port: CablePort | null): void {
        if (port !== null) this.port = null
        super.attach(port)
      }
    },
  ],
  [
    'does not see what the card misses',
    /counts what the card misses/,
    class extends Echo {
      override offer(frame: Uint8Array): void {
        super.offer(frame)
        this.counters.rxMissed = 0
      }
    },
  ],
]

describe('a broken backend is caught', () => {
  it.each(broken)('%s', (_fault, sentence, Backend) => {
    expect(runBackend(spec(Backend)).join('\n')).toMatch(sentence)
  })
})
