/**
 * What a backend counts: plain numbers, only ever growing except `held`. They survive detach.
 *
 * Between calls `txFrames + upFrames + made = rxFrames + downFrames + dropped + held` (STAT-13); `accounts()` checks it.
 *
 * @kernel none
 * @rule STAT-13
 */
export class BackendCounters {
  /** Frames taken from the card (or the layer above). Refused ones are not counted. */
  txFrames = 0
  txBytes = 0
  /** Frames offered to the card (or the layer above), missed ones included. */
  rxFrames = 0
  rxBytes = 0
  /** Those of `rxFrames` that were refused. */
  rxMissed = 0
  /** Frames lost here: by a fault, a full store, a cut cable, a detach. */
  dropped = 0
  /** Frames here now, on their way. */
  held = 0
  /** Frames that came up from below: from the lower backend, the other end of the cable, the outside. */
  upFrames = 0
  /** Frames that went down: to the lower backend, the other end of the cable, the outside. */
  downFrames = 0
  /** Frames that began here: generated, replayed, duplicated. */
  made = 0
}
