/* eslint-disable no-restricted-syntax -- a kernel has no promises; here another thread is waited for, outside of any kernel */
/** Sleeping on a word of shared memory, where the host can. */

interface AsyncResult {
  readonly async: boolean
  readonly value: Promise<unknown> | string
}

type WaitAsync = (words: Int32Array, index: number, value: number, timeoutMs?: number) => AsyncResult

const { waitAsync } = Atomics as unknown as { waitAsync?: WaitAsync }

/** True when the host can wait for a word without stopping its event loop. */
export const canWaitAsync = waitAsync !== undefined

/** Resolves when the word was notified, or is not `value` (any more), or the time is up. */
export async function changed(
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
): Promise<void> {
  const result = waitAsync!(words, index, value, timeoutMs)
  if (result.async) await result.value
}

/** Rounds to look before sleeping; sleeping takes longer to wake from than most answers take. */
const LOOKS = 20_000
const NAP_MS = 10
/** What a refused nap counts for; nobody here knows the time. */
const REFUSED_MS = 0.001

/**
 * Waits, with this thread's event loop stopped, until a word has a value.
 *
 * @returns false when `limitMs` went by; a browser's main thread may not sleep, and its limit is a rough one
 */
export function waitFor(words: Int32Array, index: number, value: number, limitMs: number): boolean {
  for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, index) === value) return true
  for (let ms = 0; ms < limitMs;) {
    const seen = Atomics.load(words, index)
    if (seen === value) return true
    try {
      Atomics.wait(words, index, seen, NAP_MS)
      ms += NAP_MS
    } catch {
      // Not allowed here.
      ms += REFUSED_MS
    }
  }
  return Atomics.load(words, index) === value
}
