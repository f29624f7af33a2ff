import { rxMutants } from '../../src/mutants/rx.ts'
import { proveMutants } from './prove.ts'

proveMutants('receive', rxMutants)
