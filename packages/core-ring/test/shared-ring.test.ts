import { describe, expect, it } from 'vitest'
import { descRingBytes, descRingLayout, SharedDescRing } from '../src/index.ts'
import { bundleForWorkers, inThread } from './threads.ts'

const makeEnds = (size: number) => {
  const layout = descRingLayout(size, 1, new SharedArrayBuffer(descRingBytes(size, 1)))
  return { driver: new SharedDescRing(layout, 'producer'), device: new SharedDescRing(layout, 'device') }
}

/** The driver's thread: posts checksummed descriptors, checks what the card wrote back. Returns its errors. */
const DRIVER = `
  const r = new ring.SharedDescRing(data.layout, 'producer')
  let sent = 0, back = 0, errors = 0
  while (back < data.count) {
    const n = Math.min(r.avail(), data.count - sent, 1 + (sent % 7))
    for (let k = 0; k < n; k++) {
      const o = r.at(r.prod + k), seq = sent + k, noise = Math.imul(seq, 0x9e3779b1)
      r.words[o] = seq; r.words[o + 1] = noise; r.words[o + 2] = seq ^ noise; r.words[o + 3] = 0
    }
    if (n > 0) r.post(n)
    sent += n
    const done = r.completed()
    for (let k = 0; k < done; k++) if (r.words[r.at(r.clean + k) + 3] !== ~(back + k)) errors++
    if (done > 0) r.reclaim(done)
    back += done
    idle(n + done)
  }
  return { errors, used: r.used() }`

/** The same with publish and write swapped: the card may see a descriptor before it is filled. */
const SWAPPED = DRIVER.replace('if (n > 0) r.post(n)', '')
  .replace(
    'for (let k = 0; k < n; k++) {',
    'const first = r.prod; if (n > 0) { r.post(n); Atomics.wait(nap, 0, 0, 0.01) } for (let k = 0; k < n; k++) {',
  )
  .replace('r.at(r.prod + k)', 'r.at(first + k)')

/** The card's thread: checks order and checksum, writes back, completes. */
const DEVICE = `
  const r = new ring.SharedDescRing(data.layout, 'device')
  let seen = 0, errors = 0
  while (seen < data.count) {
    const n = r.pending()
    for (let k = 0; k < n; k++) {
      const o = r.at(r.cons + k), seq = r.words[o]
      if (seq !== seen + k || (seq ^ r.words[o + 1]) !== r.words[o + 2]) errors++
      r.words[o + 3] = ~(seen + k)
    }
    if (n > 0) r.complete(n)
    seen += n
    idle(n)
  }
  return { errors, used: r.pending() }`

describe('SharedDescRing', () => {
  it('RING-06 a deferred end shows what it posted when it is told to, all at once', () => {
    const { driver: plain, device } = makeEnds(8)
    const driver = new SharedDescRing(plain.layout, 'producer', { deferred: true })
    expect(driver.post(2)).toBe(6)
    driver.post(1)
    expect([driver.used(), device.pending()]).toEqual([3, 0])
    driver.publish()
    expect(device.pending()).toBe(3)
    expect(() => device.publish()).toThrow(TypeError)
  })

  it('RING-05 each end moves its own index only', () => {
    const { driver, device } = makeEnds(4)
    expect(() => driver.complete(0)).toThrow(TypeError)
    expect(() => device.post(0)).toThrow(TypeError)
    expect(() => device.reclaim(0)).toThrow(TypeError)
  })

  it('RING-07 what an end has not looked at is a lower bound, and the next look finds it', () => {
    const { driver, device } = makeEnds(8)
    driver.post(2)
    expect(device.pending()).toBe(2)
    driver.post(1)
    expect(device.pending()).toBe(2)
    device.complete(2)
    expect(device.pending()).toBe(1)
    expect(driver.completed()).toBe(2)
  })

  it('RING-01 a move past what was seen throws', () => {
    const { driver, device } = makeEnds(2)
    driver.post(2)
    expect(() => driver.post(1)).toThrow(RangeError)
    expect(() => device.complete(1)).toThrow(RangeError)
    expect(() => driver.reclaim(1)).toThrow(RangeError)
  })

  it.each([0, 2 ** 32 - 3])(
    'RING-06 two threads: no entry is torn, lost, repeated or out of order (start %s)',
    async (start) => {
      const bundle = await bundleForWorkers()
      const layout = descRingLayout(64, 4, new SharedArrayBuffer(descRingBytes(64, 4)))
      new SharedDescRing(layout, 'producer').reset(start)
      const data = { layout, count: 1_000_000 }
      const ends = await Promise.all([inThread(bundle, DRIVER, data), inThread(bundle, DEVICE, data)])
      expect(ends).toEqual([
        { errors: 0, used: 0 },
        { errors: 0, used: 0 },
      ])
    },
  )

  it('RING-06 catches a driver that publishes before it writes', async () => {
    const bundle = await bundleForWorkers()
    const layout = descRingLayout(64, 4, new SharedArrayBuffer(descRingBytes(64, 4)))
    const data = { layout, count: 2_000 }
    const [, device] = await Promise.all([inThread(bundle, SWAPPED, data), inThread(bundle, DEVICE, data)])
    expect((device as { errors: number }).errors).toBeGreaterThan(0)
  })
})
