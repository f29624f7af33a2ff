import { linkMutants } from '../../src/mutants/link.ts'
import { proveMutants } from './prove.ts'

proveMutants('carrier and operational state', linkMutants)
