import { build } from 'esbuild'
import { Worker } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'

/** Bundles this package's source for a plain JS worker: Node 20 cannot run TypeScript in one. */
export async function bundleForWorkers(): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'ring',
    target: 'es2022',
  })
  return result.outputFiles[0]!.text
}

/**
 * Runs `body` in a thread and resolves with what it returns. In scope are `ring` (this package), `data`, and
 * `idle(n)`: call it with the work a round found, and it gives the CPU away when rounds find none.
 */
export function inThread<R>(bundle: string, body: string, data: unknown): Promise<R> {
  const code = `${bundle}
    const { workerData: data, parentPort } = require('node:worker_threads')
    let empty = 0
    const nap = new Int32Array(new SharedArrayBuffer(4))
    const idle = (n) => {
      if (n > 0) empty = 0
      else if (++empty % 500 === 0) Atomics.wait(nap, 0, 0, 0.1)
    }
    parentPort.postMessage((() => { ${body} })())`
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, workerData: data })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}
