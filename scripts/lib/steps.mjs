/** How the scripts run a program, time a step and stop with a plain sentence. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Something a person can act on: printed as one message, without a stack. */
export class Failure extends Error {}

export function fail(message) {
  throw new Failure(message)
}

/** Prints a line for work that takes long enough to be noticed. Below that, silence. */
export async function step(title, work) {
  const start = performance.now()
  let announced = false
  const timer = setTimeout(() => {
    announced = true
    process.stderr.write(`vnet: ${title} …\n`)
  }, 400)
  try {
    return await work()
  } finally {
    clearTimeout(timer)
    const seconds = (performance.now() - start) / 1000
    if (announced && seconds > 2) process.stderr.write(`vnet: ${title}: ${seconds.toFixed(1)} s\n`)
  }
}

/** Runs a program on this terminal and gives its exit code. Ctrl-C is left to the program. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const ignore = () => {}
    process.on('SIGINT', ignore)
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', env: environment(), ...options })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGINT', ignore)
      resolve(code ?? 128 + constants.signals[signal])
    })
  })
}

/** Runs a program quietly; gives its exit code and all it wrote. */
export function capture(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(),
      ...options,
    })
    let stdout = ''
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, output }))
  })
}

/** The environment of every program started here: our pnpm first, no telemetry. */
export function environment() {
  const path = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  const separator = process.platform === 'win32' ? ';' : ':'
  const tools = join(root, '.tools', 'node_modules', '.bin')
  return {
    ...process.env,
    [path]: `${tools}${separator}${process.env[path] ?? ''}`,
    TURBO_TELEMETRY_DISABLED: '1',
  }
}
