import { ethMutants } from '../../src/mutants/eth.ts'
import { proveMutants } from './prove.ts'

proveMutants('ethtool', ethMutants)
