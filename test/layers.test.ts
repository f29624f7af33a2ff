import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** One source file and the rule it must break; `null` for a permitted import. */
const cases: [file: string, source: string, rule: string | null][] = [
  ['packages/kernel/src/up.ts', `import '@vnet/core-ring'`, 'arrow-kernel'],
  ['packages/napi/src/side.ts', `import '@vnet/netdev'`, 'arrow-napi'],
  ['packages/netdev/src/up.ts', `import '@vnet/ethtool'`, 'arrow-netdev'],
  ['packages/backend/src/type.ts', `import type {} from '@vnet/netdev'\nexport {}`, 'arrow-backend'],
  ['packages/kernel/src/node.ts', `import 'node:fs'`, 'no-node-in-packages'],
  ['packages/stray/src/index.ts', `import '@vnet/kernel'`, 'known-package'],
  ['packages/vnet/src/app.ts', `import '../../../apps/cli/src/main.ts'`, 'nothing-imports-apps'],
  ['packages/wire/src/one.ts', `import './two.ts'`, 'no-cycle'],
  ['packages/wire/src/two.ts', `import './one.ts'`, null], // a cycle is told once
  ['packages/netdev/src/down.ts', `import '@vnet/kernel'\nimport '@vnet/core-ring'`, null],
  ['packages/vnet/src/all.ts', `import '@vnet/ethtool'\nimport '@vnet/napi'\nimport '@vnet/wire'`, null],
  ['packages/napi/test/own.test.ts', `import '@vnet/napi'`, null],
  ['apps/cli/src/main.ts', `import '@vnet/vnet'\nimport 'node:fs'`, null],
]

const names = ['core-ring', 'kernel', 'wire', 'netdev', 'napi', 'ethtool', 'backend', 'vnet']
const tree = mkdtempSync(join(tmpdir(), 'vnet-layers-'))
const broken = new Map<string, string[]>()

function put(file: string, text: string): void {
  mkdirSync(dirname(join(tree, file)), { recursive: true })
  writeFileSync(join(tree, file), text)
}

beforeAll(async () => {
  mkdirSync(join(tree, 'node_modules/@vnet'), { recursive: true })
  put('package.json', '{}')
  for (const name of names) {
    put(`packages/${name}/package.json`, `{"name":"@vnet/${name}","exports":"./src/index.ts"}`)
    put(`packages/${name}/src/index.ts`, 'export {}')
    symlinkSync(join(tree, 'packages', name), join(tree, 'node_modules/@vnet', name), 'junction')
  }
  for (const [file, source] of cases) put(file, source)
  const root = join(import.meta.dirname, '..')
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const args = [cruiser, 'packages', 'apps', '--config', join(root, '.dependency-cruiser.mjs'), '-T', 'json']
  // It exits with the number of violations; what counts is which.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: tree }).catch(
    (error: unknown) => error as { stdout: string },
  )
  const report = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } }
  for (const { from, rule } of report.summary.violations) {
    broken.set(from, [...(broken.get(from) ?? []), rule.name])
  }
})

afterAll(() => {
  rmSync(tree, { recursive: true })
})

describe('layers', () => {
  it.each(cases)('%s: %j → %s', (file, _source, rule) => {
    expect(broken.get(file) ?? []).toEqual(rule === null ? [] : [rule])
  })
})
