import type { EthtoolRun } from './context.ts'

type Kind = 'bool' | 'u32' | 'text'

/** Words with a value each: `raw on offset 16`. @throws CliExit */
export function keyed(
  run: EthtoolRun,
  kinds: Readonly<Record<string, Kind>>,
): Record<string, boolean | number | string> {
  const values: Record<string, boolean | number | string> = {}
  for (let at = 0; at < run.args.length; at += 2) {
    const word = run.args[at]!
    const kind = kinds[word]
    const text = run.args[at + 1]
    if (kind === undefined || text === undefined) return run.badArgs()
    if (kind === 'bool' && text !== 'on' && text !== 'off') return run.badArgs()
    values[word] = kind === 'bool' ? text === 'on' : kind === 'u32' ? int(run, text) : text
  }
  return values
}

/** A number as strtol reads it: decimal, `0x` or octal. @throws CliExit */
export function int(run: EthtoolRun, text: string): number {
  const value = /^0[0-7]+$/.test(text)
    ? Number.parseInt(text, 8)
    : /^(?:0[xX][\da-fA-F]+|\d+)$/.test(text)
      ? Number(text)
      : Number.NaN
  return value <= 0xffffffff ? value : run.badArgs()
}
