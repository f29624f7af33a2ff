/**
 * The shim that `vnet exec` preloads, from C to what is committed in apps/cli/shim/prebuilt.
 *
 *   node scripts/shim-build.mjs           compile it for every processor (Debian: gcc, gcc-aarch64-linux-gnu)
 *   node scripts/shim-build.mjs --check   are the committed files made of the committed source?
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail, root } from './lib/steps.mjs'

const shim = join(root, 'apps', 'cli', 'shim')
const prebuilt = join(shim, 'prebuilt')
const manifestFile = join(prebuilt, 'manifest.json')
const entry = 'vnet-shim.c'

/** Freestanding, and the same bytes from the same compiler in any folder. */
const flags = [
  ...['-Os', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-nostdlib', '-ffreestanding'],
  ...['-fvisibility=hidden', '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fno-builtin'],
  ...['-fno-tree-loop-distribute-patterns', '-fno-strict-aliasing', '-fno-ident'],
  ...['build-id=none', 'hash-style=both', '-s', '-Bsymbolic'].map((o) => `-Wl,${o.replace(/^[bh]/, '--$&')}`),
  ...['noexecstack', 'norelro', 'noseparate-code', 'now'].map((o) => `-Wl,-z,${o}`),
]

const targets = [
  { file: 'linux-x64.so', compilers: ['x86_64-linux-gnu-gcc', 'gcc'], machine: 'x86_64', flags: [] },
  {
    file: 'linux-arm64.so',
    compilers: ['aarch64-linux-gnu-gcc', 'gcc'],
    machine: 'aarch64',
    flags: ['-mno-outline-atomics'],
  },
]

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

function sourceHash() {
  const hash = createHash('sha256').update(flags.join(' '))
  const files = readdirSync(shim).filter((name) => /\.[ch]$/.test(name))
  for (const name of files.sort()) hash.update(`\0${name}\0`).update(readFileSync(join(shim, name)))
  return hash.digest('hex')
}

const say = (command, ...args) => {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : ''
}

/** The first compiler that is there and makes code for the processor. */
function compilerOf({ compilers, machine }) {
  for (const command of compilers) {
    if (!say(command, '-dumpmachine').startsWith(machine)) continue
    return { command, version: say(command, '--version').split('\n')[0].replace(/^\S+ /, '') }
  }
  return undefined
}

function compile(target, compiler, output) {
  const args = [...flags, ...target.flags, '-o', output, entry]
  const { status, stderr } = spawnSync(compiler.command, args, {
    cwd: shim,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', SOURCE_DATE_EPOCH: '0' },
  })
  if (status !== 0) fail(`${target.file} does not compile:\n${stderr}`)
  return readFileSync(output)
}

function build() {
  const files = {}
  for (const target of targets) {
    const compiler = compilerOf(target)
    if (compiler === undefined)
      fail(`no compiler for ${target.machine}: apt-get install gcc gcc-aarch64-linux-gnu`)
    const bytes = compile(target, compiler, join(prebuilt, target.file))
    files[target.file] = { sha256: sha256(bytes), compiler: compiler.version }
    console.log(`${target.file}  ${bytes.length} bytes  ${compiler.version}`)
  }
  writeFileSync(manifestFile, `${JSON.stringify({ source: sourceHash(), files }, null, 2)}\n`)
}

function check() {
  if (!existsSync(manifestFile)) fail('the shim was never built: node scripts/shim-build.mjs')
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'))
  if (manifest.source !== sourceHash())
    fail('the source of the shim changed after it was built: node scripts/shim-build.mjs')
  for (const target of targets) {
    const known = manifest.files[target.file]
    const path = join(prebuilt, target.file)
    if (known === undefined || !existsSync(path))
      fail(`${target.file} is missing: node scripts/shim-build.mjs`)
    if (sha256(readFileSync(path)) !== known.sha256) fail(`${target.file} is not what the manifest says`)
    console.log(`${target.file}: ${rebuilt(target, known)}`)
  }
}

/** Rebuilds where the same compiler is there, and says what it found. */
function rebuilt(target, known) {
  const compiler = compilerOf(target)
  if (compiler?.version !== known.compiler)
    return `as in the manifest; not rebuilt, for that needs ${known.compiler}`
  const folder = mkdtempSync(join(tmpdir(), 'vnet-shim-'))
  try {
    if (sha256(compile(target, compiler, join(folder, target.file))) !== known.sha256)
      fail(`${target.file} comes out different from the same source and compiler`)
  } finally {
    rmSync(folder, { recursive: true })
  }
  return 'as in the manifest, and rebuilt to the same bytes'
}

if (process.argv.includes('--check')) check()
else build()
