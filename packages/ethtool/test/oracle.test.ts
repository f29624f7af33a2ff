import { runEthtool } from '../src/index.ts'
import { replay } from './replay.ts'

replay('', runEthtool)
