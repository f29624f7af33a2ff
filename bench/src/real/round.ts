import { createInterface } from 'node:readline'

/** What takes part in a comparison of real interfaces: unlike the others it needs Node's loop. */
export interface RoundContestant {
  /** Does the measured thing some thousand times. @returns nanoseconds for one */
  round(): Promise<number>
  /** Throws when the work was not done. */
  verify?(): void
  close(): void
}

/** The host's monotonic clock in nanoseconds. */
export const now = (): number => Number(process.hrtime.bigint())

/** Talks with the harness as all contestants do, until its input ends. */
export async function converseRounds(contestant: RoundContestant): Promise<void> {
  try {
    for await (const line of createInterface({ input: process.stdin })) {
      const [what, ms] = line.split(' ')
      if (what === 'warm') {
        await warm(contestant, Number(ms))
        console.log('{}')
      } else {
        console.log(JSON.stringify({ ns: await turn(contestant, Number(ms)), preempted: false }))
      }
    }
    contestant.verify?.()
  } finally {
    contestant.close()
  }
}

/**
 * The median of the rounds that fit: those in which the processor was taken away do not move it. The first does
 * not count: the caches were somebody else's until then.
 */
async function turn(contestant: RoundContestant, ms: number): Promise<number> {
  const end = now() + ms * 1e6
  const first = await inTime(contestant)
  const times: number[] = []
  while (now() < end && times.length < MOST_ROUNDS) times.push(await inTime(contestant))
  return times.sort((a, b) => a - b)[times.length >> 1] ?? first
}

async function warm(contestant: RoundContestant, ms: number): Promise<void> {
  const end = now() + ms * 1e6
  do await inTime(contestant)
  while (now() < end)
}

/**
 * One round. Frames that were lost would be waited for for ever.
 *
 * It starts when everything here is set up and awaits it: else the rest of this function would run, cold, after the
 * contestant has started its clock.
 */
async function inTime(contestant: RoundContestant): Promise<number> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a round took more than ${ROUND_MS / 1000} seconds`)), ROUND_MS)
  })
  try {
    return await Promise.race([Promise.resolve().then(() => contestant.round()), late])
  } finally {
    clearTimeout(timer)
  }
}

const ROUND_MS = 20_000
const MOST_ROUNDS = 64
