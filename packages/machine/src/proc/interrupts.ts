import { softirqName, type Kernel, type SoftirqNr } from '@vnet/kernel'
import { softnet } from '@vnet/napi'
import { rxStateOf } from '@vnet/netdev'

/** What the lines hang on, in the column where Linux names the interrupt chip. */
const CHIP = 'VNET'

/** /proc/interrupts: the lines somebody handles. @kernel show_interrupts() kernel/irq/proc.c */
export function procInterrupts(kernel: Kernel): string {
  let out = '           CPU0       \n'
  for (const { irq, count, names } of kernel.irq.list()) {
    if (names.length === 0) continue
    const number = String(irq).padStart(3)
    out += `${number}: ${String(count).padStart(10)} ${CHIP.padStart(9)} ${number}-fasteoi   ${names.join(', ')}\n`
  }
  return `${out}ERR:          0\n`
}

/** /proc/softirqs. @kernel show_softirqs() fs/proc/softirqs.c */
export function procSoftirqs(kernel: Kernel): string {
  let out = '                    CPU0       \n'
  for (const [nr, count] of kernel.softirq.counts.entries()) {
    out += `${softirqName(nr as SoftirqNr).padStart(12)}: ${String(count).padStart(10)}\n`
  }
  return out
}

/** /proc/net/softnet_stat: one line a CPU, of which there is one. @kernel softnet_seq_show() net/core/net-procfs.c */
export function procSoftnetStat(kernel: Kernel): string {
  const rx = rxStateOf(kernel)
  const columns = [rx.received, rx.backlogDropped, softnet(kernel).timeSqueeze, 0, 0, 0, 0, 0, 0, 0, 0]
  columns.push(rx.backlog.qlen, 0)
  return columns.map((value) => (value >>> 0).toString(16).padStart(8, '0')).join(' ') + '\n'
}
