import { stopMutants } from '../../src/mutants/stop.ts'
import { proveMutants } from './prove.ts'

proveMutants('stop', stopMutants)
