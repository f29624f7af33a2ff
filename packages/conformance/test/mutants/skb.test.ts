import { skbMutants } from '../../src/mutants/skb.ts'
import { proveMutants } from './prove.ts'

proveMutants('buffers', skbMutants)
