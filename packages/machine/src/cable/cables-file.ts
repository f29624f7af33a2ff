import { parseDuration } from '@vnet/backend'
import { Errno, prErr, type Kernel } from '@vnet/kernel'
import type { VfsFile } from '../vfs/node.ts'
import type { CardCable } from './card-cable.ts'
import { cablesOf } from './cables.ts'

/**
 * /sys/kernel/debug/vnet/cables: reading lists the cards and what is plugged into them, writing changes it.
 *
 * What is wrong with a line stands in the log, behind `cables: `; the program gets its number.
 *
 * @kernel none
 */
export function cablesFile(kernel: Kernel): VfsFile {
  return {
    kind: 'file',
    mode: 0o644,
    read: () => cablesOf(kernel).list().map(cableLine).join(''),
    write: (text) => {
      for (const line of text.split('\n')) if (line.trim() !== '') command(kernel, line)
    },
  }
}

/** `vnet0  tap:tap0  up  drop=10%  tx=3 rx=4 dropped=0 missed=0`; `-` is nothing. */
function cableLine(cable: CardCable): string {
  const { tx, rx, dropped, missed } = cable.counts
  const state = cable.hung ? `${cable.state},hung` : cable.state
  const counts = `tx=${tx} rx=${rx} dropped=${dropped} missed=${missed}`
  const { tap } = cable
  const wire =
    tap === null || (tap.clients === 0 && tap.lost === 0) ? [] : [`wire=${tap.clients} lost=${tap.lost}`]
  return `${[cable.name, cable.spec ?? '-', state, cable.faults || '-', counts, ...wire].join('  ')}\n`
}

function command(kernel: Kernel, line: string): void {
  try {
    run(kernel, line.trim().split(/\s+/))
  } catch (error) {
    if (error instanceof Errno) prErr(kernel, `cables: ${error.message}`)
    throw error
  }
}

/** What can be done, how many words it takes after the device, and how it is written. */
const COMMANDS: Readonly<
  Record<string, { least: number; most: number; form: string; run(cable: CardCable, words: string[]): void }>
> = {
  plug: {
    least: 1,
    most: Infinity,
    form: 'plug DEV SPEC [FAULTS…]',
    run: (cable, [spec, ...faults]) => cable.plug(spec!, faults.join(',')),
  },
  unplug: { least: 0, most: 0, form: 'unplug DEV', run: (cable) => cable.unplug() },
  cut: { least: 0, most: 0, form: 'cut DEV', run: (cable) => cable.cut() },
  repair: { least: 0, most: 0, form: 'repair DEV', run: (cable) => cable.repair() },
  hang: { least: 0, most: 1, form: 'hang DEV [TIME]', run: (cable, [time]) => cable.hang(duration(time)) },
  recover: { least: 0, most: 0, form: 'recover DEV', run: (cable) => cable.recover() },
}

function run(kernel: Kernel, [verb = '', name, ...words]: readonly string[]): void {
  const known = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb]! : undefined
  if (known === undefined)
    throw new Errno('EINVAL', `there is no "${verb}"; known are ${Object.keys(COMMANDS).join(', ')}`)
  if (name === undefined || words.length < known.least || words.length > known.most)
    throw new Errno('EINVAL', `write ${known.form}`)
  known.run(cablesOf(kernel).get(name), words)
}

function duration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ns = parseDuration(text)
  if (ns === null) throw new Errno('EINVAL', `"${text}" is no time; write 6s or 500ms`)
  return ns
}
