import { describe, expect, it } from 'vitest'
import { ownProcess } from './own-process.ts'
import { noLinux } from './skip.ts'

/** Ends while something is to be read that it still watches. */
const PROGRAM = `
  import { sys, watchFd } from './ours.mjs'
  const watcher = watchFd(sys('eventfd', [1, 0o4000]), {})
  watcher.start()
  watcher.unref()
  const how = process.argv[2]
  if (how === 'exit') process.exit()
  if (how === 'throw') throw new Error('of its own')`

describe.skipIf(noLinux())('a program that still watches a descriptor', () => {
  const run = ownProcess(PROGRAM)

  it.each([
    ['itself', 0],
    ['exit', 0],
    ['throw', 1],
  ])('ends by %s without being aborted', (how, code) => {
    const { status, signal } = run(how)
    expect({ status, signal }).toEqual({ status: code, signal: null })
  })
})
