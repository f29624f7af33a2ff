import { CommandError, usage } from './errors.ts'
import { RAW_COMMANDS } from './raw-commands.ts'
import { DRV_VERSION } from './version.ts'

/** What stands before the command. */
interface Global {
  machine: string
  words: string[]
}

/** Takes `--machine NAME` from before the command; what comes after it is the command's own. */
function takeGlobal(argv: readonly string[]): Global {
  let machine = process.env['VNET_MACHINE'] || 'default'
  let at = 0
  for (; argv[at] !== undefined; at++) {
    const word = argv[at]!
    if (word === '--machine') {
      if (argv[++at] === undefined) throw usage('vnet: --machine needs a name')
      machine = argv[at]!
    } else if (word.startsWith('--machine=')) machine = word.slice('--machine='.length)
    else if (word !== '--no-color') break
  }
  return { machine, words: argv.slice(at) }
}

async function main(argv: readonly string[]): Promise<void> {
  const { machine, words } = takeGlobal(argv)
  const name = words[0] ?? ''
  if (name === 'exec') {
    const { execCommand } = await import('./exec/command.ts')
    process.exitCode = await execCommand(words.slice(1), machine)
  } else if (name === 'shell') {
    const { shellCommand } = await import('./exec/shell.ts')
    process.exitCode = await shellCommand(words.slice(1), machine)
  } else if (name === 'cable') {
    const { cableCommand } = await import('./wire/cable-command.ts')
    process.exitCode = await cableCommand(words.slice(1), machine)
  } else if (name === 'chardev') {
    const { chardevCommand } = await import('./wire/chardev-command.ts')
    process.exitCode = await chardevCommand(words.slice(1), machine)
  } else if (name === 'lab') {
    const { labCommand } = await import('./lab/command.ts')
    process.exitCode = await labCommand(words.slice(1))
  } else if (Object.hasOwn(RAW_COMMANDS, name)) {
    const { programCommand } = await import('./programs/command.ts')
    process.exitCode = await programCommand(words, machine)
  } else if (words.includes('--version') || words.includes('-V'))
    process.stdout.write(`vnet ${DRV_VERSION} (node ${process.version})\n`)
  else {
    const { runParsed } = await import('./commands.ts')
    await runParsed(
      words.filter((word) => word !== '--no-color'),
      machine,
    )
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const { name, message } = error as Error
  if (name !== 'CLIError' && !(error instanceof CommandError)) throw error
  process.stderr.write(name === 'CLIError' ? `vnet: ${message}; see vnet --help\n` : `${message}\n`)
  process.exitCode = error instanceof CommandError ? error.exitCode : 2
})
