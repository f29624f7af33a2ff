import * as napi from '@vnet/napi'
import { CAUSE } from '../ref/ref-card.ts'
import { RefDriver } from '../ref/ref-driver.ts'
import { mutant, type Mutant } from './mutant.ts'

/** Drivers that use NAPI wrongly. @kernel none */
export const napiMutants: readonly Mutant[] = [
  mutant(
    'NAPI-01',
    'schedules its instance before it enables it',
    class extends RefDriver {
      override napiOn(): void {
        napi.__napiSchedule(this.napi)
        super.napiOn()
      }
    },
  ),
  mutant(
    'NAPI-02',
    'handles one frame more than its budget',
    class extends RefDriver {
      override poll(budget: number): number {
        this.cleanTx(budget)
        const work = this.cleanRx(budget < 64 ? budget : budget + 1)
        if (work < budget) this.complete(work)
        return work
      }
    },
  ),
  mutant(
    'NAPI-03',
    'stops taking back sent frames after a quarter of the budget',
    class extends RefDriver {
      left = Infinity

      override poll(budget: number): number {
        this.left = budget === 0 ? Infinity : budget >> 2
        this.cleanTx(budget)
        const work = this.left === 0 ? budget : this.cleanRx(budget)
        this.left = Infinity
        if (work < budget) this.complete(work)
        return work
      }

      override isSent(i: number): boolean {
        return this.left > 0 && super.isSent(i) && this.left-- > 0
      }
    },
  ),
  mutant(
    'NAPI-04',
    'completes in a poll with budget 0',
    class extends RefDriver {
      override poll(budget: number): number {
        if (budget === 0) napi.napiCompleteDone(this.napi, 0)
        return super.poll(budget)
      }
    },
  ),
  mutant(
    'NAPI-05',
    'completes with one frame less than its budget while more are left, and schedules itself again',
    class extends RefDriver {
      override poll(budget: number): number {
        const ready = (this.card.rxHead - this.rxNext + this.rxSize) % this.rxSize
        if (budget === 0 || ready <= budget) return super.poll(budget)
        this.cleanTx(budget)
        const work = this.cleanRx(budget - 1)
        napi.napiCompleteDone(this.napi, work)
        napi.napiSchedule(this.napi)
        return work
      }
    },
  ),
  mutant(
    'NAPI-06',
    'takes one less than its budget for the whole, and does not complete',
    class extends RefDriver {
      override poll(budget: number): number {
        if (budget < 2) return super.poll(budget)
        this.cleanTx(budget)
        const work = this.cleanRx(budget)
        if (work < budget - 1) this.complete(work)
        return work
      }
    },
  ),
  mutant(
    'NAPI-07',
    'completes after exactly its budget and reports no work',
    class extends RefDriver {
      override poll(budget: number): number {
        const work = super.poll(budget)
        const more = (this.card.rx[this.rxNext]?.length ?? -1) >= 0
        if (work < budget || budget < 64 || more) return work
        this.complete(work)
        return 0
      }
    },
  ),
  mutant(
    'NAPI-08',
    'completes after exactly its budget and returns all of it',
    class extends RefDriver {
      override poll(budget: number): number {
        const work = super.poll(budget)
        const more = (this.card.rx[this.rxNext]?.length ?? -1) >= 0
        if (work === budget && budget > 0 && !more) this.complete(work)
        return work
      }
    },
  ),
  mutant(
    'NAPI-09',
    'looks for frames once more when it has completed, though another may poll by then',
    class extends RefDriver {
      override complete(work: number): void {
        if (!napi.napiCompleteDone(this.napi, work)) return
        this.cleanRx(8)
        this.card.setMask(false)
      }
    },
  ),
  mutant(
    'NAPI-11',
    'unmasks its interrupt whatever napiCompleteDone says',
    class extends RefDriver {
      override complete(work: number): void {
        napi.napiCompleteDone(this.napi, work)
        this.card.setMask(false)
      }
    },
  ),
  mutant(
    'NAPI-12',
    'schedules the poll first and masks its interrupt after',
    class extends RefDriver {
      override schedule(): void {
        if (!napi.napiSchedulePrep(this.napi)) return
        napi.__napiSchedule(this.napi)
        this.card.setMask(true)
      }
    },
  ),
  mutant(
    'NAPI-13',
    'forgets what came between the last look and the unmask',
    class extends RefDriver {
      override complete(work: number): void {
        if (!napi.napiCompleteDone(this.napi, work)) return
        if (this.kernel.preemptHook !== null) this.kernel.preemptHook('napi:before-unmask')
        if ((this.card.readCause() & CAUSE.LINK) !== 0) this.linkChanged()
        this.card.setMask(false)
      }
    },
  ),
  mutant(
    'NAPI-14',
    'takes a poll without an interrupt for an error',
    class extends RefDriver {
      expected = false

      override schedule(): void {
        this.expected = true
        super.schedule()
      }

      override poll(budget: number): number {
        if (!this.expected && budget > 0) this.counters.rxDropped++
        const work = super.poll(budget)
        if (work < budget) this.expected = false
        return work
      }
    },
  ),
  mutant(
    'NAPI-15',
    'enables its instance twice',
    class extends RefDriver {
      override napiOn(): void {
        super.napiOn()
        super.napiOn()
      }
    },
  ),
  mutant(
    'NAPI-16',
    'asks for a weight of 128',
    class extends RefDriver {
      override addNapi(): napi.NapiStruct {
        return napi.netifNapiAdd(this.dev, (_n, budget) => this.poll(budget), { index: 0, weight: 128 })
      }
    },
  ),
  mutant(
    'NAPI-19',
    'deletes its instance without disabling it',
    class extends RefDriver {
      override napiOff(): void {
        napi.netifNapiDel(this.napi)
        this.napi = this.addNapi()
        this.napi.flushHook = this.gro
      }
    },
  ),
  mutant(
    'NAPI-20',
    'deletes its instance at each stop and adds one without a stable index',
    class extends RefDriver {
      override addNapi(): napi.NapiStruct {
        return napi.netifNapiAdd(this.dev, (_n, budget) => this.poll(budget))
      }

      override napiOff(): void {
        super.napiOff()
        napi.netifNapiDel(this.napi)
        this.napi = this.addNapi()
        this.napi.flushHook = this.gro
      }
    },
  ),
  mutant(
    'NAPI-21',
    'adds its instance twice, as snull did',
    class extends RefDriver {
      override addNapi(): napi.NapiStruct {
        super.addNapi()
        return super.addNapi()
      }
    },
  ),
]
