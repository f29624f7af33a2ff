import { parseDuration, parseFaults } from '@vnet/backend'
import { Errno, parseModuleParam, type ModuleParam } from '@vnet/kernel'
import { createVnetModule } from '@vnet/vnet'
import * as v from 'valibot'
import { isAddress, isEtherAddress, isPrefix } from './address.ts'

/** A name of a machine, a switch, a cable. */
const Name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/))

const Cable = v.pipe(v.string(), v.nonEmpty())

/** `drop=1%,delay=5ms`, or a list of such words; checked as `vnet replay` does. */
const Faults = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((words) => (typeof words === 'string' ? words.trim().split(/[\s,]+/) : words).join(',')),
  v.rawCheck(({ dataset, addIssue }) => {
    const sentence = dataset.typed ? refusalOf(() => parseFaults(dataset.value)) : undefined
    if (sentence !== undefined) addIssue({ message: sentence })
  }),
)

const Duration = v.pipe(
  v.string(),
  v.check((text) => parseDuration(text) !== null),
  v.transform((text) => parseDuration(text)!),
)

const Parameters = v.strictObject(parameterEntries())

const Card = v.strictObject({
  cable: Cable,
  faults: v.optional(Faults),
  addresses: v.optional(v.array(v.pipe(v.string(), v.check(isPrefix))), []),
  parameters: v.optional(Parameters, {}),
  mac: v.optional(v.pipe(v.string(), v.check(isEtherAddress))),
  mtu: v.optional(v.pipe(v.number(), v.integer(), v.minValue(68), v.maxValue(9000))),
  up: v.optional(v.boolean(), true),
})

const Route = v.strictObject({
  to: v.pipe(
    v.string(),
    v.check((to) => to === 'default' || isPrefix(to)),
  ),
  via: v.pipe(v.string(), v.check(isAddress)),
})

const Machine = v.strictObject({
  name: Name,
  seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  forward: v.optional(v.boolean(), false),
  cards: v.pipe(v.array(Card), v.maxLength(256)),
  routes: v.optional(v.array(Route), []),
})

/** A lab as it stands in a file. */
export const LabSchema = v.strictObject({
  name: v.optional(Name),
  faults: v.optional(Faults, ''),
  switches: v.optional(v.array(Name), []),
  cables: v.optional(v.record(Name, v.strictObject({ delay: v.optional(Duration, '0s') })), {}),
  machines: v.pipe(v.array(Machine), v.minLength(1)),
})

/** A lab that can be built. */
export type LabFile = v.InferOutput<typeof LabSchema>
export type LabMachine = LabFile['machines'][number]
export type LabCard = LabMachine['cards'][number]

/** What each entry is to be, for messages; an item of a list goes by the list's name with `[]`. */
export const EXPECTED: Readonly<Record<string, string>> = {
  '': 'an object with "machines"',
  name: 'a name: letters, digits, _ . - and at most 32 of them',
  faults: 'faults, such as "drop=1%,delay=5ms"',
  'faults[]': 'a fault, such as "drop=1%"',
  switches: 'a list of names of switches',
  'switches[]': 'a name: letters, digits, _ . - and at most 32 of them',
  cables: 'an object: the name of each patch cable, and how it is',
  'cables[]': 'how the cable is, such as { "delay": "1ms" }',
  delay: 'a time, such as "1ms" or "500us"',
  machines: 'a list of machines, at least one',
  'machines[]': 'a machine, such as { "name": "a", "cards": [] }',
  seed: 'a whole number of 0 or more',
  forward: 'true or false',
  cards: 'a list of cards, at most 256',
  'cards[]': 'a card, such as { "cable": "switch:lan" }',
  cable: 'a cable, such as "switch:lan", "patch:ab", "null" or "tap:tap0"',
  addresses: 'a list of addresses',
  'addresses[]': 'an address with the length of its network, such as "10.0.0.1/24" or "fd00::1/64"',
  parameters: 'an object with parameters of the module vnet',
  mac: 'an Ethernet address of one card, such as "02:00:00:00:00:01"',
  mtu: 'a whole number from 68 to 9000',
  up: 'true or false',
  routes: 'a list of routes',
  'routes[]': 'a route, such as { "to": "default", "via": "10.0.0.1" }',
  to: '"default", or a network such as "10.1.0.0/24"',
  via: 'an address, such as "10.0.0.1"',
}

/** The parameters one card can have, checked as insmod checks them. */
function parameterEntries(): Record<string, v.OptionalSchema<v.GenericSchema<string | number>, undefined>> {
  const entries = Object.entries(createVnetModule().params ?? {})
  return Object.fromEntries(
    entries
      .filter(([name]) => name !== 'backend' && name !== 'devices')
      .map(([name, param]) => [name, v.optional(parameterSchema(name, param))]),
  )
}

function parameterSchema(name: string, param: ModuleParam): v.GenericSchema<string | number> {
  return v.pipe(
    v.union([v.string(), v.number()]),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      const sentence = refusalOf(() => parseModuleParam(param, String(dataset.value)))
      if (sentence !== undefined) addIssue({ message: `${name}: ${sentence}` })
    }),
  )
}

function refusalOf(parse: () => unknown): string | undefined {
  try {
    parse()
    return undefined
  } catch (error) {
    if (error instanceof Errno) return error.message
    throw error
  }
}
