/** Runs one contestant in a process of its own: a line in, a line out, as all do. */
import { converseRounds, type RoundContestant } from './round.ts'

type Make = (args: readonly string[]) => Promise<RoundContestant>

/** Each loads only its own code: what one contestant does must not shape how another is compiled. */
const contestants: Readonly<Record<string, Make | undefined>> = {
  'tap-rx': async (a) => (await import('./contestants/tap.ts')).tapRx(a),
  'tap-tx': async (a) => (await import('./contestants/tap.ts')).tapTx(a),
  'packet-rx': async (a) => (await import('./contestants/packet.ts')).packetRx(a),
  'xdp-rings': async (a) => (await import('./contestants/xdp.ts')).xdpRings(a),
  'xdp-driver': async (a) => (await import('./contestants/xdp.ts')).xdpDriver(a),
  'wire-taps': async (a) => (await import('./contestants/wire.ts')).wireTaps(a),
  'wire-twin': async (a) => (await import('./contestants/wire.ts')).wireTwin(a),
  'wire-lab': async (a) => (await import('./contestants/wire.ts')).wireLab(a),
  'ping-machine': async (a) => (await import('./contestants/ping.ts')).pingMachine(a),
  'ping-twin': async (a) => (await import('./contestants/ping.ts')).pingTwin(a),
}

const [name, ...args] = process.argv.slice(2)
const make = contestants[name!]
if (make === undefined) throw new Error(`no contestant ${name}`)
await converseRounds(await make(args))
