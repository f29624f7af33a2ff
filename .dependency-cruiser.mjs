/**
 * Who may import whom. An arrow points to what is imported; a package reaches only rows above its own, and of those
 * only what its row says. Run by `pnpm layers`; test/layers.test.ts shows that a forbidden arrow fails.
 */
const all = (row) => Object.keys(rows).slice(0, Object.keys(rows).indexOf(row))

/** Above the line everything runs in a browser unchanged; `backend-…` packages and apps come after. */
export const rows = {
  'core-ring': [],
  kernel: [],
  wire: [],
  netdev: ['kernel', 'core-ring'],
  napi: ['kernel'],
  ethtool: ['netdev', 'kernel'],
  backend: ['kernel', 'wire'],
  get vnet() {
    return all('vnet')
  },
  conformance: ['kernel', 'netdev', 'napi', 'ethtool', 'wire'],
  netlink: ['kernel', 'netdev', 'ethtool'],
  inet: ['kernel', 'netdev', 'wire'],
  tools: ['kernel', 'wire', 'netdev', 'ethtool', 'netlink'],
  get machine() {
    return all('machine')
  },
}

/** A package is met as its folder (resolved) or as its name (not linked). */
const anyOf = (names) => `^(packages/|@vnet/)(${names.join('|')})(/|$)`

const arrows = Object.entries(rows).map(([name, mayImport]) => ({
  name: `arrow-${name}`,
  comment: `${name} may import ${mayImport.join(', ') || 'no other package'}`,
  severity: 'error',
  from: { path: `^packages/${name}/src/` },
  to: { path: '^(packages|examples|labs|@vnet)/', pathNot: anyOf([name, ...mayImport]) },
}))

/** Packages for Node only: a folder for each real cable, and the system calls they share. */
const belowTheLine = '^packages/(backend-|linux/|afxdp/)'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...arrows,
    {
      name: 'arrow-real-cable',
      comment: 'a backend for a real cable may import backend and kernel',
      severity: 'error',
      from: { path: '^packages/(backend-[^/]+)/src/' },
      to: {
        path: '^(packages|examples|labs|@vnet)/',
        pathNot: `${anyOf(['backend', 'kernel', 'linux'])}|^packages/$1/`,
      },
    },
    {
      name: 'arrow-linux',
      comment: 'the system calls know only the words for errors',
      severity: 'error',
      from: { path: '^packages/linux/src/' },
      to: { path: '^(packages|examples|labs|@vnet)/', pathNot: anyOf(['linux', 'kernel']) },
    },
    {
      name: 'arrow-real-driver',
      comment: 'a driver for a real interface may import what any driver imports, and the system calls',
      severity: 'error',
      from: { path: '^packages/afxdp/src/' },
      to: {
        path: '^(packages|examples|labs|@vnet)/',
        pathNot: anyOf(['afxdp', 'core-ring', 'ethtool', 'kernel', 'linux', 'napi', 'netdev']),
      },
    },
    {
      name: 'known-package',
      comment: 'a new package needs its row in .dependency-cruiser.mjs',
      severity: 'error',
      from: {
        path: '^packages/',
        pathNot: `${anyOf([...Object.keys(rows), 'linux', 'afxdp'])}|^packages/backend-`,
      },
      to: {},
    },
    {
      name: 'nothing-imports-apps',
      severity: 'error',
      from: { path: '^(packages|examples|labs)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'no-node-in-packages',
      comment: 'packages above the line run in a browser',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: belowTheLine },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-third-party-in-packages',
      comment: 'packages have no dependencies at run time but each other',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: belowTheLine },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        pathNot: '^(packages|@vnet)/',
      },
    },
    {
      name: 'no-cycle',
      comment: 'told, not failed: parsers of nested protocols do call each other',
      severity: 'warn',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'sources-without-tests', severity: 'error', from: { path: '/src/' }, to: { path: '/test/' } },
    {
      name: 'no-missing-file',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@vnet/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|fixtures|coverage)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@vnet/source', 'import', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js'],
    },
  },
}
