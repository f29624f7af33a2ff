import { screenOf } from '../ui/style.ts'
import { createProgress } from '../ui/progress.ts'
import { replayOptions, type ReplayWords } from './options.ts'
import { Replay } from './replay.ts'
import { isClean, jsonSummary, printSummary } from './summary.ts'

/** `vnet replay FILE`; returns the exit code. */
export async function replayCommand(words: ReplayWords, noColour: boolean): Promise<number> {
  const options = replayOptions(words)
  const screen = screenOf(process.stdout, noColour)
  const replay = new Replay(options, (line) => screen.write(`${line}\n`))
  const size = replay.open()
  const progress = await createProgress('replaying', options.json || options.frames ? 0 : size * options.loop)
  const interrupt = (): void => replay.stop()
  process.once('SIGINT', interrupt)
  try {
    const result = await replay.run(progress)
    if (options.json) screen.write(jsonSummary(options, result))
    else if (result.damage === null || result.offered.frames > 0) printSummary(screen, options, result)
    if (result.damage !== null) {
      process.stderr.write(`vnet replay: ${options.file}: ${result.damage}\n`)
      return 1
    }
    if (result.interrupted) return 130
    return isClean(result) ? 0 : 1
  } finally {
    process.removeListener('SIGINT', interrupt)
  }
}
