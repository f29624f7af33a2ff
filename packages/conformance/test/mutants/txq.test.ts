import { txqMutants } from '../../src/mutants/txq.ts'
import { proveMutants } from './prove.ts'

proveMutants('transmit', txqMutants)
