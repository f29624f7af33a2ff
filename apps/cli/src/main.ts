import { stripVTControlCharacters } from 'node:util'
import { defineCommand, renderUsage, runCommand, type ArgsDef, type CommandDef } from 'citty'
import { CommandError, usage } from './errors.ts'
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

const modinfo = defineCommand({
  meta: { name: 'modinfo', description: 'Say what the vnet module is and which parameters it takes' },
  async run() {
    const { createVnetModule } = await import('@vnet/vnet')
    const { modinfoText } = await import('@vnet/kernel')
    process.stdout.write(modinfoText(createVnetModule()))
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

const vnet = defineCommand({
  meta: {
    name: 'vnet',
    version: DRV_VERSION,
    description: 'vnet0: a Linux network driver, and the kernel around it, in TypeScript. Needs no root',
  },
  args: {
    color: { type: 'boolean', default: true, negativeDescription: 'No colours' },
  },
  subCommands: { demo, replay, modinfo, conformance, soak },
})

const commands = { demo, replay, modinfo, conformance, soak }

function noColour(): boolean {
  return process.argv.includes('--no-color')
}

/** citty takes any option; a mistyped one must not pass in silence. */
function refuseUnknown(name: keyof typeof commands, words: readonly string[]): void {
  const known = Object.keys(commands[name].args ?? {})
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

async function main(argv: string[]): Promise<void> {
  const words = argv.filter((word) => word !== '--no-color')
  if (words.includes('--version') || words.includes('-V')) {
    process.stdout.write(`vnet ${DRV_VERSION} (node ${process.version})\n`)
    return
  }
  const name = words[0] as keyof typeof commands | undefined
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

main(process.argv.slice(2)).catch((error: unknown) => {
  const { name, message } = error as Error
  if (name !== 'CLIError' && !(error instanceof CommandError)) throw error
  process.stderr.write(name === 'CLIError' ? `vnet: ${message}; see vnet --help\n` : `${message}\n`)
  process.exitCode = error instanceof CommandError ? error.exitCode : 2
})
