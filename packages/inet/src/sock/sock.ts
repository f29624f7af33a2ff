import { Errno, errnoName, type ErrnoName } from '@vnet/kernel'
import type { SkBuff } from '@vnet/netdev'
import type { Inet } from '../inet.ts'
import { type InetFamilyNr, SoEeOrigin } from '../types/constants.ts'
import type { InetAddr } from '../types/objects.ts'
import { ipMcDropSocket, type Membership } from './membership.ts'
import { SockOptions } from './options.ts'
import { BoundedQueue, type Datagram, type SockError } from './queue.ts'
import { SockDst } from './sock-dst.ts'
import { linkScope, needsScopeId } from './scope.ts'
import type { InetTransport, RxInfo, SendControl } from './transport.ts'

/**
 * A datagram socket of the stack. Errors of control calls are thrown as `Errno`.
 *
 * @kernel struct inet_sock include/net/inet_sock.h
 */
export abstract class InetSock {
  readonly inet: Inet
  readonly family: InetFamilyNr
  readonly protocol: number
  readonly transport: InetTransport
  readonly options = new SockOptions()
  protected readonly dst = new SockDst()
  readonly received = new BoundedQueue<Datagram>()
  readonly errors = new BoundedQueue<SockError>()
  /** Called when there is something to read, an error among it. Softirq context. */
  onReadable: (() => void) | null = null
  /** Where it is bound; the any-address when not. */
  local: Uint8Array
  localPort = 0
  /** The address was asked for by bind, not chosen by connect. */
  boundAddress = false
  remote: InetAddr | null = null
  closed = false
  drops = 0
  /** The identification of the next IPv4 packet, once connected. */
  ident = 0
  /** IPv4 groups it joined: see `ipMcJoinGroup`. */
  readonly memberships: Membership[] = []
  /** Positive errno of something that went wrong on the way, given once. */
  soError = 0

  constructor(inet: Inet, family: InetFamilyNr, protocol: number) {
    this.inet = inet
    this.family = family
    this.protocol = protocol
    this.transport = inet.family(family).transport
    this.local = this.transport.anyAddress
  }

  /** Takes a local address. @throws Errno EADDRNOTAVAIL, EADDRINUSE, EINVAL @kernel inet_bind() net/ipv4/af_inet.c */
  bind(addr: InetAddr): void {
    this.checkOpen()
    this.checkLength(addr)
    const device = this.options.boundDevIf
    // Bound to an address of one link, it is bound to the device.
    if (needsScopeId(addr.address) && (addr.scopeId ?? 0) !== 0) this.options.boundDevIf = addr.scopeId!
    try {
      this.transport.checkBind(this, addr)
      this.takePort(addr)
    } catch (error) {
      this.options.boundDevIf = device
      throw error
    }
    this.local = addr.address.slice()
    this.boundAddress = !isAny(addr.address)
  }

  /** Fixes the other end; without a local address the route's source is taken. @throws Errno ENETUNREACH, EACCES @kernel ip4_datagram_connect() net/ipv4/datagram.c */
  connect(addr: InetAddr): void {
    this.checkOpen()
    this.checkLength(addr)
    const to = isAny(addr.address) ? { ...addr, address: this.loopback() } : addr
    this.remote = null
    const route = this.transport.route(this, to, {})
    if (isAny(this.local)) this.local = route.src.slice()
    this.autobind()
    this.ident = this.inet.kernel.rng.below(0x10000)
    if (needsScopeId(to.address)) this.options.boundDevIf = this.#deviceFor(to)
    const scopeId = linkScope(to.address, this.options.boundDevIf)
    this.remote = { address: to.address.slice(), port: to.port, scopeId }
  }

  /** Connected to an address of one link, it is bound to the device. @kernel __ip6_datagram_connect() net/ipv6/datagram.c */
  #deviceFor(to: InetAddr): number {
    const { scopeId = 0 } = to
    const { boundDevIf, multicastIf } = this.options
    if (scopeId !== 0 || boundDevIf !== 0) return scopeId === 0 ? boundDevIf : scopeId
    return to.address[0] === 0xff ? multicastIf : 0
  }

  /** Forgets the other end. @kernel __udp_disconnect() net/ipv4/udp.c */
  disconnect(): void {
    this.remote = null
    this.options.boundDevIf = 0
    this.soError = 0
    if (!this.boundAddress) this.local = this.transport.anyAddress
  }

  /** The local address and port. */
  getsockname(): InetAddr {
    const scopeId = linkScope(this.local, this.options.boundDevIf)
    return { address: this.local, port: this.localPort, scopeId }
  }

  /** The other end. @throws Errno ENOTCONN */
  getpeername(): InetAddr {
    if (this.remote === null) throw new Errno('ENOTCONN')
    return this.remote
  }

  /**
   * Sends a datagram, to the other end when `to` is absent.
   *
   * @returns the bytes taken
   * @throws Errno EDESTADDRREQ, EMSGSIZE, ENETUNREACH, EINVAL …
   */
  abstract sendmsg(bytes: Uint8Array, to?: InetAddr | null, control?: SendControl): number

  /** The next datagram, or null. @throws Errno a pending error, once @kernel udp_recvmsg() net/ipv4/udp.c */
  recvmsg(peek = false): Datagram | null {
    this.takeError()
    return peek ? this.received.peek() : this.received.shift()
  }

  /** The next entry of the error queue, or null. MSG_ERRQUEUE. @kernel ip_recv_error() net/ipv4/ip_sockglue.c */
  recverr(): SockError | null {
    const entry = this.errors.shift()
    if (entry === null) return null
    const next = this.errors.peek()
    // Local errors were given to the sender already: only reports from outside stay pending.
    if (next !== null && next.origin !== SoEeOrigin.LOCAL) this.soError = next.errno
    else if (entry.origin !== SoEeOrigin.LOCAL) this.soError = 0
    return entry
  }

  /** True when a read would not wait. */
  get readable(): boolean {
    return this.received.length > 0 || this.errors.length > 0 || this.soError !== 0
  }

  /** Gives up everything. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.unhash()
    ipMcDropSocket(this)
    this.received.clear()
    this.errors.clear()
    this.onReadable = null
  }

  /** SO_ERROR: the pending error, which is forgotten. @kernel sock_error() include/net/sock.h */
  takeSoError(): number {
    const error = this.soError
    this.soError = 0
    return error
  }

  /** Queues the bytes of a packet from `data` on, and frees nothing. @returns false when there is no room */
  queue(skb: SkBuff, info: RxInfo, port: number): boolean {
    const datagram: Datagram = {
      bytes: skb.mem.slice(skb.data, skb.data + skb.len),
      from: { address: info.src.slice(), port, scopeId: linkScope(info.src, info.dev.ifindex) },
      to: info.dst.slice(),
      ifindex: info.dev.ifindex,
      ttl: info.ttl,
      tos: info.tos,
      tstamp: this.inet.kernel.clock.ktimeGet(),
    }
    if (!this.received.push(datagram, this.options.rcvbuf)) {
      this.drops++
      return false
    }
    this.onReadable?.()
    return true
  }

  /**
   * Something went wrong with a datagram of this socket.
   *
   * @param fatal - it is given also to sockets that do not ask for errors, when they are connected
   * @kernel ip_icmp_error() net/ipv4/ip_sockglue.c
   */
  report(error: SockError, fatal: boolean): void {
    if (this.options.recverr) this.errors.push(error, this.options.rcvbuf)
    else if (!fatal || this.remote === null) return
    this.soError = error.errno
    this.onReadable?.()
  }

  /** A datagram could not be sent, and the caller is told: only the error queue gets more. @kernel ip_local_error() net/ipv4/ip_sockglue.c */
  reportLocal(error: SockError): void {
    if (!this.options.recverr) return
    this.errors.push(error, this.options.rcvbuf)
    this.onReadable?.()
  }

  /** True when a packet that came through a device may be for this socket. */
  takesDevice(ifindex: number): boolean {
    const { boundDevIf } = this.options
    return boundDevIf === 0 || boundDevIf === ifindex
  }

  /** Where a datagram goes. @throws Errno EDESTADDRREQ, EINVAL */
  protected destination(to: InetAddr | null | undefined): InetAddr {
    this.checkOpen()
    if (to == null) {
      if (this.remote === null) throw new Errno('EDESTADDRREQ')
      return this.remote
    }
    this.checkLength(to)
    return isAny(to.address) ? { ...to, address: this.loopback() } : to
  }

  /** Throws what is pending, before anything else is done. */
  protected takeError(): void {
    const error = this.takeSoError()
    if (error !== 0) throw new Errno(errnoOf(error))
  }

  protected checkOpen(): void {
    if (this.closed) throw new Errno('EBADF')
  }

  /** Takes the port of a bind, or says why not. */
  protected abstract takePort(addr: InetAddr): void

  /** Takes some port if there is none yet. */
  protected abstract autobind(): void

  protected abstract unhash(): void

  protected checkLength(addr: InetAddr): void {
    if (addr.address.length !== this.transport.anyAddress.length) throw new Errno('EAFNOSUPPORT')
  }

  protected loopback(): Uint8Array {
    if (this.family === 2) return Uint8Array.of(127, 0, 0, 1)
    const address = new Uint8Array(16)
    address[15] = 1
    return address
  }
}

/** True for an address of zeros. @kernel none */
export function isAny(address: Uint8Array): boolean {
  for (let i = 0; i < address.length; i++) if (address[i] !== 0) return false
  return true
}

/** True when two addresses are the same. @kernel none */
export function sameAddress(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** The name of a positive errno. @kernel none */
export function errnoOf(error: number): ErrnoName {
  return errnoName(error) ?? 'EIO'
}
