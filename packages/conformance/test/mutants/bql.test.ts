import { bqlMutants } from '../../src/mutants/bql.ts'
import { proveMutants } from './prove.ts'

proveMutants('byte queue limits', bqlMutants)
