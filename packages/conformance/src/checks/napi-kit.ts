import {
  napiCompleteDone,
  napiDisable,
  napiEnable,
  napiIsScheduled,
  napiList,
  napiSchedule,
  netifNapiAdd,
  netifNapiDel,
  type NapiStruct,
} from '@vnet/napi'
import { NET_RX_SUCCESS, backlogStats, consumeSkb, devAddPack } from '@vnet/netdev'
import { ETH_P_TEST, testFrame } from '../frames.ts'
import { MS, type Testbed } from '../testbed.ts'

/** The instance that polls a device with one queue. */
export function napiOf(t: Testbed): NapiStruct {
  const all = napiList(t.dev).filter((n) => n.enabled)
  if (all.length !== 1) t.skip(`the device has ${all.length} NAPI instances that are enabled, not 1`)
  return all[0]!
}

/** Notes the work and budget of each poll of the device from now on. */
export function pollsOf(t: Testbed): { work: number; budget: number }[] {
  const polls: { work: number; budget: number }[] = []
  t.kernel.trace.on('napi:napi_poll', (e) => {
    if (e.subject === t.dev.name)
      polls.push({ work: Number(e.fields['work']), budget: Number(e.fields['budget']) })
  })
  return polls
}

/** Calls `fn` for each test frame that goes up, inside the poll. */
export function eachFrame(t: Testbed, fn: (n: number) => void): void {
  let n = 0
  devAddPack(t.kernel, {
    type: ETH_P_TEST,
    dev: t.dev,
    func(skb) {
      consumeSkb(skb)
      fn(n++)
      return NET_RX_SUCCESS
    },
  })
}

/** Fails unless nothing is left to poll and a new frame is received: no instance is stuck. */
export function expectAlive(t: Testbed, n: NapiStruct): void {
  t.run(10 * MS)
  t.expect(!napiIsScheduled(n), 'the instance is still owned, though nothing is left to poll')
  const before = t.received.length
  t.inject(1)
  t.run(10 * MS)
  t.equal(t.received.length - before, 1, 'frames received afterwards')
}

/** True for a driver that queues what it receives a second time: what these checks see is then no poll. RX-04 tells. */
export function queuedAgain(t: Testbed): boolean {
  return backlogStats(t.kernel).processed > 0
}

/** A card that counts, so that the check sees whether the interrupt is masked. */
export function interruptsOf(t: Testbed): () => number {
  return t.card('interrupts')
}

/** Another source of work on the same CPU: it always has more to do, for a while. */
export class Neighbour {
  busy = true
  polls = 0
  readonly napi: NapiStruct

  constructor(t: Testbed) {
    this.napi = netifNapiAdd({ kernel: t.kernel, name: 'other', ifindex: 99 }, (n, budget) => {
      if (++this.polls > 20) this.busy = false
      if (this.busy) return budget
      napiCompleteDone(n, 0)
      return 0
    })
    napiEnable(this.napi)
  }

  leave(): void {
    napiDisable(this.napi)
    netifNapiDel(this.napi)
  }
}

/** Makes the neighbours and the device busy at one moment; returns how many frames the card took. */
export function flood(t: Testbed, others: readonly Neighbour[], frames: number): number {
  let taken = 0
  t.kernel.hardware(() => {
    for (const other of others) napiSchedule(other.napi)
    for (let k = 0; k < frames; k++) if (t.cable.injectNow(testFrame(60, k))) taken++
  })
  return taken
}
