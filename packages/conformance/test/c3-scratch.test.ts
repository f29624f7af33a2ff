import { it } from 'vitest'
import { allChecks, refSpec, runCheck } from '../src/index.ts'
import { statChecks } from '../src/checks/stat.ts'
import { linkChecks } from '../src/checks/link.ts'
import { addrChecks } from '../src/checks/addr.ts'
import { ethChecks } from '../src/checks/eth.ts'
import { mqChecks } from '../src/checks/mq.ts'
import { vnetSpec } from '../../../apps/cli/src/conformance/vnet-spec.ts'
import { statMutants } from '../src/mutants/stat.ts'
import { linkMutants } from '../src/mutants/link.ts'
import { addrMutants } from '../src/mutants/addr.ts'
import { ethMutants } from '../src/mutants/eth.ts'
import { mqMutants } from '../src/mutants/mq.ts'
it('scratch', () => {
  const mine = [...statChecks, ...linkChecks, ...addrChecks, ...ethChecks, ...mqChecks]
  for (const spec of [refSpec(), vnetSpec]) for (const c of mine) {
    const t0 = performance.now()
    const o = runCheck(spec, c)
    const ms = performance.now() - t0
    if (o.status === 'fail' || ms > 60) console.log(spec.name, c.id, o.status, o.broken.map(b => `${b.id}: ${b.message}`), Math.round(ms))
    else if (o.status === 'skip') console.log(spec.name, c.id, 'skip', o.reason)
  }
  const checks = process.env.ALL ? allChecks : mine
  for (const m of [...statMutants, ...linkMutants, ...addrMutants, ...ethMutants, ...mqMutants]) {
    const ids = new Map<string,string>()
    for (const c of checks) for (const b of runCheck(m.spec, c).broken) if (!ids.has(b.id)) ids.set(b.id, `${c.id}> ${b.message}`)
    if (ids.size !== 1 || !ids.has(m.id)) console.log('MUTANT', m.id, Object.fromEntries(ids))
  }
})
