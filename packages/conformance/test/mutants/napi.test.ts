import { napiMutants } from '../../src/mutants/napi.ts'
import { proveMutants } from './prove.ts'

proveMutants('NAPI', napiMutants)
