/** Draws docs/real-interfaces.md from the results of a run: `npm run bench:real -- --json FILE`, then `-- --docs`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'

const PAGE = `${import.meta.dirname}/../../docs/real-interfaces.md`

const figure = (x) =>
  x >= 1000
    ? Math.round(x).toLocaleString('en-US')
    : x >= 100
      ? x.toFixed(0)
      : x >= 10
        ? x.toFixed(1)
        : x.toFixed(2)
const row = (...cells) => `| ${cells.join(' | ')} |`
const table = (head, rows) =>
  [row(...head), row(...head.map(() => '---')), ...rows.map((r) => row(...r))].join('\n')

/** @param file - what `--json` wrote */
export async function draw(file) {
  const report = JSON.parse(readFileSync(file, 'utf8'))
  if (report.quick) throw new Error('results of a --quick run say nothing about speed')
  const style = await resolveConfig(PAGE)
  writeFileSync(PAGE, await format(page(report), { ...style, parser: 'markdown' }))
}

function page(report) {
  return [
    '# Real interfaces',
    '',
    '<!-- Written by bench/real/docs.mjs. Do not edit: run `npm run bench:real -- --json bench/real/results.json`, then `npm run bench:real -- --docs`. -->',
    '',
    intro(report),
    '',
    '## Targets',
    '',
    targets(report),
    '',
    '## Figures',
    '',
    'Medians of short rounds in which all took turns; ± is half the distance between the quartiles. Ratios hold within one table only.',
    '',
    ...report.groups.flatMap(group),
    ...skipped(report),
    '## What it means',
    '',
    MEANING,
    '',
    '## Again',
    '',
    AGAIN,
    '',
  ].join('\n')
}

function intro({ date, noise, machine: m }) {
  return [
    'Our cables to interfaces of the host, each beside a C program that does the same work, in one run.',
    `Measured on ${date}, on ${m.cpu} with ${m.cpus} processors and ${m.memoryGiB} GiB; ${m.system}, Node ${m.node}`,
    `(V8 ${m.v8}), ${m.gcc ?? 'no C compiler'}; commit ${m.commit ?? 'unknown'}. Noise: ${noise}. How the driver does without the host is in [performance.md](performance.md).`,
  ].join('\n')
}

function targets({ groups }) {
  const rows = groups.flatMap((g) =>
    g.targets.map((t) => [
      g.title,
      t.text,
      `${figure(t.ratio.median)} (${figure(t.ratio.low)} to ${figure(t.ratio.high)})`,
      t.met ? 'met' : '**missed**',
    ]),
  )
  return table(['what', 'target', 'measured', 'verdict'], rows)
}

function group(g) {
  const rows = g.entries.map((e) => [
    e.label,
    figure(e.median),
    `±${(e.spread * 50).toFixed(1)} %`,
    `${figure(g.rate.per / e.median)} ${g.rate.unit}`,
  ])
  const left = g.skipped.flatMap((text) => [`${text}.`, ''])
  return [`### ${g.title}`, '', table(['', g.unit, '', ''], rows), '', ...left]
}

function skipped({ skipped: list }) {
  if (list.length === 0) return []
  return ['### Not measured', '', ...list.map(({ title, why }) => `- ${title}: ${why}`), '']
}

const MEANING = `- A TAP costs a system call a frame, whoever makes it; ours adds about 100 ns for leaving JavaScript and coming back. It is the cable to
  take when a machine here shall have an address on the host.
- Rings (AF_PACKET, AF_XDP) are read in place, without a call. A walk in JavaScript takes up to twice as long as in C, which is a few
  nanoseconds to a few tens; the row "the host" is what every program pays for a frame besides, and it is twenty times that. For
  AF_PACKET a wake-up of Node's loop is in it, one for all frames of a round: after a sleep it takes some 80 µs.
- The row of @vnet/afxdp's driver has all of a driver in it: interrupt, NAPI, sk_buff, GRO, a handler. No C beside it has that, so it is
  there to be known, not judged.
- TCP goes through \`joinTaps\` with frames of up to 64 KiB, uncut, so that our share of the cost hardly shows. The lab's two drivers copy
  each frame several times: from the TAP, through a card, over the cable, through the other card.
- An answer to ping costs two interrupts and a protocol stack: an echo in plain JavaScript on the same descriptor takes 3.0 µs where C takes
  2.7. While pings follow each other within 0.2 ms the TAP looks for the next at once (\`linger\`). By way of Node's loop and a sleep the
  same takes 6 µs on one processor, and 40 on two, of which one must be woken up each time.
- A ping now and then, one every 10 ms, finds the processor asleep and all caches cold: C then takes some 0.1 ms, and we 0.5.`

const AGAIN = `    npm run bench:real                          # everything, some three minutes; as root
    npm run bench:real -- --only tap --only ping    # a part
    npm run bench:real -- --quick               # only see that everything still runs
    npm run bench:real -- --json bench/real/results.json && npm run bench:real -- --docs    # and draw this page

It needs root (without it, \`unshare -Urn\` gives all but AF_XDP, if /dev/net/tun may be opened), gcc for the C twins, iperf3 and ping; it says
what it left out for want of them. It touches no interface of the host: namespaces, TAPs and veth pairs belong to the processes that measure,
and go with them, however they end.

Every contestant is a process of its own; the C twins are in \`bench/c/real/\`. All warm up, then take turns of 40 ms, 31 times; a turn counts
by the median of its rounds, and a round is 500 to 32,000 frames (iperf3: 9 turns of a second; ping: 21 turns of 3,000). A ratio is taken
turn by turn, and its median is judged. All are pinned to one processor but iperf3 and the first of the two pings. Sending is not timed where
receiving is: the frames lie in the TAP's queue or in the ring before the clock starts.`
