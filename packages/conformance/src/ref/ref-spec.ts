import type { DriverSpec, DriverUnderTest } from '../spec.ts'
import { RefDriver } from './ref-driver.ts'
import { refRings } from './ref-ring.ts'

/** A spec for the reference driver, or for a mutant of it. @kernel none */
export function refSpec(name = 'reference', Driver: typeof RefDriver = RefDriver): DriverSpec {
  return {
    name,
    create(kernel, cable, options): DriverUnderTest {
      const driver = new Driver(kernel, cable, options)
      const { card } = driver
      return {
        dev: driver.dev,
        card: {
          slow: (ns) => {
            card.frameNs = ns
          },
          hang: () => {
            card.hung = true
          },
          recover: () => card.recover(),
          doorbells: () => card.doorbells,
          interrupts: () => card.interrupts,
          failAlloc: (fail) => {
            driver.failAlloc = fail
          },
        },
        destroy: () => driver.destroy(),
      }
    },
    supports: {
      txRing: true, rxRing: true, completion: true, napi: true, bql: true, watchdog: true, carrier: true, padding: true,
      rxFilter: true, ringparam: true, coalesce: true, ethtoolStats: true, xmitMore: true, maxMtu: 9000,
    }, // prettier-ignore
    rings: refRings,
  }
}
