import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skipReason } from './host.ts'

const PROGRAM = `
  import { tapBackend } from './ours.mjs'
  import { createKernel } from './ours.mjs'
  const kernel = createKernel({ clock: 'real' })
  const [name, mode] = process.argv.slice(2)
  try {
    const tap = tapBackend(kernel, { name, mode })
    tap.attach({ receive: () => true, linkChange() {}, writable() {} })
    const end = Date.now() + 5000
    while (!tap.linkUp && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
    console.log(process.getuid(), tap.ifName, tap.linkUp ? 'up' : 'down')
    tap.close()
  } catch (error) {
    console.log(process.getuid(), error.code, error.message)
  }
  kernel.shutdown()`
const ORDINARY = 'setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all'
/** A /dev/net of our own, in a mount namespace of our own: the machine's is not touched. */
const OWN_DEV = 'mount -t tmpfs -o dev none /dev/net'
const NODE = 'mknod /dev/net/tun c 10 200'

/** Why nobody else can be played here, printed; false when they can. */
function noOthers(): string | false {
  const reason = skipReason()
  if (reason !== false) return reason
  const attempt = `${OWN_DEV} && ${NODE} && ${ORDINARY} ${process.execPath} -e 0`
  const { status, stderr } = spawnSync('unshare', ['-mn', 'sh', '-c', attempt], { encoding: 'utf8' })
  if (status === 0) return false
  const told = stderr.trim().split('\n').at(-1) ?? 'unshare does not work'
  console.warn(`skipped, other users' TAPs: ${told}`)
  return told
}

describe.skipIf(noOthers())('a TAP for whom', () => {
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vnet-tap-user-'))
    const here = fileURLToPath(new URL('..', import.meta.url))
    const sources = ['backend-tap', 'kernel'].map((name) => join(here, '..', name, 'src/index.ts'))
    await build({
      stdin: {
        contents: sources.map((file) => `export * from '${file}'`).join('\n'),
        resolveDir: here,
        loader: 'ts',
      },
      bundle: true,
      outfile: join(folder, 'ours.mjs'),
      platform: 'node',
      format: 'esm',
      conditions: ['@vnet/source'],
    })
    writeFileSync(join(folder, 'program.mjs'), PROGRAM)
    copyKoffi(join(here, '../linux/node_modules/koffi'), join(folder, 'node_modules'))
    // An ordinary user must be able to read it.
    chmodSync(folder, 0o755)
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs shell lines as root of new namespaces; NODE in them stands for the program. */
  function inside(flags: string, ...lines: string[]): string {
    const script = lines
      .join(' && ')
      .replaceAll('PROGRAM', `${process.execPath} ${join(folder, 'program.mjs')}`)
    const { stdout, stderr } = spawnSync('unshare', [flags, 'sh', '-c', script], { encoding: 'utf8' })
    return stdout + stderr
  }

  it('root of a user namespace', () => {
    expect(inside('-rn', 'PROGRAM vt0 new')).toBe('0 vt0 up\n')
  })

  it('an ordinary user, attached to a TAP made for him', () => {
    const made = ['ip tuntap add dev vt0 mode tap user 65534', 'ip link set vt0 up']
    expect(inside('-mn', OWN_DEV, `${NODE} -m 666`, ...made, `${ORDINARY} PROGRAM vt0 either`)).toBe(
      '65534 vt0 up\n',
    )
  })

  it('an ordinary user may attach to no other, and make none', () => {
    const made = 'ip tuntap add dev vt0 mode tap user 1'
    const output = inside(
      '-mn',
      OWN_DEV,
      `${NODE} -m 666`,
      made,
      `${ORDINARY} PROGRAM vt0 either; ${ORDINARY} PROGRAM vt1 new`,
    )
    expect(output).toMatch(
      /^65534 EPERM this user may not make vt0 [^\n]*unshare -rn[^\n]*\n65534 EPERM this user may not make vt1 /,
    )
  })

  it('an ordinary user where /dev/net/tun is for root', () => {
    const output = inside('-mn', OWN_DEV, `${NODE} -m 600`, `${ORDINARY} PROGRAM vt0 new`)
    expect(output).toMatch(/^65534 EACCES this user may not open \/dev\/net\/tun/)
  })

  it('nobody where there is no /dev/net/tun', () => {
    expect(inside('-mn', OWN_DEV, 'PROGRAM vt0 new')).toMatch(
      /^0 ENOENT there is no \/dev\/net\/tun: run `modprobe tun`/,
    )
  })

  it('nobody where there is no driver behind it', () => {
    const output = inside('-mn', OWN_DEV, 'mknod -m 666 /dev/net/tun c 10 254', 'PROGRAM vt0 new')
    expect(output).toMatch(/^0 (ENODEV|ENXIO) \/dev\/net\/tun is there but its driver is not/)
  })
})

/** koffi with its binaries, out of the folders only their owner may enter. */
function copyKoffi(link: string, modules: string): void {
  const koffi = realpathSync(link)
  mkdirSync(modules)
  cpSync(koffi, join(modules, 'koffi'), {
    recursive: true,
    dereference: true,
    filter: (from) => !/koffi\/(doc|vendor)$/.test(from),
  })
  cpSync(join(dirname(koffi), '@koromix'), join(modules, '@koromix'), { recursive: true, dereference: true })
}
