/** The rules as docs/driver-rules.md lists them, where the sources keep them, and which tests prove them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../lib/steps.mjs'
import { docOf, parse, ruleIds } from './source.mjs'

const row = /^\| <a id="([a-z]+-\d\d)"><\/a>([A-Z]+-\d\d) \| ([MS]) \| ((?:\\\||[^|])*) \|/

/** @returns {{ title: string, rules: { id: string, must: boolean, sentence: string }[] }[]} by section */
export function readRules() {
  const sections = []
  for (const line of readFileSync(join(root, 'docs', 'driver-rules.md'), 'utf8').split('\n')) {
    const found = row.exec(line)
    if (line.startsWith('## ')) sections.push({ title: line.slice(3).replace(/^\d+\. /, ''), rules: [] })
    if (found) sections.at(-1).rules.push({ id: found[2], must: found[3] === 'M', sentence: found[4].trim() })
  }
  return sections
}

/**
 * Where a file keeps rules: `reports` for an id in its code (`warnOn('TXQ-01', …)`), `keeps` for a `@rule` tag on
 * something that refuses by its return value, throws, or cannot go wrong.
 * @returns {{ id: string, how: 'reports' | 'keeps', where: string, file: string }[]}
 */
export function ruleSites(path) {
  const file = parse(path)
  const sites = []
  const visit = (node, where) => {
    const name = nameOf(node)
    const here = name === undefined ? where : joinNames(where, name)
    if (name !== undefined) {
      for (const id of docOf(node, file)?.rules ?? [])
        sites.push({ id, how: 'keeps', where: here, file: path })
    }
    if (ts.isStringLiteral(node) && /^[A-Z]+-\d{2}$/.test(node.text)) {
      sites.push({ id: node.text, how: 'reports', where, file: path })
    }
    ts.forEachChild(node, (child) => visit(child, here))
  }
  visit(file, '')
  return sites
}

/** The name of something with code that a reader can look for. An interface only promises, so it keeps nothing. */
function nameOf(node) {
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  if (ts.isVariableStatement(node)) return node.declarationList.declarations[0].name.text
  return ts.isFunctionDeclaration(node) || ts.isClassLike(node) || ts.isClassElement(node)
    ? node.name?.text
    : undefined
}

/** Locals inside a function are no places a reader looks for: the function is. */
function joinNames(where, name) {
  if (where === '') return name
  return where.includes('.') || /^[a-z_]/.test(where) ? where : `${where}.${name}`
}

/**
 * The tests whose title, or whose describe block's title, starts with rule ids.
 * @returns {{ id: string, title: string, file: string }[]}
 */
export function ruleTests(path) {
  const file = parse(path)
  const tests = []
  const visit = (node, inherited) => {
    let ids = inherited
    const call = testCall(node)
    if (call !== null) {
      const { lead, rest } = leadingIds(call.title)
      ids = [...inherited, ...lead]
      if (call.kind !== 'describe') {
        for (const id of new Set(ids)) tests.push({ id, title: rest, file: path })
      }
    }
    ts.forEachChild(node, (child) => visit(child, ids))
  }
  visit(file, [])
  return tests
}

/**
 * The checks of the conformance kit: tables with a rule's `id` and a `title`.
 * @returns {{ id: string, title: string, file: string }[]}
 */
export function ruleChecks(path) {
  const checks = []
  const visit = (node) => {
    if (ts.isObjectLiteralExpression(node)) {
      const [id, title] = ['id', 'title'].map((name) => textOf(node, name))
      if (id !== undefined && title !== undefined) checks.push({ id, title, file: path })
    }
    ts.forEachChild(node, visit)
  }
  visit(parse(path))
  return checks
}

/** The string a property of a table has. */
function textOf(table, name) {
  const property = table.properties.find((p) => ts.isPropertyAssignment(p) && p.name.text === name)
  return property !== undefined && ts.isStringLiteralLike(property.initializer)
    ? property.initializer.text
    : undefined
}

/** `it('…')`, `it.each(cases)('…')`, `describe.skipIf(x)('…')`. */
function testCall(node) {
  if (!ts.isCallExpression(node) || node.arguments.length === 0) return null
  let callee = node.expression
  while (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) callee = callee.expression
  if (!ts.isIdentifier(callee) || !['it', 'test', 'describe'].includes(callee.text)) return null
  const [title] = node.arguments
  if (ts.isStringLiteralLike(title)) return { kind: callee.text, title: title.text }
  if (ts.isTemplateExpression(title)) {
    const parts = title.templateSpans.map(({ literal }) => `…${literal.text}`)
    return { kind: callee.text, title: title.head.text + parts.join('') }
  }
  return null
}

function leadingIds(title) {
  const lead = /^(?:[A-Z]+-\d{2}(?:\s*[,/+&:]\s*|\s+and\s+|\s+|$))+/.exec(title)?.[0] ?? ''
  return { lead: ruleIds(lead), rest: title.slice(lead.length) || title }
}
