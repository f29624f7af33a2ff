import { it } from 'vitest'
import { refSpec, soakEpisode, formatOp } from '../src/index.ts'
import { vnetSpec } from '../../../apps/cli/src/conformance/vnet-spec.ts'
it('soak scratch', () => {
  for (const spec of [refSpec(), vnetSpec]) {
    const t0 = performance.now()
    let sent = 0, received = 0, time = 0
    const seen = new Map<string, string>()
    const n = Number(process.env.N ?? 12)
    for (let seed = 1; seed <= n; seed++) {
      const r = soakEpisode(spec, seed)
      sent += r.sent; received += r.received; time += r.time
      if (r.failure) { const f = r.failure; const k = f.rule + f.message.slice(0, 25); if (!seen.has(k)) { seen.set(k, ''); console.log(spec.name, f.seed, f.rule, f.message, f.foundAfter, f.ops.map(formatOp).join('; ')) } }
    }
    console.log(spec.name, Math.round(performance.now() - t0), 'ms', n, 'episodes', sent, received, time / 1e9)
  }
}, 300000)
