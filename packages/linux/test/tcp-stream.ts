import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import type { Netns } from '../src/netns.ts'

const TEXT = 'not all the same, '
const SERVER = `
  const hash = require('crypto').createHash('sha256')
  require('net').createServer((socket) => {
    socket.on('data', (piece) => hash.update(piece))
    socket.on('end', () => { console.log(hash.digest('hex')); process.exit() })
  }).listen(5001, () => console.log('ready'))`
const client = (bytes: number) => `
  const socket = require('net').connect(5001, '10.9.0.1')
  socket.end(Buffer.alloc(${bytes}, ${JSON.stringify(TEXT)}))`

/** What `transfer` gives when so many bytes come unharmed. */
export function hashOf(bytes: number): string {
  return createHash('sha256').update(Buffer.alloc(bytes, TEXT)).digest('hex')
}

/** Sends bytes from one namespace to a server in the other, which has 10.9.0.1; gives the hash of what came. */
export function transfer(to: Netns, from: Netns, bytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = to.run(() =>
      spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    const clients: ChildProcess[] = []
    let output = ''
    server.on('error', reject)
    server.stdout.on('data', (text: Buffer) => {
      output += text.toString()
      if (output === 'ready\n') {
        clients.push(from.run(() => spawn(process.execPath, ['-e', client(bytes)], { stdio: 'inherit' })))
      }
    })
    server.on('exit', () => {
      for (const one of clients) one.kill()
      resolve(output.trim().split('\n').at(-1)!)
    })
  })
}
