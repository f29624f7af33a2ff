/** Why a capture could not be read. */
export type CaptureErrorReason = 'empty' | 'truncated' | 'foreign' | 'compressed' | 'unsupported' | 'corrupt'

/**
 * A capture that cannot be read on; the message says what was wrong and what to do.
 *
 * @kernel none
 */
export class CaptureError extends Error {
  readonly reason: CaptureErrorReason
  /** Where in the file, in bytes from its start. */
  readonly offset: number

  constructor(reason: CaptureErrorReason, offset: number, message: string) {
    super(`${message} (at byte ${offset})`)
    this.name = 'CaptureError'
    this.reason = reason
    this.offset = offset
  }
}
