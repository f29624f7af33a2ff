import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { packages, readmeExample, withoutTrailingBlanks } from '../scripts/lib/workspace.mjs'
import { bundle } from './bundle.ts'

/** Runs a program from its text, in a process of its own; what is not in the bundle is found from `cwd`. */
async function output(program: string, cwd: string): Promise<string> {
  const running = promisify(execFile)(process.execPath, ['--input-type=module', '-'], { cwd })
  running.child.stdin!.end(program)
  return (await running).stdout
}

/** For what is CommonJS in the bundle. */
const REQUIRE =
  "import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url)"

describe('README examples', () => {
  it.each(packages())('$name prints what its README says', async ({ folder }) => {
    const example = readmeExample(folder)
    expect(example, 'a ```ts block followed by a ```text block').not.toBeNull()
    const banner = { js: REQUIRE }
    const program = await bundle(example!.code, { platform: 'node', format: 'esm', banner })
    expect(withoutTrailingBlanks(await output(program, folder))).toBe(withoutTrailingBlanks(example!.output))
  })
})
