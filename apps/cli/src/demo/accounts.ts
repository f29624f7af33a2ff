import { accounts, type Backend } from '@vnet/backend'
import type { RtnlLinkStats64 } from '@vnet/netdev'
import type { HwCounters } from '@vnet/vnet'
import { leftovers } from '../session.ts'
import { grouped } from '../ui/number.ts'
import { paint } from '../ui/style.ts'
import type { Stage } from './stage.ts'

/** What the books are made of; taken before the module was removed. */
export interface Books {
  readonly cables: readonly Backend[]
  readonly stats: RtnlLinkStats64
  readonly card: HwCounters
  /** Received frames the stack dropped afterwards: they are counted as received, too. */
  readonly stackDropped: number
  /** Frames handed to `devQueueXmit`. */
  readonly queued: number
}

/** Prints the books; true when everything adds up and nothing is left. */
export function showAccounts(stage: Stage, books: Books): boolean {
  const { stats: s, card } = books
  const offered = books.cables.reduce((sum, cable) => sum + cable.counters.rxFrames, 0)
  const arrivals = line(stage, 'in', offered, {
    received: Number(s.rxPackets),
    missed: card.rxMissed + card.rxOff,
    filtered: card.rxFiltered,
    errors: Number(s.rxErrors),
    dropped: Number(s.rxDropped) - books.stackDropped,
  })
  const departures = line(stage, 'out', books.queued, {
    sent: Number(s.txPackets),
    dropped: Number(s.txDropped),
    errors: Number(s.txErrors),
  })
  const problems = books.cables.flatMap((cable) => accounts(cable).problems)
  const alive = leftovers(stage.kernel)
  const left = alive.map((e) => `${e.kind} ${e.name}`)
  const rules = stage.kernel.violations.map((v) => v.message)
  for (const trouble of [...problems, ...left, ...rules])
    stage.say(paint(stage.screen, 'red', `  ${trouble}`))
  const count = (...kinds: string[]): number => alive.filter((e) => kinds.includes(e.kind)).length
  stage.say(
    `  left  ${count('timer', 'hrtimer', 'hwevent', 'work')} timers, ${count('irq')} interrupts, ` +
      `${count('skb')} sk_buffs, ${count('netdev')} devices`,
  )
  const good = arrivals && departures && problems.length + left.length + rules.length === 0
  stage.say()
  if (good)
    stage.say(paint(stage.screen, 'green', 'Every frame accounted for, nothing leaked, no rule broken.'))
  else stage.say(paint(stage.screen, 'red', 'The accounts do not add up.'))
  return good
}

/** One equation: `in 1,895 = 1,895 received + 0 missed`. */
function line(stage: Stage, name: string, total: number, parts: Readonly<Record<string, number>>): boolean {
  const shown = Object.entries(parts).filter(([what, n], i) => i < 2 || n > 0 || what === 'dropped')
  const text = shown.map(([what, n]) => `${grouped(n)} ${what}`).join(' + ')
  const good = total === Object.values(parts).reduce((a, b) => a + b, 0)
  stage.say(
    `  ${name.padEnd(5)} ${grouped(total)} = ${text}${good ? '' : paint(stage.screen, 'red', '   WRONG')}`,
  )
  return good
}
