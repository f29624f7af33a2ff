import type { Kernel, TraceEvent } from '@vnet/kernel'

/** Says whether a name is that of a device of ours. */
type Ours = (name: string) => boolean

/** A debug line: the driver's function it speaks for, the tracepoint that tells of it, and what is printed. */
interface DebugLine {
  readonly func: string
  readonly line: number
  readonly point: string
  readonly format: string
  args(event: TraceEvent): (string | number)[]
}

const LINES: readonly DebugLine[] = [
  {
    func: 'vnetStartXmit',
    line: 1,
    point: 'net:net_dev_start_xmit',
    format: 'vnet: TX %s queue=%u len=%u\n',
    args: ({ subject, fields }) => [subject, fields['queue']!, fields['len']!],
  },
  {
    func: 'cleanRx',
    line: 2,
    point: 'net:netif_receive_skb',
    format: 'vnet: RX %s proto=0x%04x len=%u\n',
    args: ({ subject, fields }) => [subject, fields['protocol']!, fields['len']!],
  },
]

/**
 * The driver's debug lines: `echo 'module vnet +p' > /sys/kernel/debug/dynamic_debug/control`.
 *
 * They listen to tracepoints while they are on, and cost a frame nothing while they are off.
 *
 * @kernel dev_dbg() include/linux/dev_printk.h
 * @rule LOG-02
 */
export function vnetDebug(kernel: Kernel, module: string, ours: Ours): void {
  for (const { func, line, point, format, args } of LINES) {
    const site = kernel.dyndbg.site({ module, file: 'driver.ts', line, func, format })
    let stop: (() => void) | null = null
    const listen = (): (() => void) =>
      kernel.trace.on(point, (event) => {
        if (ours(event.subject)) site.print(...args(event))
      })
    site.onSwitch = (on) => {
      stop?.()
      stop = on ? listen() : null
    }
    // `insmod vnet dyndbg=+p` has switched it on already.
    if (site.enabled) stop = listen()
  }
}
