import { defineConfig } from 'vitest/config'

const conditions = ['@vnet/source', 'module', 'node', 'import', 'default']

/** One project a package: `pnpm vitest --project napi`. The `@vnet/source` condition makes a build unnecessary. */
const project = (folder: string) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name: folder.split('/').pop()!,
    root: folder,
    include: ['test/**/*.test.ts'],
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
  'apps/cli',
  'examples/second-driver',
]

export default defineConfig({
  test: { projects: folders.map(project) },
})
