/**
 * TAP receive and transmit of our backend beside the same in C (tap-twin.c), turn by turn in one run.
 *
 *   node packages/backend-tap/bench/run.mjs [rounds]
 *
 * Needs root, gcc and /dev/net/tun; makes a network namespace of its own, which is gone afterwards.
 * Prints the medians of all rounds, and between which tenth and which tenth the rounds lie.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, symlinkSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const FRAMES = 4000
const SIZES = [60, 1514]
const here = fileURLToPath(new URL('.', import.meta.url))
const rounds = Number(process.argv[2] ?? 15)
const folder = mkdtempSync(join(tmpdir(), 'vnet-tap-bench-'))

/** Our packages as a user's bundler would make them one file, beside koffi. */
async function bundle() {
  const outfile = join(folder, 'ours.mjs')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(realpathSync(join(here, '../../linux/node_modules/koffi')), join(folder, 'node_modules/koffi'))
  const contents = ['backend-tap', 'kernel', 'linux']
    .map((name) => `export * from '${join(here, '../..', name, 'src/index.ts')}'`)
    .join('\n')
  await build({
    stdin: { contents, resolveDir: here, loader: 'ts' },
    bundle: true,
    outfile,
    platform: 'node',
    format: 'esm',
    conditions: ['@vnet/source'],
    logLevel: 'warning',
  })
  return import(pathToFileURL(outfile).href)
}

async function measure(ours, twin) {
  const netns = ours.Netns.create()
  const kernel = ours.createKernel({ clock: 'real', strict: false })
  const tap = ours.tapBackend(kernel, { name: 'ours0', netns })
  netns.run(() => execFileSync('ip', ['link', 'set', 'ours0', 'txqueuelen', String(FRAMES + 1000)]))
  const rig = { ours, netns, tap, card: plug(tap), sender: netns.run(() => openSender(ours, tap.ifIndex)) }
  while (!tap.linkUp) await new Promise((resolve) => setTimeout(resolve, 5))
  console.log(`${rounds} rounds of ${FRAMES} frames, ns a frame: median (a tenth below … a tenth above)\n`)
  for (const way of ['receive', 'transmit']) {
    for (const bytes of SIZES) await compare(rig, twin, way, bytes)
  }
  tap.close()
  netns.close()
  kernel.shutdown()
}

async function compare(rig, twin, way, bytes) {
  const one = way === 'receive' ? receive : transmit
  const [c, js] = [[], []]
  for (let i = 0; i < 3; i++) await one(rig, bytes)
  for (let round = 0; round < rounds; round++) {
    const args = [way === 'receive' ? 'rx' : 'tx', String(bytes), String(FRAMES), '2']
    const lines = rig.netns
      .run(() => execFileSync(twin, args, { encoding: 'utf8' }))
      .trim()
      .split('\n')
    // The first round of a new process meets cold caches.
    c.push(Number(lines.at(-1)))
    await one(rig, bytes)
    js.push(await one(rig, bytes))
  }
  const ratio = (median(c) / median(js)).toFixed(2)
  console.log(
    `${way.padEnd(9)} ${String(bytes).padStart(5)} B   C ${show(c)}   ours ${show(js)}   ratio ${ratio}`,
  )
}

/** Queues frames (not timed), then lets the loop run until all were offered to the card. */
async function receive({ ours, tap, card, sender }, bytes) {
  const frame = frameOf(ours, bytes)
  const c = ours.libc()
  card.left = FRAMES
  // Nothing is read meanwhile: this is one turn of the loop.
  for (let i = 0; i < FRAMES; i++) if (c.send(sender, frame.address, bytes, 0) < 0) throw new Error('send')
  const start = process.hrtime.bigint()
  const end = await new Promise((resolve) => (card.done = resolve))
  void tap
  return Number(end - start) / FRAMES
}

async function transmit({ ours, tap }, bytes) {
  const frame = frameOf(ours, bytes)
  const start = process.hrtime.bigint()
  for (let i = 0; i < FRAMES; i++) if (!tap.transmit(frame.bytes, 0, bytes)) throw new Error('refused')
  return Number(process.hrtime.bigint() - start) / FRAMES
}

/** A card that counts. */
function plug(tap) {
  const card = {
    left: 0,
    done: null,
    receive() {
      if (--card.left === 0) card.done(process.hrtime.bigint())
      return true
    },
    linkChange() {},
    writable() {},
  }
  tap.attach(card)
  return card
}

function openSender(ours, index) {
  const { AF, SOCK } = ours
  const fd = ours.sys('socket', [AF.PACKET, SOCK.RAW | SOCK.CLOEXEC, 0])
  const address = new DataView(new ArrayBuffer(20))
  address.setUint16(0, AF.PACKET, true)
  address.setInt32(4, index, true)
  ours.bindSock(fd, new Uint8Array(address.buffer))
  return fd
}

const frames = new Map()
function frameOf(ours, bytes) {
  if (!frames.has(bytes)) {
    const frame = new ours.HostMemory(bytes)
    frame.bytes.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 0, 0x88, 0xb5])
    frames.set(bytes, frame)
  }
  return frames.get(bytes)
}

const sorted = (values) => [...values].sort((a, b) => a - b)
const at = (values, share) => sorted(values)[Math.round(share * (values.length - 1))]
const median = (values) => at(values, 0.5)
const show = (values) =>
  `${median(values).toFixed(0).padStart(5)} (${at(values, 0.1).toFixed(0)} … ${at(values, 0.9).toFixed(0)})`

try {
  const twin = join(folder, 'tap-twin')
  execFileSync('gcc', ['-O2', '-o', twin, join(here, 'tap-twin.c')])
  await measure(await bundle(), twin)
} finally {
  rmSync(folder, { recursive: true })
}
