/** What the scripts and the workspace tests know about the packages. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './steps.mjs'

/**
 * A package of this repository.
 * @typedef {{ name: string, short: string, folder: string, portable: boolean, manifest: { version: string, dependencies?: Record<string, string> } }} Package
 */

/** @returns {Package[]} the published packages, by name */
export function packages() {
  return readdirSync(join(root, 'packages'))
    .map((short) => ({ short, folder: join(root, 'packages', short) }))
    .filter(({ folder }) => existsSync(join(folder, 'package.json')))
    .map(({ short, folder }) => {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      return { name: manifest.name, short, folder, portable: !belowTheLine.test(short), manifest }
    })
}

/** What is for Node only; every other package runs in a browser too. */
const belowTheLine = /^(linux|afxdp|backend-.+)$/

/**
 * The package and all it needs from this repository.
 * @param {Package} pkg
 * @param {Package[]} all
 * @returns {Package[]}
 */
export function closure(pkg, all) {
  const found = new Set([pkg])
  for (const one of found) {
    for (const name of Object.keys(one.manifest.dependencies ?? {})) {
      const sibling = all.find((other) => other.name === name)
      if (sibling) found.add(sibling)
    }
  }
  return [...found]
}

const example = /^```ts\n([^]*?)^```\n\s*```text\n([^]*?)^```$/m

/**
 * The first program of a README and the output it promises, which must follow at once.
 * @param {string} folder
 * @returns {{ code: string, output: string } | null}
 */
export function readmeExample(folder) {
  const file = join(folder, 'README.md')
  const found = existsSync(file) ? example.exec(readFileSync(file, 'utf8')) : null
  return found === null ? null : { code: found[1], output: found[2] }
}

/**
 * Text without the blanks at the ends of its lines, which editors and formatters take away in a README.
 * @param {string} text
 */
export const withoutTrailingBlanks = (text) => text.replace(/[ \t]+$/gm, '')
