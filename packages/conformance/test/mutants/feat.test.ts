import { featMutants } from '../../src/mutants/feat.ts'
import { proveMutants } from './prove.ts'

proveMutants('features and checksums', featMutants)
