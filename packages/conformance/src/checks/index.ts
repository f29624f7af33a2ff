import type { Check } from '../check.ts'
import { RULES } from '../rules.ts'
import { addrChecks } from './addr.ts'
import { bqlChecks } from './bql.ts'
import { ctxChecks } from './ctx.ts'
import { ethChecks } from './eth.ts'
import { featChecks } from './feat.ts'
import { irqChecks } from './irq.ts'
import { lifeChecks } from './life.ts'
import { linkChecks } from './link.ts'
import { mqChecks } from './mq.ts'
import { napiChecks } from './napi.ts'
import { openChecks } from './open.ts'
import { ringChecks } from './ring.ts'
import { rxChecks } from './rx.ts'
import { skbChecks } from './skb.ts'
import { statChecks } from './stat.ts'
import { stopChecks } from './stop.ts'
import { txqSkbChecks } from './txq-skb.ts'
import { txqChecks } from './txq.ts'
import { wdtChecks } from './wdt.ts'

const PLACES = new Map(RULES.map((rule, place) => [rule.id, place]))

/** Every check, in the order of the rules. @kernel none */
export const allChecks: readonly Check[] = [
  ...ctxChecks,
  ...lifeChecks,
  ...openChecks,
  ...stopChecks,
  ...txqChecks,
  ...txqSkbChecks,
  ...bqlChecks,
  ...wdtChecks,
  ...ringChecks,
  ...rxChecks,
  ...napiChecks,
  ...irqChecks,
  ...statChecks,
  ...linkChecks,
  ...addrChecks,
  ...featChecks,
  ...skbChecks,
  ...ethChecks,
  ...mqChecks,
].sort((a, b) => PLACES.get(a.id)! - PLACES.get(b.id)!)
