import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { DRV_VERSION } from '../src/index.ts'

it('ETH-13 reports the version of this package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(DRV_VERSION).toBe(version)
})
