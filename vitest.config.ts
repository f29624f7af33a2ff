import { defineConfig } from 'vitest/config'

const conditions = ['@vnet/source', 'module', 'node', 'import', 'default']

/** One project a package: `pnpm vitest --project napi`. The `@vnet/source` condition makes a build unnecessary. */
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

const folders = [
  'packages/core-ring',
  'packages/kernel',
  'packages/wire',
  'packages/netdev',
  'packages/napi',
  'packages/ethtool',
  'packages/backend',
  'packages/vnet',
  'packages/conformance',
  'apps/cli',
  'examples/second-driver',
  // What holds for the whole repository: layers, READMEs, the browser bundle.
  'test',
]

export default defineConfig({
  test: { projects: folders.map(project) },
})
