/** What a run of ping has seen, and the lines it ends with. */
export class PingTally {
  sent = 0
  received = 0
  duplicates = 0
  errors = 0
  #pipe = 0
  #sum = 0
  #squares = 0
  #min = Infinity
  #max = 0
  readonly #answered = new Set<number>()
  readonly #startNs: number
  /** When the last packet went or came. */
  lastNs: number

  constructor(nowNs: number) {
    this.#startNs = nowNs
    this.lastNs = nowNs
  }

  /** The longest round trip, in ns. */
  get maxNs(): number {
    return this.#max * 1000
  }

  /** An answer, in whole microseconds. @returns true for one that had come before */
  answer(seq: number, micros: number): boolean {
    this.#acknowledge(seq)
    if (this.#answered.has(seq)) {
      this.duplicates++
      return true
    }
    this.#answered.add(seq)
    this.received++
    this.#sum += micros
    this.#squares += micros * micros
    this.#min = Math.min(this.#min, micros)
    this.#max = Math.max(this.#max, micros)
    return false
  }

  error(seq: number): void {
    this.errors++
    this.#acknowledge(seq)
  }

  answered(seq: number): boolean {
    return this.#answered.has(seq)
  }

  /** The most requests that were under way at once. */
  #acknowledge(seq: number): void {
    this.#pipe = Math.max(this.#pipe, this.sent - seq + 1)
  }

  /** The statistics, as the real one prints them. */
  text(target: string, flood: boolean): string {
    const { sent, received, duplicates, errors } = this
    const lost = sent === 0 ? '' : `, ${trimmed(((sent - received) * 100) / sent)}% packet loss`
    const millis = Math.floor((this.lastNs - this.#startNs) / 1e6)
    let text = `\n--- ${target} ping statistics ---\n${sent} packets transmitted, ${received} received`
    if (duplicates > 0) text += `, +${duplicates} duplicates`
    if (errors > 0) text += `, +${errors} errors`
    text += `${lost}, time ${millis}ms\n`
    const parts: string[] = []
    if (received > 0) parts.push(`rtt min/avg/max/mdev = ${this.#rtt()} ms`)
    if (this.#pipe > 1) parts.push(`pipe ${this.#pipe}`)
    if (received > 0 && flood && sent > 1) parts.push(this.#perPacket())
    return `${text}${parts.join(', ')}\n`
  }

  #rtt(): string {
    const count = this.received + this.duplicates
    const average = this.#sum / count
    const deviation = Math.sqrt(Math.max(0, this.#squares / count - average * average))
    return [this.#min, average, this.#max, deviation]
      .map((micros) => (Math.floor(micros) / 1000).toFixed(3))
      .join('/')
  }

  #perPacket(): string {
    const gap = (this.lastNs - this.#startNs) / 1000 / (this.sent - 1)
    const average = this.#sum / (this.received + this.duplicates)
    return `ipg/ewma ${(gap / 1000).toFixed(3)}/${(average / 1000).toFixed(3)} ms`
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
