import type { Kernel } from '@vnet/kernel'
import { rxStateOf, type PacketType } from '@vnet/netdev'

/** The kernel's names of the receivers of these types. */
const RECEIVERS: Readonly<Record<number, string>> = {
  0x0800: 'ip_rcv',
  0x0806: 'arp_rcv',
  0x86dd: 'ipv6_rcv',
}

/** /proc/net/ptype: who receives what; those of everything first. @kernel ptype_seq_show() net/core/net-procfs.c */
export function procNetPtype(kernel: Kernel): string {
  const rx = rxStateOf(kernel)
  const taps = rx.taps.map((pt) => line(pt, 'ALL ', 'packet_rcv'))
  const types = rx.types.flatMap((list) =>
    list.map((pt) => line(pt, pt.type.toString(16).padStart(4, '0'), RECEIVERS[pt.type] ?? 'packet_rcv')),
  )
  return ['Type Device      Function\n', ...taps, ...types].join('')
}

function line(pt: PacketType, type: string, receiver: string): string {
  return `${type} ${(pt.dev?.name ?? '').padEnd(8)} ${receiver}\n`
}
