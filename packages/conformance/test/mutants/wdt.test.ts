import { wdtMutants } from '../../src/mutants/wdt.ts'
import { proveMutants } from './prove.ts'

proveMutants('the transmit watchdog', wdtMutants)
