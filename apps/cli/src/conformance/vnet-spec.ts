import type { DriverSpec } from '@vnet/conformance'
import { createCard, createVnet, destroyVnet } from '@vnet/vnet'

/** vnet as the kit sees it: the driver that is tested when none is named. */
export const vnetSpec: DriverSpec = {
  name: 'vnet',
  create(kernel, cable, { txRing, rxRing, queues }) {
    const card = createCard(kernel, { backend: cable, ...(queues !== undefined && { queues }) })
    const dev = createVnet(kernel, {
      hw: card,
      ...(txRing !== undefined && { txRing }),
      ...(rxRing !== undefined && { rxRing }),
      maxMtu: 9000,
    })
    return {
      dev,
      card: {
        slow: (ns) => card.slow(ns),
        hang: () => card.hang(),
        recover: () => card.recover(),
        doorbells: () => card.counters.doorbells,
        interrupts: () => card.counters.interrupts,
        // The pools come with the first open.
        failAlloc: (fail) => {
          for (const { pool } of dev.priv.queues as readonly { pool?: { fail: typeof fail } }[])
            if (pool !== undefined) pool.fail = fail
        },
      },
      destroy() {
        destroyVnet(dev)
        card.destroy()
      },
    }
  },
  supports: {
    txRing: true, rxRing: true, completion: true, napi: true, bql: true, watchdog: true, carrier: true, padding: true,
    rxFilter: true, ringparam: true, coalesce: true, queues: true, ethtoolStats: true, xmitMore: true, maxMtu: 9000,
  }, // prettier-ignore
}
