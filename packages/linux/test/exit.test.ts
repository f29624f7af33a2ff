import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noLinux } from './skip.ts'

/** Ends while something is to be read that it still watches. */
const PROGRAM = `
  import { sys, watchFd } from './ours.mjs'
  const watcher = watchFd(sys('eventfd', [1, 0o4000]), {})
  watcher.start()
  watcher.unref()
  const how = process.argv[2]
  if (how === 'exit') process.exit()
  if (how === 'throw') throw new Error('of its own')`

describe.skipIf(noLinux())('a program that still watches a descriptor', () => {
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vnet-exit-'))
    const here = fileURLToPath(new URL('..', import.meta.url))
    await build({
      entryPoints: [join(here, 'src/index.ts')],
      bundle: true,
      outfile: join(folder, 'ours.mjs'),
      platform: 'node',
      format: 'esm',
      conditions: ['@vnet/source'],
    })
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(realpathSync(join(here, 'node_modules/koffi')), join(folder, 'node_modules/koffi'))
    writeFileSync(join(folder, 'program.mjs'), PROGRAM)
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each([
    ['itself', 0],
    ['exit', 0],
    ['throw', 1],
  ])('ends by %s without being aborted', (how, code) => {
    const { status, signal } = spawnSync(process.execPath, [join(folder, 'program.mjs'), how], {
      timeout: 20_000,
    })
    expect({ status, signal }).toEqual({ status: code, signal: null })
  })
})
