import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SOCK } from '../src/consts.ts'
import { libc } from '../src/libc.ts'
import { HostMemory } from '../src/memory.ts'
import { closeFd, sys } from '../src/sys.ts'
import { watchFd, watchMethod } from '../src/watch.ts'
import type { FdWatcher } from '../src/watch.ts'
import { noLinux } from './skip.ts'

const EVENTS = 3000

/** An eventfd on which the handler itself asks again, as a peer does that is answered at once. */
class Asker {
  readonly fd: number
  told = 0
  /** Events handled where another was, before anything else in this process came to run. */
  together = 0
  closed = false
  /** The last one was. */
  here = false
  #fresh = false
  readonly #one = new HostMemory(8)
  readonly #count = new HostMemory(8)

  constructor() {
    this.fd = sys('eventfd', [0, 0o4000 | SOCK.CLOEXEC])
    this.#one.view.setBigUint64(0, 1n, true)
  }

  ask(): void {
    libc().write(this.fd, this.#one.address, 8)
  }

  /** False when nobody asked. */
  take(): boolean {
    if (libc().read(this.fd, this.#count.address, 8) < 0) return false
    this.told++
    this.here = this.#fresh
    if (this.here) this.together++
    this.#fresh = true
    queueMicrotask(() => (this.#fresh = false))
    return true
  }
}

describe.skipIf(noLinux() !== false || watchMethod() !== 'uv')(
  'a handler that says whether there was something',
  () => {
    let asker: Asker
    let watcher: FdWatcher | null = null
    beforeEach(() => {
      asker = new Asker()
    })
    afterEach(() => {
      watcher?.close()
      closeFd(asker.fd)
    })

    function watch(readable: () => boolean | void): FdWatcher {
      watcher = watchFd(asker.fd, { readable }, 'uv')
      watcher.start()
      return watcher
    }

    it('is asked again without a turn of the loop, while events follow each other', async () => {
      await new Promise<void>((done) => {
        watch(() => {
          if (!asker.take()) return false
          if (asker.told < EVENTS) asker.ask()
          else done()
          return true
        })
        asker.ask()
      })
      expect(asker.told).toBe(EVENTS)
      expect(asker.together).toBeGreaterThan(0)
    })

    it('gives the loop its turn when something there is due', async () => {
      const late: number[] = []
      await new Promise<void>((done) => {
        watch(() => {
          if (!asker.take()) return false
          if (asker.told === EVENTS) done()
          else asker.ask()
          if (asker.told % 100 === 0) {
            const { told } = asker
            setImmediate(() => late.push(asker.told - told))
          }
          return true
        })
        asker.ask()
      })
      await new Promise(setImmediate)
      expect(late).toHaveLength(EVENTS / 100)
      // It is asked for each few events.
      expect(Math.max(...late)).toBeLessThanOrEqual(5)
    })

    it('is left alone once it was closed, also by itself', async () => {
      let last = 0
      await new Promise<void>((done) => {
        const it = watch(() => {
          if (!asker.take()) return false
          asker.ask()
          // Closed right where the handler would be called again.
          if (asker.told < EVENTS || !asker.here || last > 0) return true
          last = asker.told
          it.close()
          done()
          return true
        })
        asker.ask()
      })
      await new Promise((resolve) => setTimeout(resolve, 10))
      expect(asker.told).toBe(last)
    })

    it('is left alone when it closed because there was nothing', async () => {
      let after = 0
      await new Promise<void>((done) => {
        const it = watch(() => {
          if (asker.closed) after++
          if (asker.take()) {
            if (asker.told < EVENTS || !asker.here) asker.ask()
            return true
          }
          // Nothing at hand: that is said only while it is looked for.
          it.close()
          asker.closed = true
          done()
          return false
        })
        asker.ask()
      })
      expect(after).toBe(0)
    })

    it('is not asked again when it does not say', async () => {
      await new Promise<void>((done) => {
        watch(() => {
          asker.take()
          if (asker.told < 500) asker.ask()
          else done()
        })
        asker.ask()
      })
      expect(asker.together).toBe(0)
    })
  },
)
