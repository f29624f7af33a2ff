import { usage } from '../errors.ts'

/** Words of the command line that may be rule ids: `TXQ-01`, also several with commas between. */
export function ruleIds(words: readonly string[], known: ReadonlySet<string>): readonly string[] | undefined {
  const ids = words
    .flatMap((word) => word.split(','))
    .map((word) => word.trim().toUpperCase())
    .filter((id) => id !== '')
  if (ids.length === 0) return undefined
  const strange = ids.find((id) => !known.has(id))
  if (strange !== undefined)
    throw usage(`vnet conformance: there is no rule ${strange}; see docs/driver-rules.md`)
  return ids
}

/** A whole number from `low` on. @throws CommandError */
export function wholeNumber(command: string, option: string, text: string, low: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < low || value > 0xffffffff)
    throw usage(`vnet ${command}: --${option} is a whole number from ${low} on, not '${text}'`)
  return value
}
