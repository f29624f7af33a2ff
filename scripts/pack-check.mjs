/**
 * What a user of one package gets: each is packed, looked at by publint and attw, installed with its own dependencies
 * only into an empty project, and loaded there from ESM, from require() and from TypeScript; then its README's example
 * runs and must print what the README says.
 *
 * Usage: node scripts/pack-check.mjs [package …]      (default: all)
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildPackages } from './lib/build.mjs'
import { capture, fail, Failure, root } from './lib/steps.mjs'
import { closure, packages, readmeExample, withoutTrailingBlanks } from './lib/workspace.mjs'

const bin = (path) => join(root, 'node_modules', path)
const pnpm = join(root, '.tools', 'node_modules', '.bin', process.platform === 'win32' ? 'pnpm.cmd' : 'pnpm')
const shell = { shell: process.platform === 'win32' }

/** A step that must succeed; what it printed is shown when it does not. */
async function must(what, program, args, options) {
  const { code, stdout, output } = await capture(program, args, options)
  if (code !== 0) fail(`${what} failed:\n${output.trimEnd()}`)
  return stdout
}

async function pack(pkg, folder) {
  await must(`${pkg.name}: pnpm pack`, pnpm, ['pack', '--pack-destination', folder], {
    cwd: pkg.folder,
    ...shell,
  })
  const start = `${pkg.name.replace('@', '').replace('/', '-')}-${pkg.manifest.version}.tgz`
  return join(
    folder,
    readdirSync(folder).find((file) => file === start) ?? fail(`${pkg.name}: no tarball ${start}`),
  )
}

/** An empty project with the package and what it depends on; what is ours comes from tarballs, the rest from the registry. */
async function project(pkg, all, tarballs, folder) {
  const dependencies = Object.fromEntries(
    closure(pkg, all).map(({ name }) => [name, `file:${tarballs.get(name)}`]),
  )
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  const needed = closure(pkg, all).flatMap(({ manifest }) => Object.keys(manifest.dependencies ?? {}))
  const net = needed.every((name) => name.startsWith('@vnet/')) ? '--offline' : '--prefer-offline'
  const args = ['install', net, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await must(`${pkg.name}: npm install of its tarball`, 'npm', args, { cwd: folder, ...shell })
}

/** The three ways in. Every way must see the same names. */
async function load(pkg, folder) {
  const count = `console.log(Object.keys(m).filter((k) => k !== 'default' && k !== 'module.exports' && k !== '__esModule').length)`
  writeFileSync(join(folder, 'esm.mjs'), `import * as m from '${pkg.name}'\n${count}\n`)
  writeFileSync(join(folder, 'cjs.cjs'), `const m = require('${pkg.name}')\n${count}\n`)
  writeFileSync(join(folder, 'all.ts'), `import * as m from '${pkg.name}'\n${count}\n`)
  const example =
    readmeExample(pkg.folder) ??
    fail(`${pkg.name}: README.md has no \`\`\`ts example with its \`\`\`text output`)
  writeFileSync(join(folder, 'example.ts'), example.code)
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'dom'],
    module: 'nodenext',
    // Who uses a package for Node has Node's types.
    ...(pkg.portable ? { types: [] } : { types: ['node'], typeRoots: [bin('@types')] }),
    strict: true,
    exactOptionalPropertyTypes: true,
    outDir: 'out',
    rootDir: '.',
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['all.ts', 'example.ts'] }),
  )
  await must(`${pkg.name}: from TypeScript`, process.execPath, [bin('typescript-7/bin/tsc'), '-p', '.'], {
    cwd: folder,
  })
  const names = []
  for (const file of ['esm.mjs', 'cjs.cjs', 'out/all.js']) {
    names.push(await must(`${pkg.name}: ${file}`, process.execPath, ['--no-warnings', file], { cwd: folder }))
  }
  if (new Set(names).size !== 1)
    fail(`${pkg.name}: ESM, require() and TypeScript see different names: ${names.join(' ')}`)
  const printed = await must(`${pkg.name}: README example`, process.execPath, ['out/example.js'], {
    cwd: folder,
  })
  if (withoutTrailingBlanks(printed) !== withoutTrailingBlanks(example.output)) {
    fail(`${pkg.name}: the README example prints\n${printed}\nand the README says\n${example.output}`)
  }
  return names[0].trim()
}

async function check(pkg, all, tarballs, work) {
  const tarball = tarballs.get(pkg.name)
  await Promise.all([
    must(`${pkg.name}: publint`, process.execPath, [bin('publint/src/cli.js'), tarball, '--strict']),
    must(`${pkg.name}: attw`, process.execPath, [
      bin('@arethetypeswrong/cli/dist/index.js'),
      tarball,
      '--profile',
      'esm-only',
      '--no-emoji',
    ]),
  ])
  const folder = join(work, pkg.short)
  await project(pkg, all, tarballs, folder)
  const installed = join(folder, 'node_modules', pkg.name)
  for (const file of [
    'README.md',
    'CHANGELOG.md',
    'LICENSES/MIT.txt',
    'LICENSES/GPL-2.0-only.txt',
    'dist/index.js',
    'src/index.ts',
  ]) {
    if (!statSync(join(installed, file), { throwIfNoEntry: false }))
      fail(`${pkg.name}: ${file} is not in the tarball`)
  }
  if (readFileSync(join(installed, 'package.json'), 'utf8').includes('workspace:'))
    fail(`${pkg.name}: workspace: in the tarball`)
  const names = await load(pkg, folder)
  const kilobytes = Math.round(statSync(tarball).size / 1024)
  console.log(
    `${pkg.name} ${pkg.manifest.version}: ${kilobytes} KB, ${names} exports, ESM, require(), TypeScript, example`,
  )
}

const work = mkdtempSync(join(tmpdir(), 'vnet-pack-'))
try {
  const all = packages()
  const named = process.argv.slice(2)
  const unknown = named.find((short) => !all.some((pkg) => pkg.short === short))
  if (unknown !== undefined) fail(`there is no package ${unknown}`)
  const wanted = all.filter(({ short }) => named.length === 0 || named.includes(short))
  await buildPackages(...wanted.map(({ name }) => name))
  const tarballs = new Map()
  for (const pkg of new Set(wanted.flatMap((one) => closure(one, all))))
    tarballs.set(pkg.name, await pack(pkg, work))
  for (const pkg of wanted) await check(pkg, all, tarballs, work)
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`pack-check: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(work, { recursive: true, force: true })
}
