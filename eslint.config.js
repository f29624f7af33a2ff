/**
 * What lint is for here: time and chance only through the kernel, no Node in the packages, documented exports,
 * small files, and the mistakes a type checker does not see. Names are the kernel's, so no rule judges names.
 */
import { builtinModules } from 'node:module'
import js from '@eslint/js'
import vitest from '@vitest/eslint-plugin'
import importX from 'eslint-plugin-import-x'
import jsdoc from 'eslint-plugin-jsdoc'
import n from 'eslint-plugin-n'
import tsdoc from 'eslint-plugin-tsdoc'
import unicorn from 'eslint-plugin-unicorn'
import tseslint from 'typescript-eslint'

const through = 'time and chance go through the kernel (kernel.clock, timerSetup, kernel.rng)'
const hostTime = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'crypto',
]
const hostNode = ['process', 'Buffer', 'global', 'require', '__dirname', '__filename']

/** `NetDevice<any>` is the one place where the private part does not matter. */
const netDevice = '/^(NetDevice|NetDeviceOps|EthtoolOps)$/'
const allowed = `TSTypeReference:matches([typeName.name=${netDevice}], [typeName.right.name=${netDevice}])`
const anyOutsideNetDevice = `TSAnyKeyword:not(${allowed} TSAnyKeyword)`
const sayTheType = 'say the type; `any` is for NetDevice<any> only'

const common = {
  plugins: { n, unicorn, 'import-x': importX },
  rules: {
    'max-lines': ['error', 400],
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    // The log escapes control characters, so it names them.
    'no-control-regex': 'off',
    'no-duplicate-imports': ['error', { allowSeparateTypeImports: true }],
    'no-constant-condition': ['error', { checkLoops: false }],
    'no-empty': ['error', { allowEmptyCatch: true }],
    'no-param-reassign': 'off',
    'no-template-curly-in-string': 'error',
    'no-self-compare': 'error',
    'no-unmodified-loop-condition': 'error',
    'object-shorthand': 'error',
    'prefer-const': 'error',
    'import-x/first': 'error',
    'import-x/no-mutable-exports': 'error',
    'import-x/no-relative-packages': 'error',
    'import-x/no-self-import': 'error',
    'n/no-deprecated-api': 'error',
    'n/prefer-node-protocol': 'error',
    'n/no-unsupported-features/node-builtins': [
      'error',
      { version: '>=20.19.0', allowExperimental: true, ignores: ['import.meta.dirname'] },
    ],
    'unicorn/catch-error-name': 'error',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'unicorn/no-abusive-eslint-disable': 'error',
    'unicorn/no-empty-file': 'error',
    'unicorn/no-instanceof-builtins': 'error',
    'unicorn/no-negation-in-equality-check': 'error',
    'unicorn/no-thenable': 'error',
    'unicorn/no-useless-switch-case': 'error',
    'unicorn/prefer-optional-catch-binding': 'error',
    'unicorn/prefer-string-slice': 'error',
    'unicorn/prefer-type-error': 'error',
    'unicorn/throw-new-error': 'error',
  },
}

const typed = {
  languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
  rules: {
    '@typescript-eslint/consistent-type-imports': 'error',
    '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    '@typescript-eslint/prefer-readonly': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    // `table[i & mask]!` is how a ring is read: the index is right by construction.
    '@typescript-eslint/no-non-null-assertion': 'off',
    // A packet's way makes no iterators.
    '@typescript-eslint/prefer-for-of': 'off',
    // Said by our own selector, which lets NetDevice<any> through.
    '@typescript-eslint/no-explicit-any': 'off',
    // A hook of an ops table that ignores its arguments, or does nothing, is normal.
    '@typescript-eslint/no-empty-function': 'off',
    '@typescript-eslint/require-await': 'off',
    // An ops table's entries are read without calling them: is there one?
    '@typescript-eslint/unbound-method': 'off',
    // Numbers are what kernel messages are made of.
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    // A parser's early way out throws one constant, which costs no stack trace.
    '@typescript-eslint/only-throw-error': 'off',
    // Style that says nothing about right or wrong.
    // It also takes away assertions that TypeScript 7 needs: the linter runs on 6.
    '@typescript-eslint/no-unnecessary-type-assertion': 'off',
    '@typescript-eslint/class-literal-property-style': 'off',
    '@typescript-eslint/consistent-indexed-object-style': 'off',
    // A type that does not resolve is the compiler's to report; what is left comes from NetDevice<any>.
    '@typescript-eslint/no-redundant-type-constituents': 'off',
    '@typescript-eslint/no-unsafe-argument': 'off',
    '@typescript-eslint/no-unsafe-assignment': 'off',
    '@typescript-eslint/no-unsafe-call': 'off',
    '@typescript-eslint/no-unsafe-member-access': 'off',
    '@typescript-eslint/no-unsafe-return': 'off',
    'no-restricted-syntax': ['error', { selector: anyOutsideNetDevice, message: sayTheType }],
  },
}

/** Packages above the line run in a browser; those below are for Node. */
const belowTheLine = ['packages/backend-*/**', 'packages/linux/**', 'packages/afxdp/**']

const portableSources = {
  files: ['packages/*/src/**/*.ts'],
  ignores: belowTheLine,
  rules: {
    'no-console': 'error',
    'no-restricted-globals': [
      'error',
      ...hostTime.map((name) => ({ name, message: through })),
      ...hostNode.map((name) => ({ name, message: 'packages run in a browser too' })),
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Math', property: 'random', message: through },
      ...['globalThis', 'self', 'window'].flatMap((object) =>
        [...hostTime, ...hostNode].map((property) => ({ object, property, message: through })),
      ),
    ],
    'no-restricted-imports': [
      'error',
      {
        paths: builtinModules.map((name) => ({ name, message: 'packages run in a browser too' })),
        patterns: [{ group: ['node:*'], message: 'packages run in a browser too' }],
      },
    ],
    'import-x/no-default-export': 'error',
    // A kernel has no promises; the two slowest rules look for them.
    '@typescript-eslint/no-misused-promises': 'off',
    '@typescript-eslint/no-floating-promises': 'off',
    '@typescript-eslint/await-thenable': 'off',
    'no-restricted-syntax': [
      'error',
      { selector: anyOutsideNetDevice, message: sayTheType },
      { selector: ':function[async=true]', message: 'a kernel has no promises' },
    ],
  },
}

const documentedSources = {
  files: ['packages/*/src/**/*.ts'],
  plugins: { jsdoc, tsdoc },
  rules: {
    'jsdoc/require-jsdoc': [
      'error',
      {
        publicOnly: true,
        require: { ClassDeclaration: true, FunctionDeclaration: true },
        contexts: ['ExportNamedDeclaration > VariableDeclaration > VariableDeclarator > ObjectExpression'],
      },
    ],
    'jsdoc/check-param-names': ['error', { checkDestructured: false, disableMissingParamChecks: true }],
    'jsdoc/no-types': 'error',
    'tsdoc/syntax': 'error',
  },
}

const tests = {
  files: ['**/test/**/*.ts'],
  plugins: { vitest },
  rules: {
    ...vitest.configs.recommended.rules,
    // Model tests and the conformance kit assert through helpers of their own.
    'vitest/expect-expect': [
      'error',
      { assertFunctionNames: ['expect*', 'assert*', 'check*', 'fc.assert', 'test*'] },
    ],
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    'vitest/no-focused-tests': 'error',
    'vitest/no-disabled-tests': 'error',
    // What the tests of several packages share is no package.
    'import-x/no-relative-packages': 'off',
    // Slow, and a forgotten await is found by no-floating-promises.
    '@typescript-eslint/no-misused-promises': 'off',
    'no-restricted-syntax': 'off',
    'vitest/no-conditional-expect': 'off',
    'vitest/no-standalone-expect': 'off',
    'vitest/valid-title': ['error', { allowArguments: true, ignoreTypeOfDescribeName: true }],
  },
}

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', '**/coverage/', '.tools/', '**/fixtures/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  common,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylistic, typed],
  },
  portableSources,
  documentedSources,
  {
    files: ['packages/kernel/src/realtime.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
  },
  tests,
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: nodeGlobals() },
  },
)

function nodeGlobals() {
  const names = [
    'console',
    'process',
    'Buffer',
    'URL',
    'performance',
    'setTimeout',
    'clearTimeout',
    'structuredClone',
    'TextDecoder',
    'TextEncoder',
  ]
  return Object.fromEntries(names.map((name) => [name, 'readonly']))
}
