/**
 * Writes docs/kernel-names.md and docs/rules.md from the sources. `--check` writes nothing and fails when they are not
 * current. Either way it fails on a public function, class or table without `@kernel`, and on a rule id that does not exist.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { packages } from './lib/workspace.mjs'
import { root } from './lib/steps.mjs'
import { publicNames } from './docs/exports.mjs'
import { kernelNamesPage, rulesPage } from './docs/pages.mjs'
import { readRules, ruleChecks, ruleSites, ruleTests } from './docs/rules.mjs'
import { sources } from './docs/source.mjs'

const checkOnly = process.argv.includes('--check')
const problems = []
const all = packages().map((pkg) => ({ pkg, names: publicNames(pkg) }))
const sections = readRules()
const known = new Set(sections.flatMap(({ rules }) => rules.map(({ id }) => id)))

// The conformance kit enforces nothing: it names rules in its checks, which are tests of every driver.
const kit = join(root, 'packages', 'conformance')
const sites = byRule(
  all
    .filter(({ pkg }) => pkg.folder !== kit)
    .flatMap(({ pkg }) => sources(join(pkg.folder, 'src')).flatMap(ruleSites)),
)
const testFolders = [
  ...all.map(({ pkg }) => pkg.folder),
  join(root, 'apps'),
  join(root, 'examples'),
  join(root, 'test'),
]
const tests = byRule([
  ...testFolders
    .flatMap(sources)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap(ruleTests),
  ...sources(join(kit, 'src', 'checks')).flatMap(ruleChecks),
])

for (const { pkg, names } of all) {
  for (const { name, kind, doc, file } of names) {
    if (!['function', 'class', 'object'].includes(kind) || doc?.kernel.length > 0) continue
    problems.push(
      `${relative(root, file)}: ${name} of ${pkg.name} has no @kernel tag (\`@kernel none\` if there is no such thing there)`,
    )
  }
}

/** Groups by rule id and reports ids that driver-rules.md does not have. */
function byRule(found) {
  const groups = new Map()
  for (const one of found) {
    if (!known.has(one.id)) problems.push(`${relative(root, one.file)}: there is no rule ${one.id}`)
    groups.set(one.id, [...(groups.get(one.id) ?? []), one])
  }
  return (id) => groups.get(id) ?? []
}

function put(name, text) {
  const file = join(root, 'docs', name)
  const old = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (old === text) return
  if (checkOnly) problems.push(`docs/${name} is not current: run \`pnpm docs\``)
  else writeFileSync(file, text)
}

put('kernel-names.md', kernelNamesPage(all, tests))
put('rules.md', rulesPage(sections, sites, tests))
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
