import { isUp, labRecords, type LabRecord } from './record.ts'

/** `vnet lab list` */
export function listLabs(json: boolean): number {
  const labs = labRecords().map((record) => ({ ...record, up: isUp(record) }))
  if (json) process.stdout.write(`${JSON.stringify(labs, null, 2)}\n`)
  else if (labs.length === 0) process.stderr.write('there is no lab; vnet lab up makes one\n')
  else for (const lab of labs) process.stdout.write(`${labLine(lab, lab.up)}\n`)
  return 0
}

function labLine({ name, machines, namespaces, file, process: { pid } }: LabRecord, up: boolean): string {
  if (!up) return `${name}  dead  vnet lab down ${name} removes what it left`
  const parts = [`machines ${machines.join(' ')}`]
  if (namespaces.length > 0) parts.push(`namespaces ${namespaces.join(' ')}`)
  if (file !== undefined) parts.push(file)
  return [name, 'up', `pid ${pid}`, ...parts].join('  ')
}
