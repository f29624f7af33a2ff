/**
 * Draws docs/performance.md from the results of a run: `npm run bench -- --json bench/results.json`, then
 * `node bench/docs.mjs`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'

const here = import.meta.dirname
const report = JSON.parse(readFileSync(process.argv[2] ?? `${here}/results.json`, 'utf8'))
if (report.quick) throw new Error('results of a --quick run say nothing about speed')

const BAR = 30
const figure = (x) =>
  x >= 1000
    ? Math.round(x).toLocaleString('en-US')
    : x >= 100
      ? x.toFixed(0)
      : x >= 10
        ? x.toFixed(1)
        : x.toFixed(2)
const percent = (x) => `±${(x * 50).toFixed(1)} %`
const bar = (part) => '█'.repeat(Math.max(1, Math.round(part * BAR)))
const row = (...cells) => `| ${cells.join(' | ')} |`
const table = (head, rows) =>
  [row(...head), row(...head.map(() => '---')), ...rows.map((r) => row(...r))].join('\n')

const page = [
  '# Performance',
  '',
  '<!-- Written by bench/docs.mjs from bench/results.json. Do not edit: run `npm run bench -- --json bench/results.json`. -->',
  '',
  intro(),
  '',
  '## Targets',
  '',
  targets(),
  '',
  '## Side by side',
  '',
  'Medians of short rounds in which all took turns; ± is half the distance between the quartiles. Ratios hold within one table only.',
  '',
  ...report.groups.flatMap(group),
  '## Measured alone',
  '',
  alone(),
  '',
  '## How it is measured',
  '',
  method(),
  '',
].join('\n')
const file = `${here}/../docs/performance.md`
writeFileSync(file, await format(page, { ...(await resolveConfig(file)), parser: 'markdown' }))

function intro() {
  const { machine: m, noise, date } = report
  const pinned = m.pinned ? 'each contestant pinned to one processor' : 'not pinned'
  return [
    `Measured on ${date}, on ${m.cpu} with ${m.cpus} processors and ${m.memoryGiB} GiB, ${pinned}; ${m.system}, Node ${m.node}`,
    `(V8 ${m.v8}), ${m.gcc ?? 'no C compiler'}; commit ${m.commit ?? 'unknown'}. Noise: ${noise.text}.`,
    'How the hot path is kept hot is told in [hot-path.md](hot-path.md).',
  ].join('\n')
}

function targets() {
  const ratios = report.groups.flatMap((g) =>
    g.targets.map((t) => [
      g.title,
      t.text,
      `${figure(t.ratio.median)}x (${figure(t.ratio.low)} to ${figure(t.ratio.high)})`,
      t.by,
      t.met ? 'met' : '**missed**',
    ]),
  )
  const figures = report.measures
    .filter((m) => m.limit !== undefined)
    .map((m) => [m.label, m.target, `${figure(m.value)} ${m.unit}`, '', m.met ? 'met' : '**missed**'])
  return table(['what', 'target', 'measured', 'beside', 'verdict'], [...ratios, ...figures])
}

function group(g) {
  const slowest = Math.max(...g.entries.map((e) => e.median))
  const rows = g.entries.map((e) => [e.label, figure(e.median), percent(e.spread), bar(e.median / slowest)])
  const skipped = (g.skipped ?? []).flatMap((text) => [`${text}.`, ''])
  return [`### ${g.title}`, '', table(['', g.unit, '', ''], rows), '', ...skipped]
}

function alone() {
  const rows = report.measures.map((m) => [m.label, `${figure(m.value)} ${m.unit}`.trim(), m.note ?? ''])
  return table(['what', 'value', 'note'], rows)
}

function method() {
  return [
    'Every contestant is a process of its own, so that none shapes how V8 compiles another; the C twins speak the same',
    'protocol. All warm up, then take turns of about 1.5 ms, 31 rounds; a window in which the processor was taken away is',
    'tried again. A ratio is taken round by round, and its median is judged, so what slows the whole machine falls out.',
    'The C twins (`bench/c/`) have rings, a pool, descriptors, completion and a budgeted poll, and nothing else: no',
    'net_device, queueing discipline, byte limit, statistics, offload or hooks. ixy.js is the driver of the ANCS comparison,',
    'unchanged, over a card in memory (`bench/vendor/ixy.js`); it has no net_device, qdisc, NAPI or sk_buff either. The veth twin',
    'makes its pair in a network namespace of its own, which goes with it. `spsc`, one of the rings once looked at, is not in the',
    'registry any more. testpmd (DPDK) forwards between two cards that are not there, each of which copies a frame; it has no stack.',
  ].join('\n')
}
