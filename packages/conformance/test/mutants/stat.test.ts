import { statMutants } from '../../src/mutants/stat.ts'
import { proveMutants } from './prove.ts'

proveMutants('statistics', statMutants)
