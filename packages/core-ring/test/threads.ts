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

/** Runs `body` in a thread, with `ring` (this package) and `data` in scope, and resolves with what it returns. */
export function inThread<R>(bundle: string, body: string, data: unknown): Promise<R> {
  const code = `${bundle}
    const { workerData: data, parentPort } = require('node:worker_threads')
    parentPort.postMessage((() => { ${body} })())`
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, workerData: data })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}
