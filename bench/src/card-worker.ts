/** The thread of a card in a worker: its cable copies every frame out, as that of the other contestants, or computes its FCS as well. */
import { parentPort, workerData } from 'node:worker_threads'
import { hostCard } from '@vnet/vnet'
import { FcsBackend, sinkBackend } from './contestants/sink.ts'

await hostCard({
  channel: {
    send: (message) => parentPort!.postMessage(message),
    receive: (fn) => void parentPort!.on('message', fn),
  },
  now: () => performance.now() * 1e6,
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  backend: () => (workerData === 'fcs' ? new FcsBackend() : sinkBackend()),
})
process.exit(0)
