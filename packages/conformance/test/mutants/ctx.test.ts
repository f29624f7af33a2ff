import { ctxMutants } from '../../src/mutants/ctx.ts'
import { proveMutants } from './prove.ts'

proveMutants('execution contexts', ctxMutants)
