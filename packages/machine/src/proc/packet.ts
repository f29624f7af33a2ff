import type { Kernel } from '@vnet/kernel'
import { devGetByIndex, Iff } from '@vnet/netdev'
import { SockAf, sockFamily } from '@vnet/netlink'
import { PacketFamily } from '../packet/index.ts'

const HEADER = 'sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n'
/** An address of the kernel is not for everybody to see. @kernel %pK lib/vsprintf.c */
const HIDDEN = '0'.repeat(16)
/** A packet socket is held by its program, by the list it is in, and by who hands it packets. */
const REFERENCES = 3

/** /proc/net/packet: the packet sockets. @kernel packet_seq_show() net/packet/af_packet.c */
export function procNetPacket(kernel: Kernel): string {
  const family = sockFamily(kernel, SockAf.PACKET)
  if (!(family instanceof PacketFamily)) return HEADER
  let out = HEADER
  for (const sock of family.sockets) {
    const name = sock.getsockname()
    const view = new DataView(name.buffer, name.byteOffset)
    const protocol = view.getUint16(2, false)
    const ifindex = view.getInt32(4, true)
    const running = protocol !== 0 && isListening(kernel, ifindex)
    const columns = [
      HIDDEN,
      String(REFERENCES).padEnd(6),
      String(sock.type).padEnd(4),
      `${protocol.toString(16).padStart(4, '0')}  `,
      String(ifindex).padEnd(5),
      running ? '1' : '0',
      '0'.padEnd(6),
      '0'.padEnd(6),
      '0'.padEnd(6),
    ]
    out += `${columns.join(' ')}\n`
  }
  return out
}

/** On all devices, or on one that is up. */
function isListening(kernel: Kernel, ifindex: number): boolean {
  const dev = devGetByIndex(kernel, ifindex)
  return ifindex === 0 || (dev !== undefined && (dev.flags & Iff.UP) !== 0)
}
