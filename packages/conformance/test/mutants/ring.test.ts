import { ringMutants } from '../../src/mutants/ring.ts'
import { proveMutants } from './prove.ts'

proveMutants('rings', ringMutants)
