import { irqMutants } from '../../src/mutants/irq.ts'
import { proveMutants } from './prove.ts'

proveMutants('interrupts and coalescing', irqMutants)
