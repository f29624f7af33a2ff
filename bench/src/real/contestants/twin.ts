import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'

/** A C twin that works until its input ends, beside a contestant who measures it. */
export class Twin {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Starts it and waits until it says that it is ready. @param descriptors - what it gets as 3, 4, … */
  static async start(
    program: string,
    args: readonly string[],
    descriptors: readonly number[] = [],
  ): Promise<Twin> {
    const stdio: StdioOptions = ['pipe', 'pipe', 'inherit', ...descriptors]
    const child = spawn(`${import.meta.dirname}/${program}`, args, { stdio })
    const ended = once(child, 'close').then(() => {
      throw new Error(`${program} ended`)
    })
    await Promise.race([once(child.stdout!, 'data'), ended])
    ended.catch(() => {})
    return new Twin(child)
  }

  close(): void {
    this.#child.stdin!.end()
  }
}
