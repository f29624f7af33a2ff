import { ethtoolGetRingparam, ethtoolSetRingparam } from '@vnet/ethtool'
import { Errno, type Rng } from '@vnet/kernel'
import { devClose, devSetMtu, devSetPromiscuity, netifRunning } from '@vnet/netdev'
import { testFrame } from './frames.ts'
import type { Supports } from './spec.ts'
import { MS, type Testbed } from './testbed.ts'

/** One thing that happens to a driver: a name and two numbers, so that a list of them can be kept and replayed. @kernel none */
export interface SoakOp {
  readonly op: SoakOpName
  readonly a: number
  readonly b: number
}

/** What can happen. @kernel none */
export type SoakOpName = keyof typeof KINDS

interface Kind {
  /** How often, against the others. */
  readonly weight: number
  /** Draws the two numbers. */
  readonly draw: (rng: Rng) => readonly [number, number]
  readonly needs?: keyof Supports
  readonly run: (t: Testbed, a: number, b: number) => void
}

const NONE = (): readonly [number, number] => [0, 0]
/** Ring sizes asked for; a driver may refuse some. */
const RINGS = [2, 4, 8, 16, 64, 256, 512]

/** A refusal is an answer; anything else that is thrown is not. */
function mayRefuse(fn: () => void): void {
  try {
    fn()
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
}

const between = (rng: Rng, low: number, high: number): number => low + rng.below(high - low + 1)

const KINDS = {
  send: {
    weight: 30,
    draw: (rng) => [between(rng, 1, 60), between(rng, 14, 1514)],
    run: (t, count, length) => t.sendMany(count, length),
  },
  receive: {
    weight: 30,
    draw: (rng) => [between(rng, 1, 60), between(rng, 0, 1520)],
    run: (t, count, length) =>
      void t.inject(...Array.from({ length: count }, (_, n) => testFrame(length, n))),
  },
  wait: {
    weight: 25,
    draw: (rng) => [between(rng, 1, 3_000), 0],
    run: (t, us) => t.run(us * 1_000),
  },
  waitLong: {
    weight: 2,
    draw: (rng) => [between(rng, 100, 12_000), 0],
    run: (t, ms) => t.run(ms * MS),
  },
  up: {
    weight: 8,
    draw: NONE,
    run: (t) => mayRefuse(() => t.up()),
  },
  down: {
    weight: 4,
    draw: NONE,
    run: (t) => t.kernel.rtnl.run(() => devClose(t.dev)),
  },
  resize: {
    weight: 4,
    needs: 'ringparam',
    draw: (rng) => [RINGS[rng.below(RINGS.length)]!, RINGS[rng.below(RINGS.length)]!],
    run: (t, tx, rx) => {
      const max = ethtoolGetRingparam(t.dev)
      if (tx > max.txMaxPending || rx > max.rxMaxPending) return
      mayRefuse(() => t.kernel.rtnl.run(() => ethtoolSetRingparam(t.dev, { txPending: tx, rxPending: rx })))
    },
  },
  mtu: {
    weight: 4,
    draw: (rng) => [between(rng, 68, 9000), 0],
    run: (t, mtu) => {
      if (mtu <= (t.supports.maxMtu ?? 1500)) mayRefuse(() => t.kernel.rtnl.run(() => devSetMtu(t.dev, mtu)))
    },
  },
  promiscuous: {
    weight: 1,
    draw: NONE,
    run: (t) => t.kernel.rtnl.run(() => devSetPromiscuity(t.dev, t.dev.promiscuity > 0 ? -1 : 1)),
  },
  link: {
    weight: 4,
    needs: 'carrier',
    draw: (rng) => [rng.below(3), 0],
    run: (t, up) => t.cable.setLink(up > 0),
  },
  slow: {
    weight: 4,
    draw: (rng) => [rng.below(2) * between(rng, 1_000, 200_000), 0],
    run: (t, ns) => t.dut.card?.slow?.(ns),
  },
  hang: {
    weight: 2,
    draw: NONE,
    run: (t) => t.dut.card?.hang?.(),
  },
  recover: {
    weight: 4,
    draw: NONE,
    run: (t) => t.dut.card?.recover?.(),
  },
  blockCable: {
    weight: 2,
    draw: NONE,
    run: (t) => {
      t.cable.full = true
    },
  },
  unblockCable: {
    weight: 4,
    draw: NONE,
    run: (t) => t.cable.unblock(),
  },
  failAlloc: {
    weight: 3,
    draw: (rng) => [rng.below(3), between(rng, 1, 40)],
    run: (t, on, count) => {
      let left = count
      t.dut.card?.failAlloc?.(on > 0 ? () => left-- > 0 : null)
    },
  },
  reload: {
    weight: 1,
    draw: (rng) => [between(rng, 2, 7), between(rng, 2, 7)],
    run: (t, tx, rx) => {
      t.destroy()
      t.create({ txRing: 1 << tx, rxRing: 1 << rx, ...(t.supports.queues && { queues: 1 + (rx & 3) }) })
      if ((tx & 1) === 0) mayRefuse(() => t.up())
    },
  },
} satisfies Record<string, Kind>

const NAMES = Object.keys(KINDS) as SoakOpName[]

/** Draws what happens next to a driver that can do `supports`. @kernel none */
export function drawOp(rng: Rng, supports: Supports): SoakOp {
  const names = NAMES.filter((name) => {
    const { needs } = KINDS[name] as Kind
    return needs === undefined || supports[needs] === true
  })
  let at = rng.below(names.reduce((sum, name) => sum + KINDS[name].weight, 0))
  const op = names.find((name) => (at -= KINDS[name].weight) < 0)!
  const [a, b] = KINDS[op].draw(rng)
  return { op, a, b }
}

/** Does it. @kernel none */
export function runOp(t: Testbed, { op, a, b }: SoakOp): void {
  ;(KINDS[op] as Kind).run(t, a, b)
}

/** Ends every trouble, so that all must come to rest. @kernel none */
export function calmDown(t: Testbed): void {
  t.cable.setLink(true)
  t.cable.unblock()
  t.dut.card?.slow?.(0)
  t.dut.card?.failAlloc?.(null)
  t.dut.card?.recover?.()
  if (!netifRunning(t.dev)) t.up()
}

/** As text: 'send 12 60'. @kernel none */
export function formatOp({ op, a, b }: SoakOp): string {
  return [op, ...(b !== 0 ? [a, b] : a !== 0 ? [a] : [])].join(' ')
}
