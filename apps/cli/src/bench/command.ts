import { usage } from '../errors.ts'
import { makeLoop, type Loop } from './loop.ts'
import { cpuProfile, heapSnapshot } from './profile.ts'

/** What the command line says. */
export interface BenchArgs {
  /** Bytes of a frame. */
  size: string
  /** Frames handed over between two looks at the events. */
  burst: string
  seconds: string
  'cpu-prof': string
  heap: string
  json: boolean
}

/** Time until V8 has compiled what runs often. */
const WARM_MS = 1_000
const PIECE = 64

function number(name: string, text: string, least: number, most: number): number {
  const n = Number(text)
  if (!(n >= least && n <= most)) throw usage(`vnet bench: --${name} is ${least} to ${most}, not ${text}`)
  return n
}

/** Runs for so long; returns the time really taken, in ms. */
function runFor(loop: Loop, ms: number): number {
  const start = performance.now()
  do loop.run(PIECE)
  while (performance.now() - start < ms)
  return performance.now() - start
}

/** `vnet bench`: how fast frames go round here, and where the time goes. @returns the exit code */
export async function benchCommand(args: BenchArgs): Promise<number> {
  const size = number('size', args.size, 60, 1514)
  const burst = number('burst', args.burst, 1, 256)
  const ms = number('seconds', args.seconds, 0.1, 3600) * 1000
  const loop = makeLoop(size, burst)
  runFor(loop, Math.min(WARM_MS, ms))
  const before = loop.received
  let took = 0
  const measured = (): void => void (took = runFor(loop, ms))
  if (args['cpu-prof'] === '') measured()
  else await cpuProfile(args['cpu-prof'], measured)
  const packets = loop.received - before
  if (args.heap !== '') await heapSnapshot(args.heap)
  const result = {
    size,
    burst,
    packets,
    seconds: took / 1000,
    nsPerPacket: (took * 1e6) / packets,
    lost: loop.sent - loop.received,
  }
  process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : report(result, args))
  return result.lost === 0 ? 0 : 1
}

function report(
  r: { size: number; burst: number; packets: number; nsPerPacket: number; lost: number },
  args: BenchArgs,
): string {
  const rate = (1e3 / r.nsPerPacket).toFixed(2)
  const lines = [
    `${r.packets} frames of ${r.size} bytes in bursts of ${r.burst}, vnet0 to vnet1 over a patch cable, ${r.lost} lost`,
    `${r.nsPerPacket.toFixed(0)} ns a frame, ${rate} million a second`,
  ]
  if (args['cpu-prof'] !== '')
    lines.push(`time by function: ${args['cpu-prof']} (open it in Chrome's DevTools, or speedscope)`)
  if (args.heap !== '') lines.push(`heap: ${args.heap}`)
  return `${lines.join('\n')}\n`
}
