import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

/** Gives what runs a program, which finds this package at './ours.mjs', in a process of its own with one word. */
export function ownProcess(program: string): (word: string) => SpawnSyncReturns<string> {
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vnet-linux-'))
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
    writeFileSync(join(folder, 'program.mjs'), program)
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  return (word) =>
    spawnSync(process.execPath, [join(folder, 'program.mjs'), word], { encoding: 'utf8', timeout: 20_000 })
}
