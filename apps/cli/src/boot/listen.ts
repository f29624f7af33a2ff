import { chmodSync } from 'node:fs'
import type { Server } from 'node:net'

/** Listens at a path where only this user may connect: the file is made inside listen(), with the mode the mask leaves. */
export function listenPrivately(server: Server, path: string, ready: () => void): void {
  const before = process.umask(0o177)
  server.listen({ path, backlog: 1024 }, () => {
    chmodSync(path, 0o600)
    ready()
  })
  process.umask(before)
}
