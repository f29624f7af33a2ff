import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { basename } from 'node:path'
import { requireMachine } from '../boot/running.ts'
import { machinePaths } from '../boot/runtime.ts'
import { CommandError, usage } from '../errors.ts'
import { wirePath } from './server.ts'

const FORM = 'vnet chardev DEV [--path] [--send]'
const HELP = `Usage: ${FORM}

The frames of a card, beside its cable: what the card sends comes out, what goes in is offered to the card. Each frame
has its length before it, four bytes, the highest first, as with QEMU's stream netdev.

To a terminal, or with --path, it prints the path of the socket. Else it is the pipe itself, until the device goes, the
reader leaves, or Ctrl-C. With --send it only takes frames in, and ends when they end.
`

/** `vnet chardev DEV`: the path of a device's wire, or the wire itself. */
export async function chardevCommand(words: readonly string[], machine: string): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    process.stdout.write(HELP)
    return 0
  }
  const options = words.filter((word) => word.startsWith('-'))
  const [device, ...more] = words.filter((word) => !word.startsWith('-'))
  const unknown = options.find((option) => option !== '--path' && option !== '--send')
  if (unknown !== undefined) throw usage(`vnet chardev: there is no option ${unknown}; write ${FORM}`)
  if (device === undefined || more.length > 0) throw usage(`vnet chardev: write ${FORM}`)
  const path = pathOf(device, machine)
  const send = options.includes('--send')
  if (options.includes('--path') || (process.stdout.isTTY && !send)) {
    process.stdout.write(`${path}\n`)
    return 0
  }
  return await pipe(path, device, send)
}

function pathOf(device: string, machine: string): string {
  const paths = machinePaths(machine)
  requireMachine(paths)
  const path = wirePath(paths, device)
  if (device.includes('/') || !readdirSync(paths.dir).includes(basename(path)))
    throw new CommandError(
      `vnet chardev: there is no wire of a device "${device}"; vnet cable list shows which devices there are`,
    )
  return path
}

function pipe(path: string, device: string, send: boolean): Promise<number> {
  const socket = connect(path)
  let refused: Error | null = null
  socket.on('error', (error) => (refused = error))
  // The end of the input is not the end of the frames that come out.
  process.stdin.pipe(socket, { end: send })
  process.stdin.on('error', () => {})
  if (send) socket.resume()
  else copyOut(socket)
  return new Promise((resolve, reject) => {
    socket.on('close', () => {
      // The input may still be open, and would keep this process.
      process.stdin.destroy()
      if (refused === null || socket.bytesWritten + socket.bytesRead > 0) resolve(0)
      else reject(new CommandError(`vnet chardev: ${device}: ${refused.message}`))
    })
  })
}

function copyOut(socket: Socket): void {
  process.stdout.on('error', () => socket.destroy())
  socket.pipe(process.stdout, { end: false })
}
