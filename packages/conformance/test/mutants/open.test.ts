import { openMutants } from '../../src/mutants/open.ts'
import { proveMutants } from './prove.ts'

proveMutants('open', openMutants)
