import type { Mutant } from './mutant.ts'
import { addrMutants } from './addr.ts'
import { bqlMutants } from './bql.ts'
import { ctxMutants } from './ctx.ts'
import { ethMutants } from './eth.ts'
import { featMutants } from './feat.ts'
import { irqMutants } from './irq.ts'
import { lifeMutants } from './life.ts'
import { linkMutants } from './link.ts'
import { mqMutants } from './mq.ts'
import { napiMutants } from './napi.ts'
import { openMutants } from './open.ts'
import { ringMutants } from './ring.ts'
import { rxMutants } from './rx.ts'
import { skbMutants } from './skb.ts'
import { statMutants } from './stat.ts'
import { stopMutants } from './stop.ts'
import { txqMutants } from './txq.ts'
import { wdtMutants } from './wdt.ts'

export * from './mutant.ts'

/** Every mutant, in the order of the rules. @kernel none */
export const allMutants: readonly Mutant[] = [
  ...ctxMutants,
  ...lifeMutants,
  ...openMutants,
  ...stopMutants,
  ...txqMutants,
  ...bqlMutants,
  ...wdtMutants,
  ...ringMutants,
  ...rxMutants,
  ...napiMutants,
  ...irqMutants,
  ...statMutants,
  ...linkMutants,
  ...addrMutants,
  ...featMutants,
  ...skbMutants,
  ...ethMutants,
  ...mqMutants,
]
