import { cableKinds } from '../../boot/cables.ts'
import type { LabFile } from './schema.ts'

/** What fits the schema and still makes no lab: one sentence each, with where it is. */
export function contradictions(lab: LabFile): string[] {
  return [...twiceNamed(lab), ...cableProblems(lab), ...patchProblems(lab)]
}

function twiceNamed({ machines, switches }: LabFile): string[] {
  const names = machines.map(({ name }) => name)
  const again = (list: readonly string[]): number[] =>
    list.flatMap((name, i) => (list.indexOf(name) < i ? [i] : []))
  return [
    ...again(names).map((i) => `machines[${i}].name: expected a name of its own, found "${names[i]}" again`),
    ...again(switches).map((i) => `switches[${i}]: expected a name of its own, found "${switches[i]}" again`),
  ]
}

/** Each cable with the place in the file where it is. */
function plugs({ machines }: LabFile): { where: string; spec: string }[] {
  return machines.flatMap(({ cards }, m) =>
    cards.map(({ cable }, c) => ({ where: `machines[${m}].cards[${c}].cable`, spec: cable })),
  )
}

function cableProblems(lab: LabFile): string[] {
  return plugs(lab).flatMap(({ where, spec }) => {
    const problem = cableProblem(lab, spec)
    return problem === null ? [] : [`${where}: expected ${problem}, found "${spec}"`]
  })
}

function cableProblem({ switches, cables }: LabFile, spec: string): string | null {
  const name = spec.replace(/^\w+:/, '')
  const known = (names: readonly string[], kind: string, list: string): string | null =>
    names.includes(name)
      ? null
      : names.length === 0
        ? `a ${kind} of the list "${list}", which is empty`
        : `one of ${names.map((one) => `"${kind}:${one}"`).join(', ')}`
  if (spec.startsWith('switch:')) return known(switches, 'switch', 'switches')
  if (spec.startsWith('patch:')) return known(Object.keys(cables), 'patch', 'cables')
  if (['null', 'loopback', 'generator'].includes(spec)) return null
  const kinds = cableKinds()
  if (kinds.some((kind) => spec.startsWith(`${kind}:`) && spec.length > kind.length + 1)) return null
  return `null, loopback, generator, ${['switch', 'patch', ...kinds].map((kind) => `${kind}:…`).join(', ')}`
}

/** A patch cable has two ends; one that is not used is told, too. */
function patchProblems(lab: LabFile): string[] {
  return Object.keys(lab.cables).flatMap((name) => {
    const ends = plugs(lab).filter(({ spec }) => spec === `patch:${name}`).length
    return ends === 2
      ? []
      : [`cables.${name}: expected two cards with the cable "patch:${name}", found ${ends}`]
  })
}
