/** `npm run bench`: builds the contestants and the C twins, then runs the harness. */
import { spawnSync } from 'node:child_process'
import { buildAll, dist } from './build.mjs'

await buildAll()
for (const twin of ['path', 'ring', 'veth']) {
  spawnSync('gcc', ['-O2', '-o', `${dist}/${twin}`, `${import.meta.dirname}/c/${twin}.c`], {
    stdio: 'ignore',
  })
}
const { status } = spawnSync(process.execPath, [`${dist}/main.mjs`, ...process.argv.slice(2)], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
