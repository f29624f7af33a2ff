/** `npm run bench:real`: builds the contestants and the C twins, then runs the harness; or draws the page. */
import { spawn } from 'node:child_process'
import { buildReal, dist } from './build.mjs'
import { draw } from './docs.mjs'

const args = process.argv.slice(2)
if (args.includes('--docs')) {
  const at = args.indexOf('--json')
  await draw(at < 0 ? `${import.meta.dirname}/results.json` : args[at + 1])
} else {
  await buildReal()
  const harness = spawn(process.execPath, [`${dist}/main.mjs`, ...args], { stdio: 'inherit' })
  // With the harness its contestants end, and with them their namespaces.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => harness.kill(signal))
  harness.on('close', (status) => (process.exitCode = status ?? 1))
}
