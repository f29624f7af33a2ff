import { describe, expect, it } from 'vitest'
import { ownProcess } from './own-process.ts'
import { noLinux } from './skip.ts'

/** A thread that watches a descriptor and ends without closing it. The main thread never loads koffi. */
const PROGRAM = `
  import { isMainThread, Worker } from 'node:worker_threads'
  const how = process.argv[2]
  if (isMainThread) {
    const worker = new Worker(new URL(import.meta.url), { argv: [how] })
    worker.on('error', (error) => console.log(error.message))
    worker.on('message', () => how === 'terminate' && worker.terminate())
    worker.on('exit', () => console.log('the worker ended, we go on'))
  } else {
    const { parentPort } = await import('node:worker_threads')
    const { sys, watchFd } = await import('./ours.mjs')
    const watcher = watchFd(sys('eventfd', [0, 0o4000]), {})
    watcher.start()
    parentPort.postMessage('watching')
    if (how === 'exit') setTimeout(() => process.exit(), 10)
    if (how === 'throw') setTimeout(() => { throw new Error('of its own') }, 10)
    if (how === 'close') setTimeout(() => watcher.close(), 10)
  }`

describe.skipIf(noLinux())('a worker thread that watches a descriptor', () => {
  const run = ownProcess(PROGRAM)

  it.each([
    ['close', /^the worker/],
    ['exit', /^the worker/],
    ['throw', /^of its own\nthe worker/],
    ['terminate', /^the worker/],
  ])('may end by %s: the process goes on', (how, said) => {
    const { stdout, status, signal } = run(how)
    expect({ status, signal }).toEqual({ status: 0, signal: null })
    expect(stdout).toMatch(said)
  })
})
