import type { CommandLine } from './line.ts'

type Kind = 'bool' | 'u32' | 'text'

/** Words with a value each: `raw on offset 16`. @throws CliExit @kernel none */
export function keyed(
  cli: CommandLine,
  kinds: Readonly<Record<string, Kind>>,
): Record<string, boolean | number | string> {
  const values: Record<string, boolean | number | string> = {}
  for (let at = 0; at < cli.args.length; at += 2) {
    const word = cli.args[at]!
    const kind = kinds[word]
    const text = cli.args[at + 1]
    if (kind === undefined || text === undefined) return cli.badArgs()
    if (kind === 'bool' && text !== 'on' && text !== 'off') return cli.badArgs()
    values[word] = kind === 'bool' ? text === 'on' : kind === 'u32' ? int(cli, text) : text
  }
  return values
}

/** A number as strtol reads it: decimal, `0x` or octal. @throws CliExit @kernel none */
export function int(cli: CommandLine, text: string): number {
  const value = /^0[0-7]+$/.test(text)
    ? parseInt(text, 8)
    : /^(?:0[xX][\da-fA-F]+|\d+)$/.test(text)
      ? Number(text)
      : NaN
  return value <= 0xffffffff ? value : cli.badArgs()
}
