import { grouped } from './number.ts'

/** Shows how far something is. */
export interface Progress {
  /** `done` of `total` bytes, `frames` so far. */
  at(done: number, total: number, frames: number): void
  end(): void
}

const SILENT: Progress = { at: () => undefined, end: () => undefined }
/** Steps of the bar; also how often a line is printed when there is no terminal. */
const STEPS = 100
/** Work shorter than this many bytes shows nothing. */
const WORTH_SHOWING = 4 << 20

/** A bar on a terminal, a line each tenth elsewhere, nothing for a short file. It writes to stderr. */
export async function createProgress(what: string, bytes: number): Promise<Progress> {
  if (bytes < WORTH_SHOWING) return SILENT
  return process.stderr.isTTY ? bar(what) : lines(what)
}

async function bar(what: string): Promise<Progress> {
  const { progress } = await import('@clack/prompts')
  const shown = progress({ max: STEPS, output: process.stderr })
  shown.start(what)
  const began = process.hrtime.bigint()
  let step = 0
  return {
    at(done, total, frames) {
      const now = Math.floor((done / total) * STEPS)
      if (now === step) return
      const seconds = Number(process.hrtime.bigint() - began) / 1e9
      const left = Math.ceil((seconds * (total - done)) / done)
      shown.advance(
        now - step,
        `${what}: ${grouped(frames)} frames, ${rate(frames, seconds)} a second, ${left} s left`,
      )
      step = now
    },
    end: () => shown.stop(what),
  }
}

function lines(what: string): Progress {
  let tenth = 0
  return {
    at(done, total, frames) {
      const now = Math.floor((done / total) * 10)
      if (now === tenth) return
      tenth = now
      process.stderr.write(`${what}: ${now * 10} %, ${grouped(frames)} frames\n`)
    },
    end: () => undefined,
  }
}

function rate(frames: number, seconds: number): string {
  return grouped(seconds > 0 ? Math.round(frames / seconds) : frames)
}
