/**
 * How `ip` ends when it does not succeed: 255 for a wrong command line, 1 when it gave up itself, 2 when the kernel
 * refused.
 *
 * @kernel none
 */
export class IpError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.name = 'IpError'
    this.exitCode = exitCode
  }
}

/** The complaint about a word that fits nowhere. @kernel none */
export function garbage(word: string): string {
  return `Error: either "dev" is duplicate, or "${word}" is a garbage.`
}
