import { describe, it } from 'vitest'
import { refSpec, testDriver } from '../src/index.ts'

testDriver({ describe, it }, refSpec())
