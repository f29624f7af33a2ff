/** Brings pnpm and the dependencies, once for each lockfile. Works offline when nothing has changed. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture, environment, fail, root, step } from './steps.mjs'

const pnpmFolder = join(root, '.tools', 'node_modules', 'pnpm')
const stampFile = join(root, 'node_modules', '.vnet-installed')

export async function install() {
  if (readText(stampFile) === stamp()) return
  await installPnpm()
  await step('installing the dependencies', async () => {
    const pnpm = join(
      root,
      '.tools',
      'node_modules',
      '.bin',
      process.platform === 'win32' ? 'pnpm.cmd' : 'pnpm',
    )
    const args = ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only']
    const { code, output } = await capture(pnpm, args, options)
    if (code !== 0) fail(explain('pnpm install', output))
  })
  writeFileSync(stampFile, stamp())
}

/** The version that package.json names, in `.tools/`, without install scripts (npm may block them). */
async function installPnpm() {
  const wanted = JSON.parse(readText(join(root, 'package.json'))).packageManager.split('@')[1]
  const manifest = readText(join(pnpmFolder, 'package.json'))
  if (
    manifest !== '' &&
    JSON.parse(manifest).version === wanted &&
    existsSync(join(pnpmFolder, 'install.js'))
  )
    return
  await step(`installing pnpm ${wanted} into .tools`, async () => {
    const tools = join(root, '.tools')
    mkdirSync(tools, { recursive: true })
    writeFileSync(
      join(tools, 'package.json'),
      `${JSON.stringify({ private: true, dependencies: { pnpm: wanted } })}\n`,
    )
    const args = [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-package-lock',
      '--loglevel=error',
      '--prefer-offline',
    ]
    const { code, output } = await capture('npm', args, { ...options, cwd: tools })
    if (code !== 0) fail(explain('npm install pnpm', output))
    const setup = await capture(process.execPath, [join(pnpmFolder, 'install.js')])
    if (setup.code !== 0) fail(explain('pnpm set-up', setup.output))
  })
}

/** What decides whether the installed tree is still right: the lockfile, the machine it was made for. */
function stamp() {
  const hash = createHash('sha256')
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readText(join(root, file)))
  return `${hash.digest('hex')} ${process.platform}-${process.arch}\n`
}

function explain(what, output) {
  const offline =
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|dns error|error sending request|META_FETCH/i
  const lines = output.trim().split('\n').slice(-12).join('\n')
  if (offline.test(output)) {
    return `${what}: the package registry cannot be reached. The first run needs the network; later ones do not.\n${lines}`
  }
  return `${what} failed:\n${lines}`
}

function readText(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** A person waits: without a network, say so in seconds and not after a minute of retries. */
const patience = { fetch_retries: '2', fetch_retry_mintimeout: '1000', fetch_retry_maxtimeout: '4000' }
const settings = ['npm_config', 'PNPM_CONFIG'].flatMap((prefix) =>
  Object.entries(patience).map(([name, value]) => {
    const key = `${prefix}_${name}`
    return [prefix === 'npm_config' ? key : key.toUpperCase(), value]
  }),
)

/** On Windows npm and pnpm are command files, which only a shell can start. */
const options = {
  env: { ...Object.fromEntries(settings), ...environment() },
  shell: process.platform === 'win32',
}
