/** What is compared on real interfaces, and what is asked of it. */
import type { Entry, Group } from '../groups.ts'

/** What a group cannot do without. */
export type Need = 'root' | 'tun' | 'iperf3' | 'ping'

export interface RealGroup extends Group {
  readonly needs: readonly Need[]
  readonly rounds: number
  readonly warmMs: number
  /** How long a turn is; 0 for a single round. */
  readonly roundMs: number
  /** What a time means to a user: its unit, and that divided by the time. */
  readonly rate: { readonly unit: string; readonly per: number }
}

const HEADERS = 'gcc and the headers of the C library and the kernel'
const BPF = 'the right to load XDP programs (root, and not in a user namespace) and a kernel with AF_XDP'
const MOUNTS = 'the right to mount in a namespace of its own'

const js = (id: string, label: string, ...args: string[]): Entry => ({ id, label, program: 'js', args })
const c = (id: string, label: string, ...args: string[]): Entry => ({
  id,
  label,
  program: 'c',
  args,
  needs: HEADERS,
})
const atLeast = (limit: number, of: string) => ({
  text: `at least ${limit} of C's speed`,
  of,
  by: ['c'],
  limit,
  least: true,
})

const short = { rounds: 31, warmMs: 600, roundMs: 40 } as const
const million = { unit: 'M/s', per: 1000 } as const

function tap(way: 'rx' | 'tx', length: number): RealGroup {
  const args = [String(length), '4000']
  const what = way === 'rx' ? 'TAP, receive: read, until the card was offered it' : 'TAP, transmit'
  return {
    id: `tap-${way}-${length}`,
    title: `${what}, ${length} B`,
    unit: 'ns a frame',
    entries: [
      js('vnet', '@vnet/backend-tap', `tap-${way}`, ...args),
      c('c', way === 'rx' ? 'C, read()' : 'C, write()', 'tap', way, ...args),
    ],
    targets: [atLeast(0.7, 'vnet')],
    needs: ['root', 'tun'],
    ...short,
    rate: million,
  }
}

/** Node's loop is woken up once a round, cold, which takes as long as two thousand frames: so a round has many. */
function packet(length: number, frames: number): RealGroup {
  const args = [String(length), String(frames)]
  return {
    id: `packet-rx-${length}`,
    title: `AF_PACKET, receive: frames in a TPACKET_V3 ring on veth, until the card was offered them, ${length} B`,
    unit: 'ns a frame',
    entries: [
      js('vnet', '@vnet/backend-packet', 'packet-rx', ...args),
      c('c', 'C, the same walk', 'packet', 'walk', ...args),
      c('host', 'the host: from send() into the ring', 'packet', 'fill', ...args),
    ],
    targets: [atLeast(0.5, 'vnet')],
    needs: ['root'],
    ...short,
    rate: million,
  }
}

function xdp(length: number): RealGroup {
  // As many as one finds in a ring that is looked at often; their buffers fit the processor's cache.
  const args = [String(length), '500']
  const needs = BPF
  return {
    id: `xdp-rx-${length}`,
    title: `AF_XDP, receive: frames in the rings on veth, copy mode, ${length} B`,
    unit: 'ns a frame',
    entries: [
      { ...js('vnet', '@vnet/afxdp, its rings: walk and refill', 'xdp-rings', ...args), needs },
      { ...c('c', 'C, the same walk and refill', 'xdp', 'walk', ...args), needs: `${HEADERS}; ${BPF}` },
      { ...js('driver', '@vnet/afxdp, the driver: until a packet handler', 'xdp-driver', ...args), needs },
      {
        ...c('host', 'the host: from send() into the ring', 'xdp', 'fill', ...args),
        needs: `${HEADERS}; ${BPF}`,
      },
    ],
    targets: [atLeast(0.5, 'vnet')],
    needs: ['root'],
    ...short,
    rate: million,
  }
}

/** Three programs work at once, so none is tied to a processor. */
function wire(): RealGroup {
  const free = (entry: Entry): Entry => ({ ...entry, threads: true })
  return {
    id: 'wire',
    title: 'iperf3, TCP between two namespaces, big frames whole (VNET_HDR, GSO)',
    unit: 'ns a KiB',
    entries: [
      free(js('vnet', '@vnet/backend-tap, joinTaps', 'wire-taps', '1')),
      free({ ...js('c', 'C, the same two TAPs', 'wire-twin', '1'), needs: HEADERS }),
      free({ ...js('lab', 'vnet lab: two drivers, two cards, a cable', 'wire-lab', '1'), needs: MOUNTS }),
    ],
    targets: [atLeast(0.7, 'vnet')],
    needs: ['root', 'tun', 'iperf3'],
    rounds: 9,
    warmMs: 1000,
    roundMs: 0,
    rate: { unit: 'Gb/s', per: 8192 },
  }
}

/** Free to run where they like, as when one types `ping`; and all on one processor, where nobody waits for another to wake up. */
function ping(tied: boolean): RealGroup {
  const place = (entry: Entry): Entry => ({ ...entry, threads: !tied })
  return {
    id: tied ? 'ping-tied' : 'ping',
    title: `Round trip of the host's ping over a TAP${tied ? ', all on one processor' : ''}`,
    unit: 'ns',
    entries: [
      place(js('vnet', 'vnet0 of a machine with @vnet/inet', 'ping-machine', '3000')),
      place({ ...js('c', 'C, ARP and ICMP echo', 'ping-twin', '3000'), needs: HEADERS }),
    ],
    // Where two processors share the work, it is their waking up that is measured.
    targets: tied ? [{ text: "at most 2x C's time", of: 'vnet', by: ['c'], limit: 2 }] : [],
    needs: ['root', 'tun', 'ping'],
    rounds: 21,
    warmMs: 1500,
    roundMs: 0,
    rate: { unit: 'k/s', per: 1e6 },
  }
}

export const groups: readonly RealGroup[] = [
  tap('rx', 60),
  tap('rx', 1514),
  tap('tx', 60),
  tap('tx', 1514),
  packet(60, 32_000),
  packet(1514, 8000),
  xdp(60),
  xdp(1514),
  wire(),
  ping(false),
  ping(true),
]
