import {
  Errno,
  parseModuleParam,
  type ModuleContext,
  type ModuleDefinition,
  type ModuleParamValue,
} from '@vnet/kernel'
import { cablesOf, type CardCable, type Machine } from '@vnet/machine'
import { createCard, createVnetModule, VnetInstances } from '@vnet/vnet'
import { CommandError } from '../../errors.ts'
import { etherBytes } from './address.ts'
import { runNow } from './run-now.ts'
import type { LabCard, LabFile, LabMachine } from './schema.ts'

/**
 * Puts into a machine that has booted what the file says: cards, addresses, routes.
 *
 * @param index - of the machine in the file
 * @throws CommandError with what the machine refused, and why
 */
export function buildMachine(machine: Machine, lab: LabFile, index: number): void {
  const wanted = lab.machines[index]!
  loadCards(machine, wanted, lab.faults, index)
  if (wanted.forward) {
    machine.vfs.write('/proc/sys/net/ipv4/ip_forward', '1')
    machine.vfs.write('/proc/sys/net/ipv6/conf/all/forwarding', '1')
  }
  for (const [i, card] of wanted.cards.entries()) configure(machine, `vnet${i}`, card)
  for (const { to, via } of wanted.routes) runNow(machine, ['ip', ...v6(via), 'route', 'add', to, 'via', via])
}

function configure(machine: Machine, dev: string, { addresses, mtu, up }: LabCard): void {
  if (mtu !== undefined) runNow(machine, ['ip', 'link', 'set', dev, 'mtu', String(mtu)])
  if (up) runNow(machine, ['ip', 'link', 'set', dev, 'up'])
  for (const address of addresses)
    // Nobody waits two seconds for an address that the file says is free.
    runNow(machine, [
      'ip',
      ...v6(address),
      'addr',
      'add',
      address,
      'dev',
      dev,
      ...(address.includes(':') ? ['nodad'] : []),
    ])
}

const v6 = (address: string): string[] => (address.includes(':') ? ['-6'] : [])

function loadCards(machine: Machine, wanted: LabMachine, faults: string, index: number): void {
  if (wanted.cards.length === 0) return
  const { kernel } = machine
  const from = kernel.log.records.length
  try {
    kernel.modules.insmod(cardsModule(wanted.cards, faults, index))
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    const said = kernel.log.records.slice(from).filter(({ text }) => text.includes(error.message))
    throw new CommandError(`vnet lab: ${machine.name}: ${said.at(-1)?.text ?? error.message}`)
  }
}

/** The module vnet with the cards of the file, each with parameters of its own. */
function cardsModule(cards: readonly LabCard[], faults: string, index: number): ModuleDefinition {
  const plain = createVnetModule()
  return {
    ...plain,
    init(ctx) {
      const instances = new VnetInstances()
      ctx.data = instances
      const made: CardCable[] = []
      try {
        for (const [i, card] of cards.entries()) made.push(probe(ctx, instances, card, faults, [index, i]))
      } catch (error) {
        instances.removeAll()
        for (const cable of made) cable.remove()
        throw error
      }
    },
  }
}

function probe(
  ctx: ModuleContext,
  instances: VnetInstances,
  wanted: LabCard,
  faults: string,
  [machine, i]: readonly [number, number],
): CardCable {
  const { kernel } = ctx
  const params = paramsOf(ctx, wanted)
  const cables = cablesOf(kernel)
  const cable = cables.prepare({ params })
  try {
    const card = createCard(kernel, {
      name: `vnet-card${i}`,
      macAddress:
        wanted.mac === undefined ? Uint8Array.of(2, 0, 0, 1, machine + 1, i + 1) : etherBytes(wanted.mac),
      queues: Number(params['queues']),
      backend: cable.first(wanted.cable, wanted.faults ?? faults),
    })
    try {
      const { dev } = instances.probe(kernel, card, { ...ctx, params })
      cables.add(cable, card, dev)
    } catch (error) {
      card.destroy()
      throw error
    }
    return cable
  } catch (error) {
    cable.remove()
    throw error instanceof Errno ? new Errno(error.code, `${wanted.cable}: ${error.message}`) : error
  }
}

function paramsOf(ctx: ModuleContext, { parameters }: LabCard): Record<string, ModuleParamValue> {
  const known = createVnetModule().params ?? {}
  const own = Object.entries(parameters).flatMap(([name, value]): [string, ModuleParamValue][] =>
    value === undefined ? [] : [[name, parseModuleParam(known[name]!, String(value))]],
  )
  return { ...ctx.params, ...Object.fromEntries(own) }
}
