/**
 * The commands of this repository on a bare machine: `npm start` and `npm test`, and `npm run bench`, `bench:real`.
 * Everything they need comes into `.tools/` and `node_modules/`; nothing is installed for the whole machine.
 */
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`vnet: Node 20.19 or newer is needed, this is ${process.version} (https://nodejs.org)`)
  process.exit(1)
}

/** They build what they measure themselves. */
const BENCHES = { bench: 'bench/run.mjs', 'bench:real': 'bench/real/run.mjs' }

const [command, ...args] = process.argv.slice(2)
const { fail, Failure, run, step } = await import('./lib/steps.mjs')

try {
  const bench = BENCHES[command]
  if (command !== 'start' && command !== 'test' && bench === undefined)
    fail('usage: node scripts/run.mjs start|test|bench|bench:real [arguments]')
  const { install } = await import('./lib/install.mjs')
  const { buildPackages, bundleCli, checkTypes, cliBundle } = await import('./lib/build.mjs')
  await install()
  if (command !== 'bench:real') await step('building the packages', buildPackages)
  // Its start is measured.
  if (command === 'start' || command === 'bench') await step('bundling the vnet command', bundleCli)
  if (bench !== undefined) process.exitCode = await run(process.execPath, [bench, ...args])
  else if (command === 'start') process.exitCode = await run(process.execPath, [cliBundle, 'demo', ...args])
  else {
    await step('checking types', checkTypes)
    process.exitCode = await run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args])
  }
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`vnet: ${error.message}`)
  process.exitCode = 1
}
