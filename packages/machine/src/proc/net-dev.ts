import type { Kernel } from '@vnet/kernel'
import { devGetStats, forEachNetdev, type NetDevice } from '@vnet/netdev'

const HEADER =
  'Inter-|   Receive                                                |  Transmit\n' +
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n'

/** /proc/net/dev. @kernel dev_seq_show() net/core/net-procfs.c */
export function procNetDev(kernel: Kernel): string {
  return HEADER + forEachNetdev(kernel).map(devLine).join('')
}

/** Some columns add up what `ip -s -s link` shows one by one. @kernel dev_seq_printf_stats() net/core/net-procfs.c */
function devLine(dev: NetDevice<any>): string {
  const s = devGetStats(dev)
  const pad = (value: bigint, width: number): string => String(value).padStart(width)
  const frame = s.rxLengthErrors + s.rxOverErrors + s.rxCrcErrors + s.rxFrameErrors
  const carrier = s.txCarrierErrors + s.txAbortedErrors + s.txWindowErrors + s.txHeartbeatErrors
  const receive = [
    pad(s.rxBytes, 7),
    pad(s.rxPackets, 7),
    pad(s.rxErrors, 4),
    pad(s.rxDropped + s.rxMissedErrors, 4),
    pad(s.rxFifoErrors, 4),
    pad(frame, 5),
    pad(s.rxCompressed, 10),
    pad(s.multicast, 9),
  ]
  const transmit = [
    pad(s.txBytes, 8),
    pad(s.txPackets, 7),
    pad(s.txErrors, 4),
    pad(s.txDropped, 4),
    pad(s.txFifoErrors, 4),
    pad(s.collisions, 5),
    pad(carrier, 7),
    pad(s.txCompressed, 10),
  ]
  return `${dev.name.padStart(6)}: ${receive.join(' ')} ${transmit.join(' ')}\n`
}

/** /proc/net/dev_mcast: who listens to which group. @kernel dev_mc_seq_show() net/core/net-procfs.c */
export function procNetDevMcast(kernel: Kernel): string {
  let out = ''
  for (const dev of forEachNetdev(kernel)) {
    for (const entry of dev.mc.values()) {
      const address = Array.from(entry.addr, (byte) => byte.toString(16).padStart(2, '0')).join('')
      // The count of those that joined by hand is always 0 here: nobody does it globally.
      out += `${String(dev.ifindex).padEnd(4)} ${dev.name.padEnd(15)} ${String(entry.refcount).padEnd(5)} ${'0'.padEnd(5)} ${address}\n`
    }
  }
  return out
}
