import { Errno } from '@vnet/kernel'
import { kfreeSkb, skbPut, SkbDropReason } from '@vnet/netdev'
import { csumFold, csumPartial, putUnalignedBe16 } from '@vnet/wire'
import type { Inet } from '../inet.ts'
import { type InetFamilyNr, IpProto } from '../types/constants.ts'
import type { InetAddr } from '../types/objects.ts'
import type { UdpMib } from './mib.ts'
import { ephemeralPort, portTaken } from './ports.ts'
import { InetSock } from './sock.ts'
import { tableAdd, tableDel } from './table.ts'
import { NO_CONTROL, type SendControl } from './transport.ts'

/** Bytes of a UDP header. @kernel struct udphdr include/uapi/linux/udp.h */
export const UDP_HLEN = 8

/**
 * A UDP socket.
 *
 * @kernel struct udp_sock include/linux/udp.h
 */
export class UdpSock extends InetSock {
  readonly #mib: UdpMib

  constructor(inet: Inet, family: InetFamilyNr, mib: UdpMib) {
    super(inet, family, IpProto.UDP)
    this.#mib = mib
  }

  override sendmsg(bytes: Uint8Array, to?: InetAddr | null, control: SendControl = NO_CONTROL): number {
    const dst = this.destination(to)
    if (dst.port === 0) throw new Errno('EINVAL')
    if (bytes.length > 0xffff) throw new Errno('EMSGSIZE')
    this.takeError()
    this.autobind()
    const route = this.dst.route(this, dst, control)
    const len = UDP_HLEN + bytes.length
    const skb = this.transport.alloc(route, len)
    if (skb === null) {
      this.#mib.sndbufErrors++
      throw new Errno('ENOBUFS')
    }
    const at = skbPut(skb, len)
    const { mem } = skb
    putUnalignedBe16(this.localPort, mem, at)
    putUnalignedBe16(dst.port, mem, at + 2)
    putUnalignedBe16(len & 0xffff, mem, at + 4)
    putUnalignedBe16(0, mem, at + 6)
    mem.set(bytes, at + UDP_HLEN)
    const sum = csumFold(csumPartial(mem, at, len, this.transport.pseudo(route, IpProto.UDP, len)))
    putUnalignedBe16(sum === 0 ? 0xffff : sum, mem, at + 6)
    if (len > 0xffff) {
      kfreeSkb(skb, SkbDropReason.PKT_TOO_BIG)
      throw new Errno('EMSGSIZE')
    }
    this.transport.send(this, skb, route, IpProto.UDP, control)
    this.#mib.outDatagrams++
    return bytes.length
  }

  protected override takePort(addr: InetAddr): void {
    if (this.localPort !== 0) throw new Errno('EINVAL')
    const { udp } = this.inet.sockets
    if (addr.port !== 0 && portTaken(udp.get(addr.port), this, addr.address)) throw new Errno('EADDRINUSE')
    this.#hash(addr.port !== 0 ? addr.port : ephemeralPort(this.inet, udp, this, addr.address))
  }

  protected override autobind(): void {
    if (this.localPort === 0) {
      this.#hash(ephemeralPort(this.inet, this.inet.sockets.udp, this, this.local))
    }
  }

  protected override unhash(): void {
    tableDel(this.inet.sockets.udp, this.localPort, this)
  }

  #hash(port: number): void {
    this.localPort = port
    tableAdd(this.inet.sockets.udp, port, this)
  }
}
