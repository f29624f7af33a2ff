/** Reading sources: one parse a file, and what its TSDoc says. Syntax only, no type checker, so it is fast. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { root } from '../lib/steps.mjs'

const parsed = new Map()

/** @param {string} file @returns {ts.SourceFile} */
export function parse(file) {
  if (!parsed.has(file)) {
    parsed.set(file, ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022))
  }
  return parsed.get(file)
}

/** The TypeScript files under a folder, sorted, so that what is generated does not depend on the machine. */
export function sources(folder) {
  try {
    return readdirSync(folder, { recursive: true })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => join(folder, name))
      .sort()
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

/** A path as it is written in a page in docs/. */
export function link(file) {
  return `../${relative(root, file).replaceAll('\\', '/')}`
}

/** `TXQ-01`, `LINK-02`: all ids in a text. */
export function ruleIds(text) {
  return text.match(/\b[A-Z]+-\d{2}\b/g) ?? []
}

/** The texts of the TSDoc tags we read: a tag ends where the next begins. */
const tag = /@(kernel|rule)\s+([^]*?)(?=\s@[a-zA-Z]+\b|$)/g

/**
 * What the doc comment right before a node says.
 * @returns {{ kernel: string[], rules: string[] } | null} null without a comment
 */
export function docOf(node, file) {
  const text = file.text
  const comment = (ts.getLeadingCommentRanges(text, node.pos) ?? [])
    .map(({ pos, end }) => text.slice(pos, end))
    .findLast((range) => range.startsWith('/**'))
  if (comment === undefined) return null
  const plain = comment
    .slice(3, -2)
    .replaceAll(/^\s*\*/gm, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const doc = { kernel: [], rules: [] }
  for (const [, name, body] of ` ${plain}`.matchAll(tag)) {
    if (name === 'kernel') doc.kernel.push(body.trim())
    else doc.rules.push(...ruleIds(body))
  }
  return doc
}
