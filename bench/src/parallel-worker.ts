/** A worker of the `parallel` measurement: each job runs a whole loop, two devices on a cable, in a kernel of its own. */
import { parentPort } from 'node:worker_threads'
import { serveParallel } from '@vnet/kernel'
import type { Contestant } from './contestant.ts'
import { loop } from './contestants/path.ts'

const BURST = 32
let rig: Contestant | null = null

serveParallel(
  {
    send: (message) => parentPort!.postMessage(message),
    receive: (fn) => void parentPort!.on('message', fn),
  },
  {
    /** Sends that many packets round; returns what it took, in ms. */
    async loop(packets: number) {
      rig ??= await loop(['60', String(BURST)])
      const start = performance.now()
      rig.run(Math.ceil(packets / BURST))
      rig.verify!()
      return performance.now() - start
    },
  },
)
