import { mqMutants } from '../../src/mutants/mq.ts'
import { proveMutants } from './prove.ts'

proveMutants('queues, steering, messages', mqMutants)
