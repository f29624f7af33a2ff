import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventHeap, IDLE, KernelEvent } from '../src/heap.ts'

interface Entry {
  readonly event: KernelEvent
  readonly expires: number
  readonly order: number
}

/** The same thing as a plain list that is sorted at every look. */
class Model {
  entries: Entry[] = []
  order = 0

  put(event: KernelEvent, expires: number): void {
    this.remove(event)
    this.entries.push({ event, expires, order: this.order++ })
    this.entries.sort((a, b) => a.expires - b.expires || a.order - b.order)
  }
  remove(event: KernelEvent): boolean {
    const before = this.entries.length
    this.entries = this.entries.filter((entry) => entry.event !== event)
    return this.entries.length < before
  }
  pop(): KernelEvent | null {
    return this.entries.shift()?.event ?? null
  }
}

type Command =
  | { readonly do: 'put'; readonly which: number; readonly expires: number }
  | { readonly do: 'remove'; readonly which: number }
  | { readonly do: 'pop' }

const which = fc.nat(24)
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), which, expires: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pop' as const) }) },
)

describe('EventHeap', () => {
  it('behaves as a sorted list: earliest first, the same time in the order of arming', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200, size: 'max' }), (commands) => {
        const events = Array.from({ length: 25 }, () => new KernelEvent(0, {}))
        const heap = new EventHeap()
        const model = new Model()
        for (const c of commands) {
          if (c.do === 'put') {
            heap.put(events[c.which]!, c.expires)
            model.put(events[c.which]!, c.expires)
          } else if (c.do === 'remove') {
            expect(heap.remove(events[c.which]!)).toBe(model.remove(events[c.which]!))
          } else {
            expect(heap.pop()).toBe(model.pop())
          }
          // One expect a step: they are what takes the time.
          const armed = events.filter((event) => event.slot >= 0).length
          expect([heap.size, armed, heap.peek() === (model.entries[0]?.event ?? null)]).toEqual([
            model.entries.length,
            model.entries.length,
            true,
          ])
        }
        while (model.entries.length > 0) expect(heap.pop()).toBe(model.pop())
        expect(heap.pop()).toBeNull()
        for (const event of events) expect(event.slot).toBe(IDLE)
      }),
      { numRuns: 60 },
    )
  })
})
