/** Hears of every lock taken and given back; a kernel's lock checker is one. */
export interface LockObserver {
  /** `bh`: taken with softirqs off. */
  acquired(lock: { readonly name: string }, bh: boolean): void
  released(lock: { readonly name: string }): void
}

/** What a SpinLock is made from. */
export interface SpinLockInit {
  readonly name: string
  /** Words over a SharedArrayBuffer when several threads share the lock; each thread makes its own SpinLock. */
  readonly memory?: Int32Array
  /** Which word of `memory`; 0 is unlocked. */
  readonly index?: number
  readonly observer?: LockObserver
}

const FREE = 0
const HELD = 1
/** Looks before the thread gives its time slice away: the holder may be waiting for this very core. */
const SPINS = 2000
const NAP_MS = 1

/**
 * A lock that is waited for by looking again and again.
 *
 * In one thread nobody could ever give it back while we look, so taking it twice throws an Error at once, as does
 * giving back what is not held. Over shared memory it really excludes other threads.
 *
 * @kernel spinlock_t include/linux/spinlock_types.h
 * @rule CTX-07
 */
export class SpinLock {
  declare readonly name: string
  /** Null in one thread. */
  declare readonly memory: Int32Array | null
  declare readonly index: number
  declare readonly observer: LockObserver | null
  /** Held through this object; 2 when with softirqs off. Written by the functions below only. */
  declare mine: 0 | 1 | 2

  constructor(init: SpinLockInit) {
    this.name = init.name
    this.memory = init.memory !== undefined && isShared(init.memory) ? init.memory : null
    this.index = init.index ?? 0
    this.observer = init.observer ?? null
    this.mine = 0
    if (this.memory !== null && !(this.index >= 0 && this.index < this.memory.length)) {
      throw new RangeError(
        `spinlock ${this.name}: no word ${this.index} in a memory of ${this.memory.length}`,
      )
    }
  }

  /** Held by anyone. Only the holder can rely on it. */
  get locked(): boolean {
    return this.memory === null ? this.mine !== 0 : Atomics.load(this.memory, this.index) !== FREE
  }
}

/**
 * Takes the lock, waiting for another thread to give it back.
 *
 * @kernel spin_lock() include/linux/spinlock.h
 */
export function spinLock(lock: SpinLock): void {
  take(lock, false)
}

/**
 * Takes the lock with softirqs off: for process context, when softirq code takes it as well.
 *
 * The observer is told `bh`; turning softirqs off is its part, since this package knows no kernel.
 *
 * @kernel spin_lock_bh() include/linux/spinlock.h
 * @rule CTX-07
 */
export function spinLockBh(lock: SpinLock): void {
  take(lock, true)
}

/**
 * Takes the lock if it is free, and never waits.
 *
 * @returns true when taken
 * @kernel spin_trylock() include/linux/spinlock.h
 */
export function spinTrylock(lock: SpinLock): boolean {
  if (lock.mine !== 0) return false
  if (lock.memory !== null && Atomics.compareExchange(lock.memory, lock.index, FREE, HELD) !== FREE)
    return false
  own(lock, false)
  return true
}

/**
 * Gives the lock back.
 *
 * @kernel spin_unlock() include/linux/spinlock.h
 */
export function spinUnlock(lock: SpinLock): void {
  give(lock, 1)
}

/**
 * Gives back a lock taken with spinLockBh.
 *
 * @kernel spin_unlock_bh() include/linux/spinlock.h
 */
export function spinUnlockBh(lock: SpinLock): void {
  give(lock, 2)
}

function take(lock: SpinLock, bh: boolean): void {
  if (lock.mine !== 0)
    throw new Error(`spinlock ${lock.name}: taken twice by one thread, which is a deadlock`)
  if (lock.memory !== null) spin(lock.memory, lock.index)
  own(lock, bh)
}

function own(lock: SpinLock, bh: boolean): void {
  lock.mine = bh ? 2 : 1
  if (lock.observer !== null) lock.observer.acquired(lock, bh)
}

function give(lock: SpinLock, how: 1 | 2): void {
  if (lock.mine !== how) {
    throw new Error(
      lock.mine === 0
        ? `spinlock ${lock.name}: given back without being held`
        : `spinlock ${lock.name}: taken ${lock.mine === 2 ? 'with' : 'without'} softirqs off, given back the other way`,
    )
  }
  lock.mine = 0
  if (lock.memory !== null) Atomics.store(lock.memory, lock.index, FREE)
  // Last: the observer may turn softirqs on again, and they may want this lock.
  if (lock.observer !== null) lock.observer.released(lock)
}

function spin(memory: Int32Array, index: number): void {
  for (;;) {
    for (let i = 0; i < SPINS; i++) {
      // Looking does not take the cache line from the holder; exchanging does.
      if (
        Atomics.load(memory, index) === FREE &&
        Atomics.compareExchange(memory, index, FREE, HELD) === FREE
      ) {
        return
      }
    }
    nap(memory, index)
  }
}

function nap(memory: Int32Array, index: number): void {
  try {
    Atomics.wait(memory, index, HELD, NAP_MS)
  } catch {
    // A browser's main thread may not sleep: it goes on looking.
  }
}

function isShared(memory: Int32Array): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer
}
