import { existsSync, readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const conditions = ['@vnet/source', 'module', 'node', 'import', 'default']

/**
 * One project a package: `pnpm vitest --project napi`. The `@vnet/source` condition makes a build unnecessary.
 * The folder `test` is what holds for the whole repository: layers, READMEs, the browser bundle.
 */
const project = (folder: string) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name: folder === 'test' ? 'workspace' : folder.split('/').pop()!,
    root: folder,
    include: folder === 'test' ? ['*.test.ts'] : ['test/**/*.test.ts'],
    testTimeout: 30_000,
  },
})

/** Every package, app and example that has tests. */
const members = ['packages', 'apps', 'examples'].flatMap((group) =>
  readdirSync(group)
    .map((name) => `${group}/${name}`)
    .filter((folder) => existsSync(`${folder}/test`)),
)

export default defineConfig({
  test: { projects: [...members, 'test'].map(project) },
})
