import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError } from '../errors.ts'
import { uid } from '../boot/runtime.ts'

/** Where it is: beside the bundle, and in the repository. */
const PREBUILT = ['shim', '../../shim/prebuilt']

/**
 * The shim in a place from where the loader takes it: a copy of this user's own.
 *
 * @throws CommandError when there is no shim for this host, or no such place
 */
export function shimFile(runtime: string): string {
  const bytes = readFileSync(builtShim())
  const version = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  for (const base of [runtime, `/tmp/vnet-${uid()}`, join(homedir(), '.cache', 'vnet')]) {
    // The loader splits LD_PRELOAD at spaces and colons.
    if (/[\s:]/.test(base) || isNoexec(base) || !ownFolder(base)) continue
    const file = install(join(base, `shim-${version}`), bytes)
    if (file !== null) return file
  }
  throw new CommandError(
    `vnet exec: no folder to load the shim from: ${runtime} is mounted noexec, or has a space or colon in its name; set XDG_RUNTIME_DIR`,
  )
}

function builtShim(): string {
  if (process.platform !== 'linux')
    throw new CommandError(`vnet exec: Linux only; vnet ip, vnet ethtool … work on ${process.platform} too`)
  const here = dirname(fileURLToPath(import.meta.url))
  for (const folder of PREBUILT) {
    const file = join(here, folder, `linux-${process.arch}.so`)
    if (existsSync(file)) return file
  }
  throw new CommandError(
    `vnet exec: there is no shim for ${process.arch} beside ${here}; node scripts/shim-build.mjs`,
  )
}

/** Makes a folder that nobody else can change; false when there is one that is somebody else's. */
function ownFolder(base: string): boolean {
  try {
    mkdirSync(base, { recursive: true, mode: 0o700 })
    const { uid: owner, mode } = lstatSync(base)
    return owner === uid() && (mode & 0o022) === 0
  } catch {
    return false
  }
}

/** Null: not possible here. A file that is there already is taken only when it is ours and the same. */
function install(dir: string, bytes: Buffer): string | null {
  const file = join(dir, 'vnet-shim.so')
  try {
    if (isOurs(dir, 0o500) && isOurs(file, 0o400) && readFileSync(file).equals(bytes)) return file
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    chmodSync(dir, 0o700)
    const fresh = `${file}.${process.pid}`
    writeFileSync(fresh, bytes, { mode: 0o400, flag: 'wx' })
    renameSync(fresh, file)
    chmodSync(dir, 0o500)
    return file
  } catch {
    return null
  }
}

function isOurs(path: string, wanted: number): boolean {
  const { uid: owner, mode } = statSync(path, { throwIfNoEntry: false }) ?? { uid: NaN, mode: 0 }
  return owner === uid() && (mode & 0o777) === wanted
}

/** True when the file system of a folder, or of the nearest one above that exists, runs no programs. */
function isNoexec(folder: string): boolean {
  let best = { point: '', options: '' }
  for (const line of mountLines()) {
    const [, , , , point = '', options = ''] = line.split(' ')
    const plain = point.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(parseInt(octal, 8)),
    )
    const inside = folder === plain || folder.startsWith(plain.endsWith('/') ? plain : `${plain}/`)
    if (inside && plain.length >= best.point.length) best = { point: plain, options }
  }
  return best.options.split(',').includes('noexec')
}

function mountLines(): string[] {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  } catch {
    return []
  }
}
