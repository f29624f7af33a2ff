import { resolve } from 'node:path'
import { parseDuration, parseFaults } from '@vnet/backend'
import { Errno } from '@vnet/kernel'
import { startDetached, tellParent } from '../boot/detached.ts'
import { checkName, machinePaths } from '../boot/runtime.ts'
import { CommandError, usage } from '../errors.ts'
import { labDown, refuseIfUp } from './down.ts'
import { listLabs } from './list.ts'
import { DEFAULT_LAB } from './record.ts'

const HELP = `Usage: vnet lab up [NAME] [FAULTS…] [--delay 1ms]   two network namespaces joined by two drivers; needs root
       vnet lab up FILE.json                       machines, switches and cables as a file says; needs none
       vnet lab check FILE.json                    say what is wrong with a file
       vnet lab list [--json]
       vnet lab down [NAME]
FAULTS: drop=10% corrupt=0.1% duplicate=1% reorder=5% delay=5ms jitter=1ms rate=10mbit seed=7
`

/** The words of a command: what stands for itself, and options. */
interface Words {
  readonly plain: readonly string[]
  readonly options: ReadonlyMap<string, string>
}

/** `vnet lab …` */
export async function labCommand(words: readonly string[]): Promise<number> {
  const [verb, ...rest] = words
  if (verb === undefined || words.includes('--help') || words.includes('-h')) {
    process[verb === undefined ? 'stderr' : 'stdout'].write(HELP)
    return verb === undefined ? 2 : 0
  }
  const command = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined
  if (command === undefined) throw usage(`vnet lab: there is no command ${verb}; see vnet lab --help`)
  return await command(rest)
}

const COMMANDS: Readonly<Record<string, (rest: readonly string[]) => Promise<number> | number>> = {
  up: (rest) => {
    const words = parse('up', rest, ['--delay', '--tell'])
    const file = words.plain.find(isFile)
    return file === undefined ? upNamespaces(words) : upFile(file, words)
  },
  check: (rest) => checkFile(only('check', 'FILE', parse('check', rest, []))),
  list: (rest) => listLabs(parse('list', rest, ['--json']).options.has('--json')),
  down: (rest) => {
    const { plain } = parse('down', rest, [])
    if (plain.length > 1) throw usage('vnet lab: write vnet lab down [NAME]')
    return labDown(checkName((plain[0] ?? DEFAULT_LAB).replace(/^.*\/|\.json$/g, '')))
  },
}

function isFile(word: string): boolean {
  return word.endsWith('.json') || word.includes('/')
}

function only(verb: string, what: string, { plain }: Words): string {
  if (plain.length !== 1) throw usage(`vnet lab: write vnet lab ${verb} ${what}`)
  return plain[0]!
}

/** Tells options from other words; `--delay` has a value. */
function parse(verb: string, rest: readonly string[], known: readonly string[]): Words {
  const plain: string[] = []
  const options = new Map<string, string>()
  for (let i = 0; i < rest.length; i++) {
    const [option = '', value] = rest[i]!.split(/=(.*)/s, 2)
    if (!option.startsWith('-')) plain.push(rest[i]!)
    else if (!known.includes(option)) throw usage(`vnet lab ${verb}: there is no option ${option}`)
    else options.set(option, option === '--delay' ? (value ?? rest[++i] ?? '') : '')
  }
  return { plain, options }
}

async function upNamespaces({ plain, options }: Words): Promise<number> {
  const names = plain.filter((word) => !word.includes('='))
  if (names.length > 1) throw usage('vnet lab: write vnet lab up [NAME] [FAULTS…] [--delay 1ms]')
  const name = checkName(names[0] ?? DEFAULT_LAB)
  const faults = faultsOf(plain.filter((word) => word.includes('=')))
  const delay = options.get('--delay') ?? '0s'
  const delayNs = parseDuration(delay)
  if (delayNs === null) throw usage(`vnet lab up: --delay: "${delay}" is no time; write 1ms or 500us`)
  const { labProblem } = await import('./namespaces.ts')
  const problem = labProblem()
  if (problem !== null) throw new CommandError(`vnet lab: ${problem}`)
  const { nextSteps, runNamespaceLab } = await import('./namespace-lab.ts')
  if (options.has('--tell')) return await told((ready) => runNamespaceLab({ name, faults, delayNs }, ready))
  refuseIfUp(name)
  const words = [name, ...(faults === '' ? [] : faults.split(',')), `--delay=${delay}`]
  await startDetached(['lab', 'up', ...words, '--tell'], machinePaths(name).log)
  process.stdout.write(nextSteps(name))
  return 0
}

function faultsOf(words: readonly string[]): string {
  const text = words.join(',')
  try {
    parseFaults(text)
  } catch (error) {
    if (error instanceof Errno) throw usage(`vnet lab up: ${error.message}`)
    throw error
  }
  return text
}

async function upFile(file: string, { plain, options }: Words): Promise<number> {
  if (plain.length > 1 || options.has('--delay'))
    throw usage('vnet lab: a file says everything itself: write vnet lab up FILE.json')
  const { readLabFile } = await import('./file/read.ts')
  const path = resolve(file)
  const named = readLabFile(path)
  if (options.has('--tell')) {
    const { runFileLab } = await import('./file/file-lab.ts')
    return await told((ready) => runFileLab(named, path, ready))
  }
  refuseIfUp(named.name)
  const { fileSteps } = await import('./file/steps.ts')
  await startDetached(['lab', 'up', path, '--tell'], machinePaths(named.lab.machines[0]!.name).log)
  process.stdout.write(fileSteps(named))
  return 0
}

async function checkFile(file: string): Promise<number> {
  const { readLabFile } = await import('./file/read.ts')
  const { name, lab } = readLabFile(file)
  const cards = lab.machines.reduce((sum, machine) => sum + machine.cards.length, 0)
  const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
  process.stdout.write(
    `${file}: lab "${name}": ${many(lab.machines.length, 'machine')}, ${many(cards, 'card')}\n`,
  )
  return 0
}

/** Is the lab, in the background; what goes wrong before it is ready is for who started it. */
async function told(run: (ready: () => void) => Promise<number>): Promise<never> {
  try {
    process.exit(await run(() => tellParent(null)))
  } catch (error) {
    if (error instanceof CommandError) {
      tellParent(error.message)
      process.exit(error.exitCode)
    }
    process.stderr.write(`${(error as Error).stack ?? String(error)}\n`)
    tellParent(`vnet lab: ${(error as Error).message}`)
    process.exit(1)
  }
}
