import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** From here on the older half of the story goes to NAME.log.1. */
const MAX_BYTES = 4 << 20

/**
 * The machine's log on disk. What cannot be written is lost and counted; the machine goes on.
 */
export class LogFile {
  readonly #path: string
  #fd: number
  #bytes: number
  #lost = 0

  constructor(path: string) {
    this.#path = path
    this.#fd = openSync(path, 'a', 0o600)
    this.#bytes = fstatSync(this.#fd).size
  }

  line(text: string): void {
    if (this.#bytes > MAX_BYTES) this.#rotate()
    const said = this.#lost > 0 ? `${this.#lost} lines were lost here: no space\n${text}\n` : `${text}\n`
    try {
      this.#bytes += writeSync(this.#fd, said)
      this.#lost = 0
    } catch {
      this.#lost++
    }
  }

  #rotate(): void {
    try {
      renameSync(this.#path, `${this.#path}.1`)
      const next = openSync(this.#path, 'a', 0o600)
      closeSync(this.#fd)
      this.#fd = next
    } catch {}
    this.#bytes = 0
  }

  close(): void {
    closeSync(this.#fd)
  }
}
