import { consumeSkb, devAddPack, devOpen, devQueueXmit, netdevAllocSkb, skbPut } from '@vnet/netdev'
import { patchCable } from '@vnet/backend'
import { PROTO, frameTo, newKernel, openDevice } from '../contestants/path.ts'
import { type Measure, atMost } from '../measures.ts'

const LENGTH = 60
const MOST = 64
/** Half of what it can do is asked of it. */
const LOAD = 0.5
/** Stretches tried for one that is kept, before all are. */
const TRIES = 4

const now = (): number => performance.now() * 1e6

/** Packets are due at even times; each one's way is counted from when it was due, not from when there was time for it. */
class Schedule {
  readonly times: Float64Array
  count = 0
  readonly #start: number
  readonly #gap: number

  constructor(n: number, gap: number) {
    this.times = new Float64Array(n)
    this.#gap = gap
    this.#start = now()
  }

  due(i: number): number {
    return this.#start + i * this.#gap
  }

  arrived(at: number): void {
    this.times[this.count] = at - this.due(this.count)
    this.count++
  }
}

function quantileUs(times: Float64Array, q: number): number {
  return times[Math.min(times.length - 1, Math.floor(q * times.length))]! / 1000
}

function makeLoop() {
  const kernel = newKernel()
  const cable = patchCable(kernel, {})
  const { dev } = openDevice(kernel, 1, cable.a)
  const peer = openDevice(kernel, 2, cable.b)
  const state: { schedule: Schedule | null; arrivals: number } = { schedule: null, arrivals: 0 }
  devAddPack(kernel, {
    type: PROTO,
    func(skb) {
      state.arrivals++
      consumeSkb(skb)
      return 0
    },
  })
  kernel.rtnl.run(() => {
    devOpen(dev)
    devOpen(peer.dev)
  })
  const frame = frameTo(2, LENGTH)
  const send = (n: number): void => {
    for (let i = 0; i < n; i++) {
      const skb = netdevAllocSkb(dev, LENGTH)!
      const at = skbPut(skb, LENGTH)
      skb.mem.set(frame, at)
      skb.protocol = PROTO
      devQueueXmit(skb)
    }
    kernel.runFor(10_000)
  }
  return { send, state }
}

/** Sends what is due, as it becomes due. With `work` null only the clock is watched: that is the machine's own share. */
function paced(n: number, gap: number, work: ((n: number) => void) | null): Schedule {
  const schedule = new Schedule(n, gap)
  let sent = 0
  while (sent < n) {
    const at = now()
    let due = 0
    while (due < MOST && sent + due < n && schedule.due(sent + due) <= at) due++
    if (due === 0) continue
    if (work !== null) work(due)
    sent += due
    const done = now()
    for (let i = 0; i < due; i++) schedule.arrived(done)
  }
  return schedule
}

/** Many short stretches; one in which the processor was taken away is tried again, but not for ever. */
function stretches(count: number, n: number, gap: number, work: ((n: number) => void) | null): Float64Array {
  const kept: Float64Array[] = []
  for (let tries = 0; kept.length < count; tries++) {
    const before = process.resourceUsage().involuntaryContextSwitches
    const { times } = paced(n, gap, work)
    const taken = process.resourceUsage().involuntaryContextSwitches !== before
    if (!taken || tries > count * TRIES) kept.push(times)
  }
  const all = new Float64Array(count * n)
  kept.forEach((times, i) => all.set(times, i * n))
  return all.sort()
}

export async function latency(quick: boolean): Promise<Measure[]> {
  const { send } = makeLoop()
  for (let i = 0; i < 20_000; i++) send((i % MOST) + 1)
  let fastest = Infinity
  for (let round = 0; round < 20; round++) {
    const start = now()
    for (let i = 0; i < 200; i++) send(8)
    fastest = Math.min(fastest, (now() - start) / 200 / 8)
  }
  // A full load comes in small bursts; half of it leaves as much time again between them.
  const gap = fastest / LOAD
  const [count, n] = quick ? [2, 2000] : [200, 10_000]
  const idle = stretches(count, n, gap, null)
  const busy = stretches(count, n, gap, send)
  const at = `${(1e3 / gap).toFixed(1)} million packets a second`
  const label = (q: string): string => `p${q} of a packet's way at ${at}`
  const own = `the same clock with no packets shows ${quantileUs(idle, 0.9999).toFixed(0)} us: that much is the machine`
  return [
    { id: 'p50', label: label('50'), value: quantileUs(busy, 0.5), unit: 'us' },
    { id: 'p99', label: label('99'), value: quantileUs(busy, 0.99), unit: 'us' },
    atMost(
      {
        id: 'p9999',
        label: label('99.99'),
        value: quantileUs(busy, 0.9999),
        unit: 'us',
        target: 'under 50 us',
        note: own,
      },
      50,
    ),
  ]
}
