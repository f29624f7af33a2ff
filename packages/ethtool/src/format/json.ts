/** An object whose keys keep their order. */
export type JsonFields = readonly (readonly [string, JsonValue])[]

/** What the printer can print: a nested object is a list of fields, an array is `{ array }`. */
export type JsonValue =
  string | number | bigint | boolean | null | JsonFields | { readonly array: readonly JsonFields[] }

/**
 * Prints objects the way ethtool's JSON writer does: every field on a line of its own, an array's brackets not.
 *
 * @kernel none
 */
export function formatJson(objects: readonly JsonFields[]): string {
  return `${array(objects, 0)}\n`
}

function array(objects: readonly JsonFields[], depth: number): string {
  const body = objects.map((fields) => object(fields, depth + 1)).join(',')
  return objects.length === 0 ? '[ ]' : `[ ${body} ]`
}

function object(fields: JsonFields, depth: number): string {
  if (fields.length === 0) return '{}'
  const indent = '    '.repeat(depth)
  const lines = fields.map(([key, value]) => `${indent}    ${quote(key)}: ${print(value, depth + 1)}`)
  return `{\n${lines.join(',\n')}\n${indent}}`
}

function print(value: JsonValue, depth: number): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object') return String(value)
  return 'array' in value ? array(value.array, depth) : object(value, depth)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\f': '\\f',
  '\b': '\\b',
  '\\': '\\\\',
  '"': '\\"',
  "'": "\\'",
}

function quote(text: string): string {
  return `"${text.replace(/[\t\n\r\f\b\\"']/g, (char) => ESCAPES[char]!)}"`
}
