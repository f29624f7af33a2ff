/** What a package gives to its users: the names that leave `src/index.ts`, with their documentation. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { docOf, parse } from './source.mjs'

/**
 * @typedef {{ name: string, kind: 'function' | 'class' | 'object' | 'value' | 'type' | 'member', file: string,
 *   doc: { kernel: string[], rules: string[] } | null }} PublicName
 */

/** @returns {PublicName[]} sorted by name; members only when they carry a `@kernel` tag */
export function publicNames(pkg) {
  const names = new Map()
  for (const found of moduleExports(join(pkg.folder, 'src', 'index.ts'), new Set())) {
    if (!names.has(found.name)) names.set(found.name, found)
  }
  return [...names.values()].sort((a, b) => compare(a.name, b.name))
}

export const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

function* moduleExports(path, seen) {
  // A file that is not there is the compiler's to report.
  if (seen.has(path) || !existsSync(path)) return
  seen.add(path)
  const file = parse(path)
  for (const statement of file.statements) {
    if (ts.isExportDeclaration(statement)) yield* reExports(statement, path, seen)
    else if (isExported(statement)) yield* declarations(statement, file, path)
  }
}

function* reExports(statement, path, seen) {
  const from = statement.moduleSpecifier?.text
  if (from === undefined || !from.startsWith('.')) return
  const target = join(dirname(path), from)
  if (statement.exportClause === undefined) {
    yield* moduleExports(target, seen)
    return
  }
  const theirs = [...moduleExports(target, new Set())]
  for (const { name, propertyName } of statement.exportClause.elements ?? []) {
    const original = (propertyName ?? name).text
    for (const found of theirs) {
      if (found.name === original) yield { ...found, name: name.text }
      else if (found.kind === 'member' && found.name.startsWith(`${original}.`)) yield found
    }
  }
}

function isExported(statement) {
  return statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false
}

function* declarations(statement, file, path) {
  const doc = docOf(statement, file)
  if (ts.isFunctionDeclaration(statement))
    yield { name: statement.name.text, kind: 'function', file: path, doc }
  else if (ts.isVariableStatement(statement)) {
    for (const { name, initializer } of statement.declarationList.declarations) {
      yield { name: name.text, kind: valueKind(initializer), file: path, doc }
    }
  } else if (ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement)) {
    const kind = ts.isClassDeclaration(statement) ? 'class' : 'type'
    yield { name: statement.name.text, kind, file: path, doc }
    yield* members(statement, file, path)
  } else if (ts.isTypeAliasDeclaration(statement)) {
    yield { name: statement.name.text, kind: 'type', file: path, doc }
  }
}

function* members(owner, file, path) {
  for (const member of owner.members) {
    const doc = docOf(member, file)
    if (doc !== null && doc.kernel.length > 0 && member.name !== undefined && ts.isIdentifier(member.name)) {
      yield { name: `${owner.name.text}.${member.name.text}`, kind: 'member', file: path, doc }
    }
  }
}

function valueKind(initializer) {
  let value = initializer
  while (value !== undefined && (ts.isAsExpression(value) || ts.isSatisfiesExpression(value)))
    value = value.expression
  if (value === undefined) return 'value'
  if (ts.isArrowFunction(value) || ts.isFunctionExpression(value)) return 'function'
  if (ts.isObjectLiteralExpression(value)) return 'object'
  return 'value'
}
