import { Errno } from '@vnet/kernel'
import { skbPut } from '@vnet/netdev'
import { csumFold, csumPartial, putUnalignedBe16 } from '@vnet/wire'
import type { Inet } from '../inet.ts'
import type { InetFamilyNr } from '../types/constants.ts'
import type { InetAddr } from '../types/objects.ts'
import { portTaken } from './ports.ts'
import { InetSock } from './sock.ts'
import { tableAdd, tableDel } from './table.ts'
import type { SendControl } from './transport.ts'

const ICMP_HLEN = 8

/**
 * A ping socket: sends echo requests under its own identifier (the local port) and receives the replies.
 *
 * @kernel struct ping_table net/ipv4/ping.c
 */
export class PingSock extends InetSock {
  constructor(inet: Inet, family: InetFamilyNr) {
    super(inet, family, inet.family(family).transport.icmp.protocol)
  }

  override sendmsg(bytes: Uint8Array, to?: InetAddr | null, control: SendControl = {}): number {
    const dst = this.destination(to)
    if (bytes.length > 0xffff) throw new Errno('EMSGSIZE')
    if (bytes.length < ICMP_HLEN) throw new Errno('EINVAL')
    const { icmp } = this.transport
    if (bytes[0] !== icmp.echo || bytes[1] !== 0) throw new Errno('EINVAL')
    this.takeError()
    this.autobind()
    const route = this.transport.route(this, dst, control)
    const skb = this.transport.alloc(route, bytes.length)
    if (skb === null) throw new Errno('ENOBUFS')
    const at = skbPut(skb, bytes.length)
    const { mem } = skb
    mem.set(bytes, at)
    putUnalignedBe16(0, mem, at + 2)
    putUnalignedBe16(this.localPort, mem, at + 4)
    const pseudo = this.family === 10 ? this.transport.pseudo(route, icmp.protocol, bytes.length) : 0
    putUnalignedBe16(csumFold(csumPartial(mem, at, bytes.length, pseudo)), mem, at + 2)
    this.transport.send(this, skb, route, icmp.protocol, control)
    return bytes.length
  }

  protected override takePort(addr: InetAddr): void {
    if (this.localPort !== 0) throw new Errno('EINVAL')
    const { ping } = this.inet.sockets
    if (addr.port !== 0 && portTaken(ping.get(addr.port), this, addr.address)) throw new Errno('EADDRINUSE')
    this.#hash(addr.port !== 0 ? addr.port : this.#freeIdent())
  }

  protected override autobind(): void {
    if (this.localPort === 0) this.#hash(this.#freeIdent())
  }

  protected override unhash(): void {
    tableDel(this.inet.sockets.ping, this.localPort, this)
  }

  #freeIdent(): number {
    const start = this.inet.kernel.rng.below(0x10000)
    for (let i = 0; i < 0x10000; i++) {
      const ident = (start + i) & 0xffff
      if (ident !== 0 && !this.inet.sockets.ping.has(ident)) return ident
    }
    throw new Errno('EAGAIN')
  }

  #hash(ident: number): void {
    this.localPort = ident
    tableAdd(this.inet.sockets.ping, ident, this)
  }
}
