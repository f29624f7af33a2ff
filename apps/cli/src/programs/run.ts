import { newProcess, programs, runProgram, tcpdumpWith, type Program } from '@vnet/tools'
import { captureFile } from './capture-file.ts'
import { socketTransport } from './socket-transport.ts'

/** What a program ended by SIGPIPE gives to its shell. */
const SIGPIPE_EXIT = 141
const SIGINT_EXIT = 130
const NOT_FOUND = 127

/** Runs a program of `@vnet/tools` on this terminal. */
export async function runOver(socket: string, words: readonly string[]): Promise<number> {
  const name = words[0]!
  const program = programOf(name)
  if (program === undefined) {
    process.stderr.write(`vnet: ${name} is not there yet; vnet exec -- ${name} runs the host’s\n`)
    return NOT_FOUND
  }
  const stdin = readsInput(words) ? await input() : undefined
  for (const stream of [process.stdout, process.stderr]) stream.on('error', readerLeft)
  const task = newProcess(words, {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: plainEnv(),
    pid: process.pid,
    ...(stdin === undefined ? {} : { stdin }),
    ...(process.stdout.isTTY ? { columns: process.stdout.columns } : {}),
  })
  return new Promise((resolve) => {
    const running = runProgram(program, task, socketTransport(socket), resolve)
    process.on('SIGINT', () => {
      if (task.interrupted) process.exit(SIGINT_EXIT)
      running.interrupt()
    })
  })
}

/** Only tcpdump makes files of the host. */
function programOf(name: string): Program | undefined {
  if (name === 'tcpdump') return tcpdumpWith(captureFile)
  return Object.hasOwn(programs, name) ? programs[name] : undefined
}

/** Another program leaves the input to the next one. */
function readsInput([name, ...rest]: readonly string[]): boolean {
  return name === 'tee' || (name === 'cat' && (rest.length === 0 || rest.includes('-')))
}

async function input(): Promise<Uint8Array> {
  const pieces: Buffer[] = []
  for await (const piece of process.stdin) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function readerLeft(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(SIGPIPE_EXIT)
  throw error
}

function plainEnv(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? '']))
}
