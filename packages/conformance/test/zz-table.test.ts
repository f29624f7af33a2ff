import { it } from 'vitest'
import { conformanceTable, formatTable } from '../src/index.ts'
it('t', () => { const t0=process.cpuUsage(); const text = formatTable(conformanceTable()); const u=process.cpuUsage(t0); console.log('CPU', (u.user+u.system)/1e6); console.log(text.split('\n').filter((l) => /NOT caught|no mutant|not applicable/.test(l)).join('\n')) }, 560000)
