import { NSEC_PER_USEC, type LogRecord } from '@vnet/kernel'

/**
 * A record of the log as /dev/kmsg gives it: `level,seq,microseconds,-;text`.
 *
 * Everything that is no plain character is written `\xNN`, so that a record is one line.
 *
 * @kernel msg_print_ext_header(), msg_print_ext_body() kernel/printk/printk.c
 */
export function kmsgLine(record: LogRecord): string {
  const micros = Math.floor(record.time / NSEC_PER_USEC)
  return `${record.level},${record.seq},${micros},-;${record.text.replace(UNPRINTABLE, escapeHex)}\n`
}

const UNPRINTABLE = /[\x00-\x1f\x7f\\]/g

function escapeHex(char: string): string {
  return '\\x' + char.charCodeAt(0).toString(16).padStart(2, '0')
}
