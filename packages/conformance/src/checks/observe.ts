import { createKernel, type CensusEntry, type Kernel } from '@vnet/kernel'
import { NAPIF_STATE_NPSVC } from '@vnet/napi'
import {
  LinkState,
  QueueState,
  devAddPack,
  NET_RX_SUCCESS,
  ETH_P_ALL,
  PACKET_OUTGOING,
  consumeSkb,
  netifXmitStopped,
  type NetDevice,
  type NetDeviceOps,
  type SkBuff,
} from '@vnet/netdev'
import type { NapiStruct } from '@vnet/napi'
import type { Testbed } from '../testbed.ts'

/** Puts `wrap(ops)` in front of the driver's operations; each may call the one it hides. @kernel none */
export function wrapOps(
  dev: NetDevice<any>,
  wrap: (ops: NetDeviceOps<any>) => Partial<Record<keyof NetDeviceOps<any>, unknown>>,
): void {
  const { ops } = dev
  Object.assign(dev, { ops: Object.assign(Object.create(ops) as NetDeviceOps<any>, wrap(ops)) })
}

/** Calls `seen` before an operation of the driver, if it has it. @kernel none */
export function beforeOps(
  dev: NetDevice<any>,
  names: readonly (keyof NetDeviceOps<any>)[],
  seen: (name: string) => void,
): void {
  wrapOps(dev, (ops) => {
    const wrapped: Partial<Record<keyof NetDeviceOps<any>, unknown>> = {}
    for (const name of names) {
      if (ops[name] === undefined) continue
      wrapped[name] = (...args: unknown[]): unknown => {
        seen(name)
        return (ops[name] as (...args: unknown[]) => unknown).apply(ops, args)
      }
    }
    return wrapped
  })
}

/** Calls `seen` after each write to a property. @kernel none */
export function watch<T extends object, K extends keyof T>(
  object: T,
  key: K,
  seen: (value: T[K], before: T[K]) => void,
): void {
  let value = object[key]
  Object.defineProperty(object, key, {
    configurable: true,
    enumerable: true,
    get: () => value,
    set: (next: T[K]) => {
      const before = value
      value = next
      seen(next, before)
    },
  })
}

/** Replaces a method of one object by `make(the old one)`; returns what puts it back. @kernel none */
export function replace<T extends object, K extends keyof T>(
  object: T,
  key: K,
  make: (old: T[K]) => T[K],
): () => void {
  const old = object[key]
  Object.defineProperty(object, key, {
    configurable: true,
    writable: true,
    value: make((old as { bind(o: T): T[K] }).bind(object)),
  })
  return () => {
    delete object[key]
  }
}

/** The NAPI instances of a device. @kernel none */
export function napisOf(dev: NetDevice<any>): NapiStruct[] {
  return [...dev.napis] as NapiStruct[]
}

/** Calls `seen` for each packet the stack gets from a driver. @kernel none */
export function onReceive(t: Testbed, seen: (skb: SkBuff) => void): void {
  devAddPack(t.kernel, {
    type: ETH_P_ALL,
    func: (skb) => {
      if (skb.pktType !== PACKET_OUTGOING) seen(skb)
      consumeSkb(skb)
      return NET_RX_SUCCESS
    },
  })
}

/** What a driver does to open or stop, as far as the core can see it. @kernel none */
export type Step =
  'irq on' | 'irq off' | 'napi on' | 'napi off' | 'queues on' | 'queues off' | 'carrier on' | 'carrier off'

/** Calls `seen` at each step of opening and stopping. @kernel none */
export function onStep(t: Testbed, seen: (step: Step) => void): void {
  const { dev, kernel } = t
  const bit = (mask: number, set: Step, cleared: Step) => (now: number, before: number) => {
    if (((now ^ before) & mask) !== 0) seen((now & mask) !== 0 ? set : cleared)
  }
  replace(kernel.irq, 'request', (old) => (irq, action) => {
    old(irq, action)
    seen('irq on')
  })
  replace(kernel.irq, 'free', (old) => (irq, id) => {
    seen('irq off')
    return old(irq, id)
  })
  for (const napi of napisOf(dev)) watch(napi, 'state', bit(NAPIF_STATE_NPSVC, 'napi off', 'napi on'))
  for (const txq of dev.txq) watch(txq, 'state', bit(QueueState.DRV_XOFF, 'queues off', 'queues on'))
  watch(dev, 'state', bit(LinkState.NOCARRIER, 'carrier off', 'carrier on'))
}

/** The rules a fresh kernel reports while `fn` misuses it. @kernel none */
export function reported(fn: (kernel: Kernel) => void): string[] {
  const kernel = createKernel({ strict: false, checks: true, regionBytes: 1 << 19 })
  fn(kernel)
  return kernel.violations.map((v) => v.rule)
}

/** Sends until the queue stops, at most `limit` frames; returns how many. @kernel none */
export function fill(t: Testbed, limit = 4096): number {
  const txq = t.dev.txq[0]!
  let sent = 0
  while (sent < limit && !netifXmitStopped(txq)) t.send(60, sent++)
  return sent
}

/** The watchdog's time, in ns. @kernel none */
export function watchdogNs(t: Testbed): number {
  const { clock } = t.kernel
  return (t.dev.watchdogTimeo > 0 ? t.dev.watchdogTimeo : 5 * clock.hz) * clock.tickNs
}

/** Takes the byte limit out of the way: what stops the queue then is the ring. @kernel none */
export function noLimit(dev: NetDevice<any>): void {
  for (const { dql } of dev.txq) {
    dql.minLimit = 1 << 20
    if (dql.inflight === 0) dql.reset()
  }
}

/** Frames the network holds that were not received, by name: what the driver has not freed. @kernel none */
export function count(entries: readonly CensusEntry[], kind: string): number {
  return entries.filter((e) => e.kind === kind).length
}
