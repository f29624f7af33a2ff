import { describe, expect, it } from 'vitest'
import { SpinLock, spinLock, spinLockBh, spinTrylock, spinUnlock, spinUnlockBh } from '../src/index.ts'
import { bundleForWorkers, inThread } from './threads.ts'

const INCREMENT = `
  const lock = new ring.SpinLock({ name: 'count', memory: data.words, index: 3 })
  for (let i = 0; i < data.rounds; i++) {
    ring.spinLock(lock)
    data.words[data.at] = data.words[data.at] + 1
    ring.spinUnlock(lock)
  }
  return true`

describe('SpinLock', () => {
  it.each([
    ['in one thread', undefined],
    ['over shared memory', new Int32Array(new SharedArrayBuffer(4))],
  ])('%s: is taken, tried, given back', (_where, memory) => {
    const lock = new SpinLock({ name: 'tx', ...(memory && { memory }) })
    expect(lock.locked).toBe(false)
    spinLock(lock)
    expect(lock.locked).toBe(true)
    expect(spinTrylock(lock)).toBe(false)
    expect(() => spinLock(lock)).toThrow('tx: taken twice')
    spinUnlock(lock)
    expect(spinTrylock(lock)).toBe(true)
    spinUnlock(lock)
    expect(lock.locked).toBe(false)
    expect(() => spinUnlock(lock)).toThrow('without being held')
  })

  it('cannot be given back the other way than it was taken', () => {
    const lock = new SpinLock({ name: 'rx' })
    spinLockBh(lock)
    expect(() => spinUnlock(lock)).toThrow('with softirqs off')
    spinUnlockBh(lock)
    spinLock(lock)
    expect(() => spinUnlockBh(lock)).toThrow('without softirqs off')
  })

  it('another thread holding it makes trylock fail', () => {
    const memory = new Int32Array(new SharedArrayBuffer(8))
    const mine = new SpinLock({ name: 'a', memory, index: 1 })
    const theirs = new SpinLock({ name: 'a', memory, index: 1 })
    spinLock(theirs)
    expect(mine.locked).toBe(true)
    expect(spinTrylock(mine)).toBe(false)
    spinUnlock(theirs)
    expect(spinTrylock(mine)).toBe(true)
  })

  it('refuses a word outside its memory', () => {
    expect(
      () => new SpinLock({ name: 'a', memory: new Int32Array(new SharedArrayBuffer(8)), index: 2 }),
    ).toThrow(RangeError)
  })

  it('CTX-07 tells the observer, and only after the lock is really free', () => {
    const log: string[] = []
    const lock: SpinLock = new SpinLock({
      name: 'q',
      observer: {
        acquired: (l, bh) => log.push(`+${l.name} bh=${bh} ${lock.locked}`),
        released: (l) => log.push(`-${l.name} ${lock.locked}`),
      },
    })
    spinLockBh(lock)
    spinUnlockBh(lock)
    spinTrylock(lock)
    spinUnlock(lock)
    expect(log).toEqual(['+q bh=true true', '-q false', '+q bh=false true', '-q false'])
  })

  it('really excludes: four threads increment one counter and lose nothing', async () => {
    const bundle = await bundleForWorkers()
    const data = { words: new Int32Array(new SharedArrayBuffer(256)), at: 40, rounds: 50_000 }
    await Promise.all([1, 2, 3, 4].map(() => inThread(bundle, INCREMENT, data)))
    expect(data.words[data.at]).toBe(200_000)
    expect(data.words[3]).toBe(0)
  })
})
