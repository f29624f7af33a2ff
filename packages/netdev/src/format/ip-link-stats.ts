import type { RtnlLinkStats64 } from '../stats.ts'

type Row = readonly bigint[]

const PREFIXES = 'kMGTPE'

/** A number as `-h` writes it: three digits and a letter, `1.23k`. */
function humanNumber(value: bigint): string {
  let power = 1000n
  if (value < power) return String(value)
  let at = 0
  while (value / 1000n >= power && at < PREFIXES.length - 1) {
    power *= 1000n
    at++
  }
  const whole = value / power
  const digits = whole >= 100n ? 0 : whole >= 10n ? 1 : 2
  return `${(Number(value) / Number(power)).toFixed(digits)}${PREFIXES[at]}`
}

const MIN_WIDTHS: readonly number[] = [10, 7, 6, 7, 7, 7, 10]

/** Columns as wide as their widest number, in all rows together. */
function widths(rows: readonly (readonly string[])[]): number[] {
  return MIN_WIDTHS.map((min, i) => Math.max(min, ...rows.map((row) => row[i]?.length ?? 0)))
}

function headline(first: string, words: readonly string[], cols: readonly number[]): string {
  return first + words.map((word, i) => ` ${word.padStart(cols[i + 1]!)}`).join('')
}

function numbers(row: readonly string[], cols: readonly number[], from = 0): string {
  return row
    .slice(from)
    .map((value, i) => `${value.padStart(cols[i + from]!)} `)
    .join('')
}

/**
 * The statistics of `ip -s link`, without a newline at the end.
 *
 * @param errors - `-s -s`: with the error details
 * @param nl - what ends a line: a newline, or a backslash with `-o`
 * @param human - `-h`: large numbers short
 * @kernel none
 */
export function statsText(
  s: RtnlLinkStats64,
  carrierChanges: number,
  errors: boolean,
  nl: string,
  human = false,
): string {
  const shown = (row: Row): string[] => row.map((value) => (human ? humanNumber(value) : String(value)))
  const rx = [s.rxBytes, s.rxPackets, s.rxErrors, s.rxDropped, s.rxMissedErrors, s.multicast]
  const tx = [s.txBytes, s.txPackets, s.txErrors, s.txDropped, s.txCarrierErrors, s.collisions]
  const rxErrors = [0n, s.rxLengthErrors, s.rxCrcErrors, s.rxFrameErrors, s.rxFifoErrors, s.rxOverErrors]
  const changes = BigInt(carrierChanges)
  const txErrors = [0n, s.txAbortedErrors, s.txFifoErrors, s.txWindowErrors, s.txHeartbeatErrors, changes]
  if (s.rxCompressed !== 0n) rx.push(s.rxCompressed)
  if (s.txCompressed !== 0n) tx.push(s.txCompressed)
  if (s.rxNohandler !== 0n) rxErrors.push(s.rxNohandler)
  const cols = widths((errors ? [rx, tx, rxErrors, txErrors] : [rx, tx]).map(shown))

  const lines = [main('RX', ['packets', 'errors', 'dropped', 'missed', 'mcast'], s.rxCompressed), data(rx)]
  if (errors)
    lines.push(detail('RX', ['length', 'crc', 'frame', 'fifo', 'overrun'], s.rxNohandler), details(rxErrors))
  lines.push(main('TX', ['packets', 'errors', 'dropped', 'carrier', 'collsns'], s.txCompressed), data(tx))
  if (errors)
    lines.push(detail('TX', ['aborted', 'fifo', 'window', 'heartbt', 'transns'], 0n), details(txErrors))
  return lines.join(nl)

  function main(side: string, words: readonly string[], compressed: bigint): string {
    return headline(
      `    ${side}: ${'bytes'.padStart(cols[0]! - 4)}`,
      [...words, compressed === 0n ? '' : 'compressed'],
      cols,
    )
  }
  function detail(side: string, words: readonly string[], nohandler: bigint): string {
    const last = nohandler === 0n ? [] : ['nohandler']
    return headline(`    ${side} errors:${' '.repeat(cols[0]! - 10)}`, [...words, ...last], cols)
  }
  function data(row: Row): string {
    return `    ${numbers(shown(row), cols)}`
  }
  function details(row: Row): string {
    return ' '.repeat(cols[0]! + 5) + numbers(shown(row), cols, 1)
  }
}
