import { closeSync, openSync } from 'node:fs'
import { parseArgs, type ParseArgsConfig } from 'node:util'

/** Ends the command: what was asked makes no sense. */
export function refuse(message: string): never {
  console.error(`bench: ${message}`)
  process.exit(2)
}

type Options = NonNullable<ParseArgsConfig['options']>
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values']

/** The options of a command line; ends the command when they make no sense. */
export function optionsOf<const T extends Options>(options: T): Values<T> {
  try {
    return parseArgs({ options }).values
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
