import { Errno } from '@vnet/kernel'
import { skbPut } from '@vnet/netdev'
import { csumFold, csumPartial, putUnalignedBe16 } from '@vnet/wire'
import type { Inet } from '../inet.ts'
import { type InetFamilyNr, IpProto } from '../types/constants.ts'
import type { InetAddr } from '../types/objects.ts'
import { InetSock } from './sock.ts'
import type { SendControl } from './transport.ts'

/**
 * A raw socket: sends what follows the network header, and sees whole IPv4 packets, or what follows the IPv6 headers.
 *
 * @kernel struct raw_sock include/net/raw.h
 */
export class RawSock extends InetSock {
  constructor(inet: Inet, family: InetFamilyNr, protocol: number) {
    super(inet, family, protocol)
    this.localPort = protocol
    this.options.hdrincl = family === 2 && protocol === IpProto.RAW
    if (family === 10 && protocol === IpProto.ICMPV6) this.options.checksumOffset = 2
    inet.sockets.raw.push(this)
  }

  override sendmsg(bytes: Uint8Array, to?: InetAddr | null, control: SendControl = {}): number {
    const dst = this.destination(to)
    if (bytes.length > 0xffff) throw new Errno('EMSGSIZE')
    this.takeError()
    const route = this.transport.route(this, dst, control)
    const skb = this.transport.alloc(route, bytes.length)
    if (skb === null) throw new Errno('ENOBUFS')
    const at = skbPut(skb, bytes.length)
    skb.mem.set(bytes, at)
    if (this.options.hdrincl) {
      this.transport.sendWithHeader(this, skb, route)
      return bytes.length
    }
    const { checksumOffset } = this.options
    if (checksumOffset >= 0 && checksumOffset + 2 <= bytes.length) {
      putUnalignedBe16(0, skb.mem, at + checksumOffset)
      const pseudo = this.transport.pseudo(route, this.protocol, bytes.length)
      putUnalignedBe16(
        csumFold(csumPartial(skb.mem, at, bytes.length, pseudo)) || 0xffff,
        skb.mem,
        at + checksumOffset,
      )
    }
    this.transport.send(this, skb, route, this.protocol, control)
    return bytes.length
  }

  protected override takePort(): void {}

  protected override autobind(): void {}

  protected override unhash(): void {
    const { raw } = this.inet.sockets
    const at = raw.indexOf(this)
    if (at >= 0) raw.splice(at, 1)
  }
}
