import { lifeMutants } from '../../src/mutants/life.ts'
import { proveMutants } from './prove.ts'

proveMutants('the life of a device', lifeMutants)
