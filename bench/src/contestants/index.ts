import type { Contestant } from '../contestant.ts'
import type { RoundContestant } from '../real/round.ts'

type Make = (args: readonly string[]) => Promise<Contestant>

/** By name. Each loads only its own code: what one contestant does must not shape how another is compiled. */
export const contestants: Readonly<Record<string, Make | undefined>> = {
  'ring-vnet': async (a) => (await import('./ring-vnet.ts')).spsc(a),
  'ring-vnet-desc': async (a) => (await import('./ring-vnet.ts')).desc(a),
  'ring-array': async (a) => (await import('./ring-objects.ts')).array(a),
  'ring-mnemonist': async (a) => (await import('./ring-objects.ts')).mnemonist(a),
  'ring-thing': async (a) => (await import('./ring-objects.ts')).thing(a),
  'ring-fast-fifo': async (a) => (await import('./ring-objects.ts')).fastFifo(a),
  'ring-denque': async (a) => (await import('./ring-objects.ts')).denque(a),
  'ring-toolbuilder': async (a) => (await import('./ring-objects.ts')).toolbuilder(a),
  'ring-js-sdsl': async (a) => (await import('./ring-objects.ts')).jsSdsl(a),
  'ring-circular-buffer-js': async (a) => (await import('./ring-objects.ts')).circularBufferJs(a),
  'ring-ringbuf': async (a) => (await import('./ring-ringbuf.ts')).ringbuf(a),
  'threads-vnet': async (a) => (await import('./threads.ts')).threads('vnet', a),
  'threads-ringbuf': async (a) => (await import('./threads.ts')).threads('ringbuf', a),
  'path-tx': async (a) => (await import('./path.ts')).tx(a),
  'path-tx-list': async (a) => (await import('./path.ts')).txList(a),
  'path-rx': async (a) => (await import('./path.ts')).rx(a),
  'path-tx-remote': async (a) => (await import('./remote.ts')).remote(a),
  'path-ixy': async (a) => (await import('./ixy.ts')).ixy(a),
  'path-loop': async (a) => (await import('./path.ts')).loop(a),
}

/** Those that cannot be told how often to do it. */
export const roundContestants: Readonly<
  Record<string, ((args: readonly string[]) => Promise<RoundContestant>) | undefined>
> = {
  testpmd: async (a) => (await import('./testpmd.ts')).testpmd(a),
}
