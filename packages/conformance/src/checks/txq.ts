import type { Check } from '../check.ts'
import { frameNumber } from '../frames.ts'
import { MS, SECOND } from '../testbed.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

/** The transmit contract. @kernel none */
export const txqChecks: readonly Check[] = [
  {
    id: 'TXQ-01',
    title: 'never returns BUSY: it stops the queue before the ring is full',
    needs: ['txRing'],
    run(t) {
      const dev = t.start({ txRing: 16 })
      t.card('slow')(10_000)
      dev.txq[0]!.dql.minLimit = 1 << 20
      let busy = 0
      t.kernel.trace.on('net:net_dev_xmit', (e) => {
        if (e.fields['rc'] === 0x10) busy++
      })
      t.sendMany(500)
      t.run(SECOND)
      t.equal(busy, 0, 'times BUSY was returned')
      t.equal(t.cable.wire.length, 500, 'frames on the wire')
    },
  },
  {
    id: 'TXQ-12',
    title: 'keeps the order within a queue',
    run(t) {
      t.start()
      t.sendMany(200)
      t.run(100 * MS)
      t.equal(t.cable.wire.map(frameNumber), numbers(200), 'order on the wire')
    },
  },
]
