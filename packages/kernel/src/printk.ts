import type { Context, Kernel, Ktime } from './kernel.ts'

/** The levels of a log line, by their kernel names. @kernel LOGLEVEL_INFO include/linux/kern_levels.h */
export const LogLevel = {
  EMERG: 0,
  ALERT: 1,
  CRIT: 2,
  ERR: 3,
  WARNING: 4,
  NOTICE: 5,
  INFO: 6,
  DEBUG: 7,
} as const

/** One line of the kernel log. */
export interface LogRecord {
  /** Counts up by one from 0 and is never reused, so a reader sees what it missed. */
  readonly seq: number
  /** Nanoseconds since the kernel started. */
  readonly time: Ktime
  /** 0 (emergency) to 7 (debug). */
  readonly level: number
  readonly text: string
  readonly ctx: Context
}

const LOG_SIZE = 8192

/**
 * The kernel's log: the last 8,192 lines, and whoever listens for new ones.
 *
 * @kernel log_buf kernel/printk/printk.c
 */
export class KernelLog {
  readonly #kernel: Kernel
  readonly #ring: LogRecord[] = []
  readonly #listeners = new Set<(record: LogRecord) => void>()
  #next = 0
  #cleared = 0
  #delivered = 0
  #delivering = false

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** The lines since the last `clear()`, oldest first. A new array each time. */
  get records(): readonly LogRecord[] {
    return this.since(this.#cleared)
  }

  /** The sequence number the next line will get. */
  get nextSeq(): number {
    return this.#next
  }

  /**
   * The lines from a sequence number on, as a reader of /dev/kmsg gets them: `clear()` does not hide any.
   *
   * @kernel devkmsg_read() kernel/printk/printk.c
   */
  since(seq: number): LogRecord[] {
    const out: LogRecord[] = []
    for (let at = Math.max(seq, this.#next - LOG_SIZE, 0); at < this.#next; at++) {
      out.push(this.#ring[at % LOG_SIZE]!)
    }
    return out
  }

  /** Calls `fn` with every new line. @returns what ends it */
  subscribe(fn: (record: LogRecord) => void): () => void {
    this.#listeners.add(fn)
    return () => {
      this.#listeners.delete(fn)
    }
  }

  /**
   * Hides what was logged so far from `records` and `dmesg`; sequence numbers go on.
   *
   * @kernel syslog_clear() kernel/printk/printk.c
   */
  clear(): void {
    this.#cleared = this.#next
  }

  /** Adds a line. One final newline is dropped, as the kernel drops it. Use `printk()`. */
  emit(level: number, text: string): void {
    const line = text.endsWith('\n') ? text.slice(0, -1) : text
    const seq = this.#next++
    this.#ring[seq % LOG_SIZE] = {
      seq,
      time: this.#kernel.clock.ktimeGet(),
      level,
      text: line,
      ctx: this.#kernel.ctx,
    }
    this.#deliver()
  }

  /** A listener that logs does not call itself: its line waits until the one before it reached everybody. */
  #deliver(): void {
    if (this.#delivering) return
    this.#delivering = true
    try {
      for (; this.#delivered < this.#next; this.#delivered++) {
        const record = this.#ring[this.#delivered % LOG_SIZE]!
        for (const listener of [...this.#listeners]) listener(record)
      }
    } finally {
      this.#delivered = this.#next
      this.#delivering = false
    }
  }
}

/**
 * Writes a line into the kernel's log.
 *
 * Any context. A final newline is not needed.
 *
 * @kernel printk() include/linux/printk.h
 */
export function printk(kernel: Kernel, level: number, text: string): void {
  kernel.log.emit(level, text)
}

/** Logs a line at level 0: the system cannot be used. @kernel pr_emerg() include/linux/printk.h */
export function prEmerg(kernel: Kernel, text: string): void {
  kernel.log.emit(LogLevel.EMERG, text)
}

/** Logs a line at level 1: somebody must act at once. @kernel pr_alert() include/linux/printk.h */
export function prAlert(kernel: Kernel, text: string): void {
  kernel.log.emit(LogLevel.ALERT, text)
}

/** Logs a line at level 2: critical. @kernel pr_crit() include/linux/printk.h */
export function prCrit(kernel: Kernel, text: string): void {
  kernel.log.emit(LogLevel.CRIT, text)
}

/** Logs a line at level 3: an error. @kernel pr_err() include/linux/printk.h */
export function prErr(kernel: Kernel, text: string): void {
  kernel.log.emit(LogLevel.ERR, text)
}

/** Logs a line at level 4: a warning. @kernel pr_warn() include/linux/printk.h */
export function prWarn(kernel: Kernel, text: string): void {
  kernel.log.emit(LogLevel.WARNING, text)
}

/** Logs a line at level 5: normal but notable. @kernel pr_notice() include/linux/printk.h */
export function prNotice(kernel: Kernel, text: string): void {
  kernel.log.emit(LogLevel.NOTICE, text)
}

/** Logs a line at level 6: information. @kernel pr_info() include/linux/printk.h */
export function prInfo(kernel: Kernel, text: string): void {
  kernel.log.emit(LogLevel.INFO, text)
}

/**
 * Logs a line at level 7, always. For lines that can be switched on and off use `kernel.dyndbg.site()`.
 *
 * @kernel pr_debug() include/linux/printk.h
 */
export function prDebug(kernel: Kernel, text: string): void {
  kernel.log.emit(LogLevel.DEBUG, text)
}

/**
 * The log as `dmesg` prints it; with `time: false` as `dmesg -t`.
 *
 * Further lines of one record are indented to the width of the time stamp, and unprintable
 * characters are shown as `\xNN`.
 *
 * @kernel none
 */
export function dmesg(kernel: Kernel, options: { readonly time?: boolean } = {}): string {
  const time = options.time ?? true
  let out = ''
  for (const record of kernel.log.records) out += dmesgLine(record, time)
  return out
}

/** One record as `dmesg` prints it, with its newline. @kernel none */
export function dmesgLine(record: LogRecord, time = true): string {
  const stamp = time ? dmesgStamp(record.time) : ''
  const text = record.text.replace(UNPRINTABLE, escapeHex)
  return stamp + (text.includes('\n') ? text.replaceAll('\n', '\n' + ' '.repeat(stamp.length)) : text) + '\n'
}

// Tab to carriage return are isspace() and pass; so does everything from space on, except DEL.
const UNPRINTABLE = /[\x00-\x08\x0e-\x1f\x7f]/g

function escapeHex(char: string): string {
  return '\\x' + char.charCodeAt(0).toString(16).padStart(2, '0')
}

function dmesgStamp(time: Ktime): string {
  const micros = Math.floor(time / 1000)
  const seconds = String(Math.floor(micros / 1e6)).padStart(5)
  return `[${seconds}.${String(micros % 1e6).padStart(6, '0')}] `
}
