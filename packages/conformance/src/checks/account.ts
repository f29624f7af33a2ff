import { devGetStats, type NetDevice } from '@vnet/netdev'
import type { Testbed } from '../testbed.ts'

/** Counts from now on the frames the driver took: those `ndoStartXmit` answered with OK. @kernel none */
export function countTaken(t: Testbed): () => bigint {
  let taken = 0n
  t.kernel.trace.on('net:net_dev_xmit', (e) => {
    if (e.fields['rc'] === 0) taken++
  })
  return () => taken
}

/** Frames sent, dropped and failed, as the driver counts them: what the core dropped before it is taken out. @kernel none */
export function txAccount(dev: NetDevice<any>): bigint {
  const s = devGetStats(dev)
  return s.txPackets + s.txErrors + s.txDropped - BigInt(dev.coreStats.txDropped)
}
