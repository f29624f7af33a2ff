import { vi } from 'vitest'

interface Task {
  readonly fn: () => void
  readonly kind: 'timeout' | 'immediate' | 'message'
  readonly at: number
  refd: boolean
}

/** A host whose clock and event loop the test turns by hand. Call `install()`, and `vi.unstubAllGlobals()` afterwards. */
export class FakeHost {
  ms = 1000
  tasks: Task[] = []

  install(features: { immediate: boolean; channel: boolean }): void {
    const cancel = (task: Task) => void (this.tasks = this.tasks.filter((t) => t !== task))
    vi.stubGlobal('performance', { now: () => this.ms })
    vi.stubGlobal('setTimeout', (fn: () => void, ms: number) => this.#handle(fn, 'timeout', this.ms + ms))
    vi.stubGlobal('clearTimeout', cancel)
    vi.stubGlobal(
      'setImmediate',
      features.immediate ? (fn: () => void) => this.#handle(fn, 'immediate', this.ms) : undefined,
    )
    vi.stubGlobal('clearImmediate', features.immediate ? cancel : undefined)
    vi.stubGlobal('MessageChannel', features.channel ? this.#channel() : undefined)
  }

  /** What is armed: `'timeout 4'`, and whether it keeps the process alive. */
  armed(): string[] {
    return this.tasks.map((t) => `${t.kind} ${t.at - this.ms}${t.refd ? '' : ' unref'}`)
  }

  /** Runs the host's next task, moving its clock there; false when there is none. */
  turn(): boolean {
    const task = this.tasks.reduce<Task | undefined>(
      (a, b) => (a === undefined || b.at < a.at ? b : a),
      undefined,
    )
    if (task === undefined) return false
    this.tasks = this.tasks.filter((t) => t !== task)
    this.ms = Math.max(this.ms, task.at)
    task.fn()
    return true
  }

  #handle(fn: () => void, kind: Task['kind'], at: number): Task & { unref(): void } {
    const task = { fn, kind, at, refd: true, unref: () => void (task.refd = false) }
    this.tasks.push(task)
    return task
  }

  #channel(): unknown {
    const post = (fn: () => void) => this.#handle(fn, 'message', this.ms)
    return class {
      port1 = { onmessage: null as (() => void) | null, close: () => (this.port1.onmessage = null) }
      port2 = { postMessage: () => void post(() => this.port1.onmessage?.()) }
    }
  }
}
