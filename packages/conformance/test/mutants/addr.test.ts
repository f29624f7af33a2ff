import { addrMutants } from '../../src/mutants/addr.ts'
import { proveMutants } from './prove.ts'

proveMutants('addresses, MTU, frames', addrMutants)
