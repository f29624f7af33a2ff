/* eslint-disable no-restricted-syntax -- a kernel has no promises; here other threads are waited for, outside of any kernel */
/** A way to send messages to another thread, in order: made by the caller of a `Worker` and its `parentPort`, or of a browser's. */
export interface ParallelChannel {
  send(message: unknown): void
  receive(fn: (message: unknown) => void): void
}

/** What a worker can be asked to do, by name. Argument and result travel as messages: no functions, no kernels. */
export type ParallelJobs = Readonly<Record<string, (argument: never) => unknown>>

/** One thing to do, on its way to a worker. */
interface Job {
  readonly n: number
  readonly name: string
  readonly argument: unknown
}

interface Answer {
  readonly n: number
  readonly result?: unknown
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string | undefined }
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

/**
 * Many machines over several workers: each job makes its own kernel, runs it, and says what came of it.
 *
 * A job knows nothing but its argument, so the same jobs give the same results on one worker and on ten. A worker has
 * one job at a time; the next goes to whoever is free first.
 *
 * @kernel none
 */
export class Parallel {
  readonly #free: ParallelChannel[]
  readonly #workers: number
  readonly #queue: Job[] = []
  readonly #waiting = new Map<number, Waiting>()
  #next = 0

  /** @param channels - one to each worker, which calls {@link serveParallel} */
  constructor(channels: readonly ParallelChannel[]) {
    if (channels.length === 0) throw new RangeError('Parallel needs a worker')
    this.#free = [...channels]
    this.#workers = channels.length
    for (const channel of channels) channel.receive((message) => this.#answered(channel, message as Answer))
  }

  /** How many workers there are. */
  get workers(): number {
    return this.#workers
  }

  /** Jobs not yet done. */
  get pending(): number {
    return this.#waiting.size
  }

  /** Has a worker do one job. @returns its result; rejects with what it threw */
  run<R>(name: string, argument: unknown): Promise<R> {
    const job = { n: this.#next++, name, argument }
    return new Promise<R>((resolve, reject) => {
      this.#waiting.set(job.n, { resolve: resolve as (result: unknown) => void, reject })
      this.#queue.push(job)
      this.#send()
    })
  }

  /** Has the workers do the job for each argument. @returns the results in the order of the arguments */
  map<R>(name: string, args: readonly unknown[]): Promise<R[]> {
    return Promise.all(args.map((argument) => this.run<R>(name, argument)))
  }

  #send(): void {
    while (this.#queue.length > 0 && this.#free.length > 0) this.#free.shift()!.send(this.#queue.shift())
  }

  #answered(channel: ParallelChannel, { n, result, error }: Answer): void {
    const waiting = this.#waiting.get(n)
    if (waiting === undefined) return
    this.#waiting.delete(n)
    this.#free.push(channel)
    this.#send()
    if (error === undefined) waiting.resolve(result)
    else waiting.reject(Object.assign(new Error(error.message), { name: error.name, stack: error.stack }))
  }
}

/** The worker's part of {@link Parallel}: does the jobs that come. @kernel none */
export function serveParallel(channel: ParallelChannel, jobs: ParallelJobs): void {
  channel.receive((message) => void serve(message as Job).then((answer) => channel.send(answer)))

  async function serve({ n, name, argument }: Job): Promise<Answer> {
    try {
      const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined
      if (job === undefined) throw new RangeError(`no job '${name}' in this worker`)
      return { n, result: await job(argument as never) }
    } catch (error) {
      const e = error instanceof Error ? error : new Error(String(error))
      return { n, error: { name: e.name, message: e.message, stack: e.stack } }
    }
  }
}
