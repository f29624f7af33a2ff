import type { NamedLab } from './read.ts'

/** What to type next. */
export function fileSteps({ name, lab }: NamedLab): string {
  const lines = lab.machines.map((machine) => {
    const cards = machine.cards.map(({ cable, addresses }, i) => [`vnet${i}`, cable, ...addresses].join(' '))
    return `${machine.name}: ${cards.join('; ') || 'no card'}\n`
  })
  const [first, other] = pair(lab)
  const examples = [
    `  vnet --machine ${first} ip addr`,
    ...(other === undefined ? [] : [`  vnet --machine ${first} ping ${other}`]),
    `  vnet --machine ${first} cable list`,
    `  vnet lab down ${name}`,
  ]
  return `${lines.join('')}\n${examples.join('\n')}\n`
}

/** A machine, and an address of another one. */
function pair({ machines }: NamedLab['lab']): [string, string | undefined] {
  const first = machines.find(({ cards }) => cards.length > 0) ?? machines[0]!
  const others = machines.filter((machine) => machine !== first)
  return [
    first.name,
    others.flatMap(({ cards }) => cards.flatMap(({ addresses }) => addresses))[0]?.replace(/\/.*/, ''),
  ]
}
