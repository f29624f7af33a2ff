import { stripVTControlCharacters } from 'node:util'
import { defineCommand, renderUsage, runCommand, type ArgsDef, type CommandDef } from 'citty'
import { usage } from './errors.ts'
import { RAW_COMMANDS } from './raw-commands.ts'
import { screenOf } from './ui/style.ts'
import { DRV_VERSION } from './version.ts'

const replay = defineCommand({
  meta: {
    name: 'replay',
    description: 'Replay a capture file (pcap, pcapng) into vnet0 and account for every frame',
  },
  args: {
    file: {
      type: 'positional',
      description: 'The capture; faults may follow, like drop=10%',
      required: true,
    },
    speed: {
      type: 'string',
      default: 'fast',
      description: 'fast, or original: as recorded, in simulated time',
    },
    loop: { type: 'string', default: '1', description: 'Replay the file so many times' },
    'rx-ring': { type: 'string', default: '256', description: 'Receive descriptors: 2, 4, 8, … 4096' },
    pauses: {
      type: 'boolean',
      default: true,
      negativeDescription: 'Offer all frames at once: a small ring misses some',
    },
    faults: {
      type: 'string',
      default: '',
      description: 'drop, corrupt, duplicate, reorder=10%, delay=5ms, rate=10mbit',
    },
    seed: {
      type: 'string',
      default: '1',
      description: 'Where chance starts: the same seed gives the same output',
    },
    frames: { type: 'boolean', default: false, description: 'Print each frame' },
    write: {
      type: 'string',
      default: '',
      description: 'Write the frames that reach the card to a .pcap or .pcapng',
    },
    json: { type: 'boolean', default: false, description: 'Print the result as JSON' },
  },
  async run({ args }) {
    const { replayCommand } = await import('./replay/command.ts')
    process.exitCode = await replayCommand(args, noColour())
  },
})

const demo = defineCommand({
  meta: {
    name: 'demo',
    description: 'Load vnet, watch frames go through it, unload it: what npm start shows',
  },
  args: {
    virtual: {
      type: 'boolean',
      default: false,
      description: 'On the virtual clock: at once, the same each time',
    },
    insmod: { type: 'string', default: '', description: 'Also load this module file; parameters may follow' },
  },
  async run({ args }) {
    const { demoCommand } = await import('./demo/command.ts')
    process.exitCode = await demoCommand(
      { virtual: args.virtual, insmod: args.insmod, params: args._ },
      noColour(),
    )
  },
})

const conformance = defineCommand({
  meta: {
    name: 'conformance',
    description: 'Prove a driver: run every rule on vnet, or on the driver a file exports',
  },
  args: {
    only: { type: 'string', default: '', description: 'Only these rules: TXQ-01,TXQ-02' },
    seed: { type: 'string', default: '1', description: 'Where chance starts' },
    json: { type: 'boolean', default: false, description: 'Print the report as JSON' },
    mutants: {
      type: 'boolean',
      default: false,
      description: 'Test the kit itself: every rule, and whether a driver that breaks it is caught',
    },
  },
  async run({ args }) {
    const { conformanceCommand } = await import('./conformance/command.ts')
    process.exitCode = await conformanceCommand({ ...args, words: args._ }, noColour())
  },
})

const bench = defineCommand({
  meta: {
    name: 'bench',
    description: 'How fast frames go round here, and where the time goes',
  },
  args: {
    size: { type: 'string', default: '60', description: 'Bytes of a frame' },
    burst: {
      type: 'string',
      default: '32',
      description: 'Frames handed over between two looks at the events',
    },
    seconds: { type: 'string', default: '5', description: 'How long' },
    'cpu-prof': { type: 'string', default: '', description: 'Write a CPU profile to this file' },
    heap: { type: 'string', default: '', description: 'Write a heap snapshot to this file' },
    json: { type: 'boolean', default: false, description: 'Print the result as JSON' },
  },
  async run({ args }) {
    const { benchCommand } = await import('./bench/command.ts')
    process.exitCode = await benchCommand(args)
  },
})

const soak = defineCommand({
  meta: {
    name: 'soak',
    description:
      'Random operations under traffic on vnet, or on the driver a file exports; prints a minimal replay on failure',
  },
  args: {
    minutes: { type: 'string', default: '1', description: 'How long, of real time' },
    episodes: { type: 'string', default: '', description: 'Or how many lives of the driver' },
    seed: { type: 'string', default: '1', description: 'The seed of the first life; each has the next' },
  },
  async run({ args }) {
    const { soakCommand } = await import('./conformance/soak.ts')
    process.exitCode = await soakCommand({ ...args, words: args._ }, noColour())
  },
})

const boot = defineCommand({
  meta: { name: 'boot', description: 'Start a machine: a kernel whose network programs can use' },
  args: {
    detach: {
      type: 'boolean',
      alias: 'd',
      default: false,
      description: 'In the background; return when it is ready',
    },
    seed: { type: 'string', default: '1', description: 'Where chance starts' },
    tell: { type: 'boolean', default: false, description: 'Tell descriptor 3 when it is ready' },
  },
  async run({ args }) {
    const { bootCommand } = await import('./boot/command.ts')
    process.exitCode = await bootCommand({ ...args, machine: theMachine() })
  },
})

const poweroff = defineCommand({
  meta: { name: 'poweroff', description: 'End a machine' },
  async run() {
    const { poweroffCommand } = await import('./boot/poweroff.ts')
    process.exitCode = await poweroffCommand(theMachine())
  },
})

const machines = defineCommand({
  meta: { name: 'machines', description: 'List the machines that run' },
  args: { json: { type: 'boolean', default: false, description: 'Print them as JSON' } },
  async run({ args }) {
    const { machinesCommand } = await import('./boot/list.ts')
    process.exitCode = machinesCommand(args.json)
  },
})

const commands = { demo, replay, conformance, soak, bench, boot, poweroff, machines }
type Name = keyof typeof commands

const raw = Object.fromEntries(
  Object.entries(RAW_COMMANDS).map(([name, description]) => [
    name,
    defineCommand({ meta: { name, description } }),
  ]),
)

const vnet = defineCommand({
  meta: {
    name: 'vnet',
    version: DRV_VERSION,
    description: 'vnet0: a Linux network driver, and the kernel around it, in TypeScript. Needs no root',
  },
  args: {
    color: { type: 'boolean', default: true, negativeDescription: 'No colours' },
    machine: { type: 'string', default: 'default', description: 'Which machine; or VNET_MACHINE' },
  },
  subCommands: { ...commands, ...raw },
})

function noColour(): boolean {
  return process.argv.includes('--no-color')
}

let machineName = ''
const theMachine = (): string => machineName

/** citty takes any option; a mistyped one must not pass in silence. */
function refuseUnknown(name: Name, words: readonly string[]): void {
  const args = (commands[name].args ?? {}) as Record<string, { readonly alias?: string }>
  const known = Object.entries(args).flatMap(([arg, { alias }]) => [
    arg,
    ...(alias === undefined ? [] : [alias]),
  ])
  for (const word of words) {
    if (!word.startsWith('-')) continue
    const option = word.replace(/^--?(no-)?/, '').replace(/=.*/s, '')
    if (!known.includes(option))
      throw usage(`vnet ${name}: there is no option ${word}; see vnet ${name} --help`)
  }
}

/** Help, in colour only where colours are wanted. */
async function showUsage(command: CommandDef<ArgsDef>, parent?: CommandDef<ArgsDef>): Promise<void> {
  const text = await renderUsage(command, parent)
  const screen = screenOf(process.stdout, noColour())
  screen.write(`${screen.colour ? text : stripVTControlCharacters(text)}\n`)
}

/** Runs what citty parses: everything but the commands that take their words as they are. */
export async function runParsed(words: string[], machine: string): Promise<void> {
  machineName = machine
  const name = words[0] as Name | undefined
  const known = name !== undefined && Object.hasOwn(commands, name)
  if (words.length === 0 || words.includes('--help') || words.includes('-h')) {
    const root = vnet as unknown as CommandDef<ArgsDef>
    await (known ? showUsage(commands[name] as unknown as CommandDef<ArgsDef>, root) : showUsage(root))
    return
  }
  if (!known) throw usage(`vnet: there is no command ${name}; see vnet --help`)
  refuseUnknown(name, words.slice(1))
  await runCommand(vnet, { rawArgs: words })
}
