import { closeSync, openSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** Ends the command: what was asked makes no sense. */
function refuse(message: string): never {
  console.error(`bench: ${message}`)
  process.exit(2)
}

/** What both benchmarks take; ends the command when it makes no sense. */
export function benchOptions() {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        only: { type: 'string', multiple: true, default: [] },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    return refuse(`${(error as Error).message.split('. ')[0]!}; --help shows what there is`)
  }
}

/** What a run needs is looked at before it begins: every name means something, and the file can be written. */
export function checkPlan(only: readonly string[], ids: readonly string[], json: string | undefined): void {
  for (const name of only)
    if (!ids.some((id) => id.includes(name)))
      refuse(`nothing has "${name}" in its name; --list shows the names`)
  if (json === undefined) return
  try {
    closeSync(openSync(json, 'a'))
  } catch (error) {
    refuse(`cannot write to ${json}: ${(error as Error).message}`)
  }
}
