import { createServer, type Socket } from 'node:net'
import type { SyscallConnection, SyscallServer } from '@vnet/netlink'
import { listenPrivately } from './listen.ts'
import { removeSocket } from './remove-socket.ts'

/** More descriptors than any set of programs should need; the next ones are turned away. */
const MAX_CONNECTIONS = 4096
/** Requests are handed on a few at a time, and none while this much of the answers was not taken. */
const SLICE = 512
const MAX_UNREAD = 1 << 20

/** A machine's socket in the file system: each connection is a descriptor of some program. */
export interface ServedSocket {
  close(): void
}

/** Listens at `path` for programs; only this user may connect. A file left there by a dead machine is replaced. */
export function serve(syscalls: SyscallServer, path: string): Promise<ServedSocket> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    attach(syscalls, socket)
  })
  server.maxConnections = MAX_CONNECTIONS
  removeSocket(path)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    listenPrivately(server, path, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve({
        close: () => {
          server.close()
          for (const socket of sockets) socket.destroy()
          removeSocket(path)
        },
      })
    })
  })
}

/** Connects one stream. A program that does not read its answers is not heard until it does; others do not notice. */
function attach(syscalls: SyscallServer, socket: Socket): void {
  const connection = syscalls.connect({
    send: (bytes) => {
      if (!socket.destroyed) socket.write(bytes)
    },
    close: () => socket.destroySoon(),
  })
  let waiting: Uint8Array | null = null
  const feed = (bytes: Uint8Array): void => {
    waiting = feedSlices(connection, socket, bytes)
    if (waiting === null) socket.resume()
    else socket.pause()
  }
  socket.on('data', feed)
  socket.on('drain', () => {
    if (waiting !== null) feed(waiting)
  })
  // A program that closed, or half-closed, is gone.
  const over = (): void => {
    connection.end()
    socket.destroy()
  }
  socket.on('end', over)
  socket.on('close', over)
  socket.on('error', over)
}

/** Hands on bytes until there are too many unread answers; returns what is left. */
function feedSlices(connection: SyscallConnection, socket: Socket, bytes: Uint8Array): Uint8Array | null {
  for (let at = 0; at < bytes.length; at += SLICE) {
    if (socket.destroyed) return null
    if (socket.writableLength > MAX_UNREAD) return bytes.subarray(at)
    connection.push(bytes.subarray(at, at + SLICE))
  }
  return null
}
