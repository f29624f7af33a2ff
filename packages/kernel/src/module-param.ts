import { Errno } from './errno.ts'

/** A parameter's value once it is parsed. */
export type ModuleParamValue = number | boolean | string

/** What a module says about one of its parameters. */
export interface ModuleParam<T extends ModuleParamValue = ModuleParamValue> {
  readonly type: 'int' | 'uint' | 'ulong' | 'bool' | 'charp'
  readonly default: T
  readonly description: string
  /** Smallest and largest value allowed; without them the type's own range. */
  readonly min?: number
  readonly max?: number
  /** A further check: a sentence when the value is refused, which goes into the error. */
  check?(value: T): string | undefined
}

/** One `name=value` as the kernel cuts it out of the line given to insmod. */
export interface ModuleArgument {
  readonly name: string
  /** `undefined`: there was no `=`. */
  readonly value: string | undefined
}

/**
 * Cuts a line of parameters at blanks outside double quotes, and takes the quotes off.
 *
 * @kernel next_arg() lib/cmdline.c
 */
export function splitModuleArgs(line: string): ModuleArgument[] {
  const args: ModuleArgument[] = []
  let at = 0
  for (;;) {
    while (at < line.length && isSpace(line[at]!)) at++
    if (at >= line.length) return args
    let inQuote = false
    const start = at
    while (at < line.length && (inQuote || !isSpace(line[at]!))) {
      if (line[at] === '"') inQuote = !inQuote
      at++
    }
    args.push(splitOne(line.slice(start, at)))
  }
}

function splitOne(word: string): ModuleArgument {
  const quoted = word.startsWith('"')
  const body = quoted ? word.slice(1) : word
  const equals = body.indexOf('=')
  const name = equals > 0 ? body.slice(0, equals) : quoted ? trimQuote(body) : body
  if (equals <= 0) return { name, value: undefined }
  const value = body.slice(equals + 1)
  if (value.startsWith('"')) return { name, value: trimQuote(value.slice(1)) }
  return { name, value: quoted ? trimQuote(value) : value }
}

function trimQuote(text: string): string {
  return text.endsWith('"') ? text.slice(0, -1) : text
}

function isSpace(char: string): boolean {
  return ' \t\r\v\f\n'.includes(char)
}

/**
 * Says whether two parameter names are the same: `-` and `_` are one letter.
 *
 * @kernel parameq() kernel/params.c
 */
export function parameq(a: string, b: string): boolean {
  return a.replaceAll('-', '_') === b.replaceAll('-', '_')
}

/**
 * Turns the text given for a parameter into its value.
 *
 * Whole numbers may be decimal, octal (`0…`) or hexadecimal (`0x…`). A bool without a value is on.
 *
 * @throws Errno EINVAL not of this form, or outside min and max, or refused by `check`; ERANGE outside the type;
 * ENOSPC a text above 1,024 bytes
 * @kernel param_set_uint() kernel/params.c
 */
export function parseModuleParam(param: ModuleParam, text: string | undefined): ModuleParamValue {
  const value = parseType(param.type, text)
  if (typeof value === 'number') {
    if (param.min !== undefined && value < param.min)
      throw new Errno('EINVAL', `must be at least ${param.min}`)
    if (param.max !== undefined && value > param.max)
      throw new Errno('EINVAL', `must be at most ${param.max}`)
  }
  const refused = param.check?.(value)
  if (refused !== undefined) throw new Errno('EINVAL', refused)
  return value
}

function parseType(type: ModuleParam['type'], text: string | undefined): ModuleParamValue {
  if (type === 'bool') return kstrtobool(text ?? '1')
  if (text === undefined) throw new Errno('EINVAL')
  switch (type) {
    case 'charp':
      if (text.length > 1024) throw new Errno('ENOSPC')
      return text
    case 'int':
      return kstrtoint(text, -0x80000000, 0x7fffffff)
    case 'uint':
      return kstrtoint(text, 0, 0xffffffff)
    case 'ulong':
      return kstrtoint(text, 0, Number.MAX_SAFE_INTEGER)
  }
}

/**
 * Reads a truth value: `y t 1 on` and `n f 0 off`, of which only the first letters count.
 *
 * @throws Errno EINVAL
 * @kernel kstrtobool() lib/kstrtox.c
 */
export function kstrtobool(text: string): boolean {
  if (/^(?:[yYtT1]|[oO][nN])/.test(text)) return true
  if (/^(?:[nNfF0]|[oO][fF])/.test(text)) return false
  throw new Errno('EINVAL')
}

const BASES = [
  { form: /^[+-]?0[xX][0-9a-fA-F]+$/, base: 16, prefix: 2 },
  { form: /^[+-]?0[0-7]+$/, base: 8, prefix: 1 },
  { form: /^[+-]?\d+$/, base: 10, prefix: 0 },
] as const

/**
 * Reads a whole number between two limits; the base shows in its first characters.
 *
 * One newline at the end is allowed. An unsigned number takes no `-`.
 *
 * @throws Errno EINVAL no number, ERANGE outside the limits
 * @kernel kstrtoint() lib/kstrtox.c
 */
export function kstrtoint(text: string, min: number, max: number): number {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text
  const negative = body.startsWith('-')
  if (negative && min >= 0) throw new Errno('EINVAL')
  // A leading 0 means octal, so '08' is no number; that is why the decimal form comes last and checks.
  const form = BASES.find((b) => b.form.test(body))
  if (form === undefined || (form.base === 10 && /^[+-]?0./.test(body))) throw new Errno('EINVAL')
  const digits = body.replace(/^[+-]/, '').slice(form.prefix)
  const value = parseInt(digits, form.base) * (negative ? -1 : 1)
  if (!(value >= min && value <= max)) throw new Errno('ERANGE')
  return value === 0 ? 0 : value
}
