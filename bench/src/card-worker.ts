/** The thread of a card in a worker: its cable copies every frame out, as the sink of the other contestants. */
import { parentPort } from 'node:worker_threads'
import { hostCard } from '@vnet/vnet'
import { sinkBackend } from './contestants/sink.ts'

await hostCard({
  channel: {
    send: (message) => parentPort!.postMessage(message),
    receive: (fn) => void parentPort!.on('message', fn),
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  backend: () => sinkBackend(),
})
process.exit(0)
