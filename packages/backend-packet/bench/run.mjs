/**
 * AF_PACKET receive of our backend beside the same in C (packet-twin.c), turn by turn in one run: what a reader does for
 * a frame that lies in the ring, without what the kernel did.
 *
 *   node packages/backend-packet/bench/run.mjs [rounds]
 *
 * Needs root and gcc; makes a network namespace of its own, which is gone afterwards.
 * Prints the medians of all rounds, and between which tenth and which tenth the rounds lie.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, symlinkSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** As many as surely fit the ring, blocks that were handed over half full included. */
const FRAMES = { 60: 16_000, 1514: 4000 }
const RING = { blockSize: 1 << 18, blocks: 64 }
const here = fileURLToPath(new URL('.', import.meta.url))
const rounds = Number(process.argv[2] ?? 15)
const folder = mkdtempSync(join(tmpdir(), 'vnet-packet-bench-'))

/** Our packages as a user's bundler would make them one file, beside koffi. */
async function bundle() {
  const outfile = join(folder, 'ours.mjs')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(realpathSync(join(here, '../../linux/node_modules/koffi')), join(folder, 'node_modules/koffi'))
  const contents = ['backend-packet', 'kernel', 'linux']
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
  const ip = (...args) => netns.run(() => execFileSync('ip', args))
  ip('link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb')
  ip('link', 'set', 'va', 'up')
  ip('link', 'set', 'vb', 'up')
  const kernel = ours.createKernel({ clock: 'real', strict: false })
  const index = netns.run(() => ours.ifIndex('va'))
  const sender = netns.run(() => openSender(ours, index))
  console.log(`${rounds} rounds, ns a frame: median (a tenth below … a tenth above)\n`)
  for (const bytes of Object.keys(FRAMES).map(Number))
    await compare({ ours, netns, kernel, sender }, twin, bytes)
  netns.close()
  kernel.shutdown()
}

async function compare(rig, twin, bytes) {
  const [c, js] = [[], []]
  for (let round = -3; round < rounds; round++) {
    const args = ['va', 'vb', String(bytes), String(FRAMES[bytes]), '2']
    const lines = rig.netns
      .run(() => execFileSync(twin, args, { encoding: 'utf8' }))
      .trim()
      .split('\n')
    const backend = rig.ours.packetBackend(rig.kernel, { name: 'vb', netns: rig.netns, ...RING })
    const card = plug(backend)
    await receive(rig, card, bytes)
    const took = await receive(rig, card, bytes)
    backend.close()
    // The first rounds meet cold caches and unoptimised code.
    if (round < 0) continue
    c.push(Number(lines.at(-1)))
    js.push(took)
  }
  const ratio = (median(c) / median(js)).toFixed(2)
  console.log(`receive ${String(bytes).padStart(5)} B   C ${show(c)}   ours ${show(js)}   ratio ${ratio}`)
}

/** Fills the ring (not timed), then lets the loop run until all frames were offered to the card. */
async function receive({ ours, sender }, card, bytes) {
  const frame = frameOf(ours, bytes)
  const c = ours.libc()
  const count = FRAMES[bytes]
  card.left = count
  for (let i = 0; i < count; i++) if (c.send(sender, frame.address, bytes, 0) < 0) throw new Error('send')
  // Nothing is read meanwhile: this is one turn of the loop, and the last block is handed over in it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30)
  const start = process.hrtime.bigint()
  const end = await new Promise((resolve) => (card.done = resolve))
  return Number(end - start) / count
}

/** A card that counts, and looks at each frame as the twin does. */
function plug(backend) {
  const card = {
    left: 0,
    sum: 0,
    done: null,
    receive(mem, offset, length) {
      card.sum = (card.sum + length + mem[offset]) | 0
      if (--card.left === 0) card.done(process.hrtime.bigint())
      return true
    },
    linkChange() {},
    writable() {},
  }
  backend.attach(card)
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
  `${median(values).toFixed(1).padStart(5)} (${at(values, 0.1).toFixed(1)} … ${at(values, 0.9).toFixed(1)})`

try {
  const twin = join(folder, 'packet-twin')
  execFileSync('gcc', ['-O2', '-o', twin, join(here, 'packet-twin.c')])
  await measure(await bundle(), twin)
} finally {
  rmSync(folder, { recursive: true })
}
