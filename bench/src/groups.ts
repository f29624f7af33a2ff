/** What is compared with what, and what is asked of it. */

/** One who takes part: a JavaScript contestant by name, or a C twin by program, with its arguments. */
export interface Entry {
  readonly id: string
  readonly label: string
  readonly program: 'js' | 'absent' | 'c'
  readonly args: readonly string[]
  /** Needs two processors. */
  readonly threads?: boolean
  /** What it needs that not every machine has; without it, it is left out with that reason. */
  readonly needs?: string
}

/** A demand on a ratio of two entries' times. */
export interface Target {
  readonly text: string
  /** Whose time is divided by whose; a list stands for its fastest. */
  readonly of: string
  readonly by: readonly string[]
  /** The ratio may be at most (or, with `least`, must be at least) this. */
  readonly limit: number
  readonly least?: boolean
}

/** Entries that are measured in turn, in one run. */
export interface Group {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly entries: readonly Entry[]
  readonly targets: readonly Target[]
}

const js = (id: string, label: string, ...args: string[]): Entry => ({ id, label, program: 'js', args })
const c = (id: string, label: string, ...args: string[]): Entry => ({ id, label, program: 'c', args })

const NPM: readonly (readonly [string, string])[] = [
  ['ring-mnemonist', 'mnemonist CircularBuffer'],
  ['ring-thing', '@thi.ng/buffers fifo'],
  ['ring-fast-fifo', 'fast-fifo'],
  ['ring-denque', 'denque'],
  ['ring-toolbuilder', '@toolbuilder/ring-buffer'],
  ['ring-js-sdsl', 'js-sdsl Queue'],
  ['ring-circular-buffer-js', 'circular_buffer_js'],
  ['ring-ringbuf', 'ringbuf.js'],
]

function rings(kind: 'desc' | 'int', burst: number): Group {
  const b = String(burst)
  const what = kind === 'desc' ? '16-byte descriptors' : 'integers'
  const own = js('vnet', '@vnet/core-ring SpscRing', 'ring-vnet', kind, b)
  const card = js('vnet-desc', '@vnet/core-ring DescRing, driver and card', 'ring-vnet-desc', kind, b)
  const peers = NPM.map(([name, label]) => js(name, label, name, kind, b))
  const judged = kind === 'desc' && burst === 32
  return {
    id: `ring-${kind}-${b}`,
    title: `Ring of ${what}, one thread, burst ${b}`,
    unit: 'ns in and out',
    entries: [
      own,
      ...(kind === 'desc' ? [card] : []),
      ...peers,
      js('array', 'Array push and shift', 'ring-array', kind, b),
      c('c', 'C', 'ring', kind, b),
    ],
    targets: judged
      ? [
          {
            text: 'at least 3x the fastest npm ring',
            of: 'vnet',
            by: NPM.map(([name]) => name),
            limit: 3,
            least: true,
          },
        ]
      : [],
  }
}

function threads(burst: number): Group {
  const b = String(burst)
  const entries = [
    { ...js('vnet', '@vnet/core-ring SharedSpscRing', 'threads-vnet', b), threads: true },
    { ...js('ringbuf', 'ringbuf.js', 'threads-ringbuf', b), threads: true },
  ]
  const target = { text: 'at least 2x ringbuf.js', of: 'vnet', by: ['ringbuf'], limit: 2, least: true }
  return {
    id: `threads-${b}`,
    title: `Ring of 16-byte descriptors between two threads, burst ${b}`,
    unit: 'ns a descriptor',
    entries,
    targets: burst === 32 ? [target] : [],
  }
}

interface PathTarget {
  readonly limit: number
  readonly text: string
}

function path(
  what: 'tx' | 'rx' | 'loop',
  title: string,
  length: number,
  target?: PathTarget,
  burst = 32,
): Group {
  const [l, b] = [String(length), String(burst)]
  const entries: Entry[] = [js('vnet', 'vnet', `path-${what}`, l, b), c('c', 'C model', 'path', what, l, b)]
  if (what === 'tx') entries.push(js('list', 'vnet, devQueueXmitList', 'path-tx-list', l, b))
  if (what === 'loop') entries.push(...loopPeers(l, b))
  return {
    id: burst === 32 ? `${what}-${l}` : `${what}-${l}-burst-${b}`,
    title: `${title}, ${l} B, burst ${b}`,
    unit: 'ns a packet',
    entries,
    targets: [
      ...(target ? [{ ...target, of: 'vnet', by: ['c'] }] : []),
      ...(what === 'loop' && length === 60 && burst === 32 ? LOOP_TARGETS : []),
    ],
  }
}

/** The same loop as others have it: another driver in JavaScript, and the kernel's own virtual cable. */
function loopPeers(l: string, b: string): Entry[] {
  const needs = 'root, for a network namespace of its own, and ip'
  return [
    js('ixy', 'ixy.js, its driver over a card in memory', 'path-ixy', l, b),
    {
      ...js('testpmd', 'DPDK testpmd, io forwarding over net_null with a copy', 'testpmd', l, b),
      threads: true,
      needs: 'dpdk-testpmd (Debian: dpdk-dev)',
    },
    { ...c('veth', 'kernel veth, AF_PACKET, a call a packet', 'veth', l, b, 'one'), needs },
    { ...c('veth-burst', 'kernel veth, AF_PACKET, sendmmsg and recvmmsg', 'veth', l, b), needs },
  ]
}

const LOOP_TARGETS: readonly Target[] = [
  { text: "at most 2x ixy.js's own loop", of: 'vnet', by: ['ixy'], limit: 2 },
  { text: "at least 20x the kernel's veth", of: 'vnet', by: ['veth'], limit: 20, least: true },
]

function absent(what: 'tx' | 'rx'): Group {
  const args = [`path-${what}`, '60', '32']
  return {
    id: `off-${what}`,
    title: `Rule checks and tracing: off, against taken out of the source (${what})`,
    unit: 'ns a packet',
    entries: [
      js('vnet', 'compiled in, off', ...args),
      { ...js('absent', 'absent', ...args), program: 'absent' },
    ],
    targets: [{ text: 'within 3 %', of: 'vnet', by: ['absent'], limit: 1.03 }],
  }
}

/** The same driver, once with the card beside it and once with the card on another core. */
function remote(burst: number): Group {
  const args = ['60', String(burst)]
  return {
    id: `remote-${burst}`,
    title: `Transmit with the card in a worker, 60 B, burst ${burst}`,
    unit: 'ns a packet',
    entries: [
      js('one', 'driver and card in one thread', 'path-tx', ...args),
      { ...js('remote', 'the card in a worker', 'path-tx-remote', ...args), threads: true },
      {
        ...js('remote-list', 'the card in a worker, devQueueXmitList', 'path-tx-remote', ...args, 'list'),
        threads: true,
      },
    ],
    targets: [],
  }
}

const LOOP = 'Loop: one net_device to another over a patch cable'

export const groups: readonly Group[] = [
  path('tx', 'Transmit: devQueueXmit until copied out and the sk_buff back', 60, {
    limit: 5,
    text: 'at most 5x C',
  }),
  path('rx', 'Receive: copied in at the card until the handler returns', 60, {
    limit: 7,
    text: 'at most 7x C',
  }),
  path('loop', LOOP, 60, { limit: 7, text: 'at most 7x C' }),
  path('loop', LOOP, 1514, { limit: 3, text: 'at most 3x C' }),
  absent('tx'),
  absent('rx'),
  rings('desc', 32),
  threads(32),
  rings('desc', 1),
  rings('int', 32),
  rings('int', 1),
  threads(1),
  threads(256),
  remote(32),
  path('tx', 'Transmit', 60, undefined, 1),
  path('rx', 'Receive', 60, undefined, 1),
  path('loop', LOOP, 60, undefined, 1),
  path('tx', 'Transmit', 1514),
  path('rx', 'Receive', 1514),
]
