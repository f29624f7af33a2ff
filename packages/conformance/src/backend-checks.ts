import { BackendProbe, numbered, type BackendTestbed } from './backend-testbed.ts'
import type { BackendSpec } from './backend-spec.ts'
import { SECOND } from './testbed.ts'

/** One thing every backend does. @kernel none */
export interface BackendCheck {
  readonly title: string
  /** Whether the check makes sense for this backend. */
  needs?(spec: BackendSpec): boolean
  run(t: BackendTestbed): void
}

const speaks = (spec: BackendSpec): boolean => spec.echoes === true || spec.sends === true
/** Lengths no card should send, and one that no card can. */
const ODD_LENGTHS = [...Array(14).keys(), 65_536]

/** What every backend and every wrapper keeps to. @kernel none */
export const backendChecks: readonly BackendCheck[] = [
  {
    title: 'begins unplugged, with empty counters and nothing pending',
    run(t) {
      t.expect(t.backend.name !== '', 'it has no name')
      const { txFrames, rxFrames, dropped, held, made } = t.backend.counters
      t.equal([txFrames, rxFrames, dropped, held, made], [0, 0, 0, 0, 0], 'counters')
      t.unplug()
      t.nothingLeft()
      t.kernel.runFor(SECOND)
      t.equal(t.port.frames.length, 0, 'frames before a card is there')
    },
  },
  {
    title: 'takes one card at a time and leaves the first alone',
    run(t) {
      t.port.plug(t.backend)
      const second = new BackendProbe()
      let code = 'none'
      try {
        t.backend.attach(second)
      } catch (error) {
        code = (error as { code?: string }).code ?? String(error)
      }
      t.equal(code, 'EBUSY', 'a second card')
      t.send(1)
      t.kernel.runFor(SECOND)
      t.equal(second.frames.length, 0, 'frames of the second card')
      t.backend.attach(null)
      second.plug(t.backend)
      t.equal(t.backend.counters.txFrames, 1, 'txFrames')
    },
  },
  {
    title: 'counts what it takes from the card, frames and bytes',
    run(t) {
      t.port.plug(t.backend)
      for (const length of [60, 1514, 60])
        t.expect(t.send(1, length), `it refused a frame of ${length} bytes`)
      t.equal([t.backend.counters.txFrames, t.backend.counters.txBytes], [3, 1634], 'txFrames and txBytes')
      t.backend.flush?.()
      t.booksAddUp()
    },
  },
  {
    title: 'never calls the card from inside a call of the card',
    run(t) {
      t.port.plug(t.backend)
      let left = 20
      t.port.onReceive = (frame) => {
        if (left-- > 0) t.port.send(t.backend, frame)
      }
      t.sendMany(20)
      t.backend.flush?.()
      t.kernel.runFor(SECOND)
      t.expect(!t.port.reentered, 'the card was called while it was calling')
      if (t.speaks) t.expect(t.port.frames.length > 0, 'the card got nothing')
    },
  },
  {
    title: 'takes frames of 0 to 13 bytes and of 64 KiB without harm',
    run(t) {
      t.port.plug(t.backend)
      for (const length of ODD_LENGTHS) t.send(1, length)
      t.kernel.runFor(SECOND)
      t.equal(t.backend.counters.txFrames, ODD_LENGTHS.length, 'txFrames')
      t.booksAddUp()
      if (t.spec.echoes === true) t.equal(t.port.frames.map((f) => f.length), ODD_LENGTHS, 'lengths that came back') // prettier-ignore
    },
  },
  {
    title: 'SKB-07 leaves nothing pending when the card is unplugged, and calls it no more',
    run(t) {
      t.port.plug(t.backend)
      t.sendMany(10)
      t.backend.attach(null)
      t.unplug()
      t.nothingLeft()
      t.equal(t.backend.counters.held, 0, 'frames held')
      const seen = t.port.frames.length
      t.kernel.runFor(10 * SECOND)
      t.equal(t.port.frames.length, seen, 'frames after the card was unplugged')
      t.booksAddUp()
    },
  },
  {
    title: 'SKB-07 unplugs every layer under it: a card fits into the lowest again',
    run(t) {
      t.port.plug(t.backend)
      t.backend.attach(null)
      for (let layer = t.backend.lower; layer !== undefined; layer = layer.lower) {
        const probe = new BackendProbe()
        probe.plug(layer)
        layer.attach(null)
      }
      t.port.plug(t.backend)
      t.backend.attach(null)
    },
  },
  {
    title: 'can be unplugged twice, from inside receive, and plugged in again',
    run(t) {
      t.port.plug(t.backend)
      t.port.onReceive = () => t.backend.attach(null)
      t.sendMany(10)
      t.kernel.runFor(2 * SECOND)
      if (t.speaks) t.equal(t.port.frames.length, 1, 'frames until the card unplugged itself')
      t.nothingLeft('hwevent')
      t.backend.attach(null)
      t.backend.attach(null)
      t.booksAddUp()
      t.equal(t.backend.counters.held, 0, 'frames held')
      t.port.onReceive = null
      t.port.plug(t.backend)
      t.send(11)
      t.kernel.runFor(2 * SECOND)
      if (t.speaks) t.expect(t.port.frames.length > 1, 'nothing came after the card was plugged in again')
      t.backend.attach(null)
      t.unplug()
      t.nothingLeft()
      t.booksAddUp()
    },
  },
  {
    title: 'STAT-13 keeps its books when frames are sent with no card plugged in',
    run(t) {
      t.sendMany(5)
      t.kernel.runFor(SECOND)
      t.equal(t.port.frames.length, 0, 'frames of a card that is not there')
      t.booksAddUp()
    },
  },
  {
    title: 'counts what the card misses',
    needs: speaks,
    run(t) {
      t.port.takes = false
      t.port.plug(t.backend)
      t.sendMany(10)
      t.kernel.runFor(2 * SECOND)
      const { rxFrames, rxMissed } = t.backend.counters
      t.expect(rxFrames > 0, 'it offered nothing')
      t.equal(rxMissed, rxFrames, 'rxMissed of a card that takes nothing')
      t.booksAddUp()
    },
  },
  {
    title: 'copies what it keeps: the card may use its buffer again',
    needs: (spec) => spec.echoes === true,
    run(t) {
      t.port.plug(t.backend)
      const lengths = [60, 61, 64, 65, 1514, 9000]
      lengths.forEach((length, n) => t.send(n, length))
      t.kernel.runFor(SECOND)
      const sent = lengths.map((length, n) => [...numbered(n, length)])
      t.equal(t.port.frames.map((f) => [...f]), sent, 'frames that came back') // prettier-ignore
    },
  },
]
