/** What a run of ping has seen, and the lines it ends with. */
export class PingTally {
  sent = 0
  received = 0
  duplicates = 0
  errors = 0
  #acked = 0
  #pipe = 0
  #sum = 0
  #squares = 0
  #min = Infinity
  #max = 0
  /** The round trip, smoothed, in eighths of a microsecond. */
  #smooth = 0
  readonly #answered = new Set<number>()
  readonly #startNs: number
  /** When the last request went. */
  lastNs: number

  constructor(nowNs: number) {
    this.#startNs = nowNs
    this.lastNs = nowNs
  }

  /** The longest round trip, in ns. */
  get maxNs(): number {
    return this.#max * 1000
  }

  /** Requests that nothing has come back for. */
  get inFlight(): number {
    return (this.sent - this.#acked) & 0xffff
  }

  /** An answer, in whole microseconds; null: not known. @returns true for one that had come before */
  answer(seq: number, micros: number | null): boolean {
    this.acknowledge(seq)
    if (micros !== null) this.#time(micros)
    if (this.#answered.has(seq)) {
      this.duplicates++
      return true
    }
    this.#answered.add(seq)
    this.received++
    return false
  }

  #time(micros: number): void {
    this.#sum += micros
    this.#squares += micros * micros
    this.#min = Math.min(this.#min, micros)
    this.#max = Math.max(this.#max, micros)
    this.#smooth += this.#smooth === 0 ? micros * 8 : micros - Math.floor(this.#smooth / 8)
  }

  /** A number is used again: what came for it long ago does not count. */
  forget(seq: number): void {
    this.#answered.delete(seq)
  }

  answered(seq: number): boolean {
    return this.#answered.has(seq)
  }

  /** Something came back for a request: as many as since then were under way at once. */
  acknowledge(seq: number): void {
    const behind = (this.sent - seq) & 0xffff
    if (behind > 0x7fff) return
    this.#pipe = Math.max(this.#pipe, behind + 1)
    if (((seq - this.#acked) & 0xffff) < 0x8000) this.#acked = seq
  }

  /** The statistics, as the real one prints them. */
  text(target: string, flood: boolean): string {
    const { sent, received, duplicates, errors } = this
    const lost = `${trimmed(((sent - received) * 100) / sent)}% packet loss`
    const millis = Math.floor((this.lastNs - this.#startNs + 500_000) / 1e6)
    let text = `\n--- ${target} ping statistics ---\n${sent} packets transmitted, ${received} received`
    if (duplicates > 0) text += `, +${duplicates} duplicates`
    if (errors > 0) text += `, +${errors} errors`
    if (sent > 0) text += `, ${lost}, time ${millis}ms`
    const parts: string[] = []
    const timed = received > 0 && this.#min !== Infinity
    if (timed) parts.push(`rtt min/avg/max/mdev = ${this.#rtt()} ms`)
    if (this.#pipe > 1) parts.push(`pipe ${this.#pipe}`)
    if (received > 0 && flood && sent > 1) parts.push(this.#perPacket())
    return `${text}\n${parts.join(', ')}\n`
  }

  #rtt(): string {
    const count = this.received + this.duplicates
    const average = Math.floor(this.#sum / count)
    const deviation = Math.sqrt(Math.max(0, Math.floor(this.#squares / count) - average * average))
    return [this.#min, average, this.#max, deviation]
      .map((micros) => (Math.floor(micros) / 1000).toFixed(3))
      .join('/')
  }

  #perPacket(): string {
    const gap = Math.floor((this.lastNs - this.#startNs) / 1000 / (this.sent - 1))
    return `ipg/ewma ${(gap / 1000).toFixed(3)}/${(Math.floor(this.#smooth / 8) / 1000).toFixed(3)} ms`
  }
}

/** A percentage as C prints it with %g. */
function trimmed(percent: number): string {
  return Number(percent.toPrecision(6)).toString()
}

/** A round trip as the real one prints it: three digits. @kernel gather_statistics() none */
export function rttText(micros: number): string {
  if (micros >= 99_950) return `${Math.floor((micros + 500) / 1000)}`
  if (micros >= 9995) return (Math.floor((micros + 50) / 100) / 10).toFixed(1)
  if (micros >= 1000) return (Math.floor((micros + 5) / 10) / 100).toFixed(2)
  return (micros / 1000).toFixed(3)
}
