import { format } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { packages, readmeExample, withoutTrailingBlanks } from '../scripts/lib/workspace.mjs'
import { bundle } from './bundle.ts'

/** What a page has beyond the language itself, as far as a package could want it. No process, no Buffer, no require. */
const browser = { setTimeout, clearTimeout, MessageChannel, performance, queueMicrotask, structuredClone }
const text = { TextEncoder, TextDecoder, URL }

/**
 * Bundles a program for a page (a Node builtin fails here) and runs it on one.
 * `report` is what the program calls with a result.
 */
async function visit(program: string, report?: (value: unknown) => void): Promise<string> {
  const script = await bundle(program, { platform: 'browser', format: 'iife' })
  let output = ''
  const log = (...args: unknown[]): void => {
    output += `${format(...args)}\n`
  }
  runInContext(
    script,
    createContext({ ...browser, ...text, console: { log, warn: log, error: log }, report }),
  )
  return output
}

const portable = packages().filter((pkg) => pkg.portable)

describe('in a browser', () => {
  it('all packages load into one page', async () => {
    const names = portable.map(({ name }) => name)
    const imports = names.map((name, i) => `import * as p${i} from '${name}'`).join('\n')
    const lines = names.map((_, i) => `console.log(Object.keys(p${i}).length > 0)`).join('\n')
    expect(await visit(`${imports}\n${lines}`)).toBe('true\n'.repeat(names.length))
  })

  it.each(portable)('the example of $name runs', async ({ folder }) => {
    const { code, output } = readmeExample(folder)!
    expect(withoutTrailingBlanks(await visit(code))).toBe(withoutTrailingBlanks(output))
  })

  it('a kernel on the real clock runs its timers', async () => {
    const program = `
      import { createKernel, hrtimerSetup, hrtimerStart } from '@vnet/kernel'
      const kernel = createKernel({ clock: 'real' })
      hrtimerStart(hrtimerSetup(kernel, () => {
        report(kernel.ctx)
        kernel.shutdown()
      }, 'page'), 1000)`
    const context = await new Promise((resolve, reject) => void visit(program, resolve).catch(reject))
    expect(context).toBe('hardirq')
  })

  it('a Node builtin is refused', async () => {
    await expect(visit(`import { readFileSync } from 'node:fs'\nreadFileSync('x')`)).rejects.toThrow(
      /node:fs/,
    )
  })
})
