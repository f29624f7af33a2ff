import { it } from 'vitest'
import { allChecks, runCheck, refSpec, Testbed } from '../src/index.ts'
it('prof', () => {
const spec = refSpec()
const out: string[] = []
for (let r=0;r<3;r++) { 
  let t0=performance.now(); const t = new Testbed(spec,1); let t1=performance.now(); t.start(); let t2=performance.now(); t.destroy(); t.leftovers(); let t3=performance.now()
  out.push(['bed', (t1-t0).toFixed(2), 'start', (t2-t1).toFixed(2), 'end', (t3-t2).toFixed(2)].join(' '))
  for (const c of allChecks) { const t0=performance.now(); const o=runCheck(spec,c); out.push([c.id, o.status, (performance.now()-t0).toFixed(1)].join(' ')) }
}
console.log(out.join('\n'))
})
