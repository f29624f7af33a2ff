/**
 * Fills a printf format as the kernel's `vsprintf` does, as far as log lines need it.
 *
 * Known: `%s %c %d %i %u %x %X %o %%`, with `-`, `0`, `#`, a width, a precision and length letters (ignored), and
 * `%p` with its letters (`%pM`, `%pI4` …), whose argument is the ready text. What has no argument stays as written.
 *
 * @kernel vsnprintf() lib/vsprintf.c
 */
export function vsprintf(format: string, args: readonly (string | number)[]): string {
  let next = 0
  return format.replace(SPEC, (spec, flags: string, width: string, precision: string, kind: string) => {
    if (kind === '%') return '%'
    const arg = args[next++]
    if (arg === undefined) return spec
    return pad(convert(kind, flags, precision, arg), flags, Number(width))
  })
}

const SPEC = /%([-+ 0#]*)(\d*)(?:\.(\d*))?(?:hh?|ll?|z|t|j)?([sdiuxXoc%]|p[A-Za-z]?[0-9A-Za-z]?)/g

function convert(kind: string, flags: string, precision: string | undefined, arg: string | number): string {
  if (kind === 's') return precision === undefined ? String(arg) : String(arg).slice(0, Number(precision))
  if (kind === 'c') return typeof arg === 'number' ? String.fromCharCode(arg) : arg
  if (typeof arg === 'string') return arg
  if (kind === 'x') return (flags.includes('#') ? '0x' : '') + unsigned(arg).toString(16)
  if (kind === 'X') return (flags.includes('#') ? '0X' : '') + unsigned(arg).toString(16).toUpperCase()
  if (kind === 'o') return (flags.includes('#') ? '0' : '') + unsigned(arg).toString(8)
  if (kind === 'u') return String(unsigned(arg))
  if (arg >= 0 && flags.includes('+')) return `+${Math.trunc(arg)}`
  return String(Math.trunc(arg))
}

/** A negative number is printed as the u32 with the same bits. */
function unsigned(value: number): number {
  return value < 0 ? value >>> 0 : Math.trunc(value)
}

function pad(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width)
  if (!flags.includes('0')) return text.padStart(width)
  const sign = /^(?:[-+]|0[xX])?/.exec(text)![0]
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}
