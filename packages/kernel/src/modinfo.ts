import type { ModuleDefinition } from './module.ts'

/**
 * What `modinfo` prints about a module.
 *
 * Lines that describe a build for one machine (`srcversion`, `retpoline`, `vermagic`) are left out: there is none.
 *
 * @kernel none
 */
export function modinfoText(def: ModuleDefinition): string {
  let out = field('filename', def.filename ?? `/lib/modules/${def.name}.ko`)
  if (def.version !== undefined) out += field('version', def.version)
  if (def.description !== undefined) out += field('description', def.description)
  if (def.author !== undefined) out += field('author', def.author)
  out += field('license', def.license)
  out += field('depends', (def.depends ?? []).join(','))
  if (def.intree === true) out += field('intree', 'Y')
  out += field('name', def.name)
  for (const [name, param] of Object.entries(def.params ?? {})) {
    out += field('parm', `${name}:${param.description} (${param.type})`)
  }
  return out
}

function field(key: string, value: string): string {
  return `${key}:`.padEnd(16) + `${value}\n`
}
