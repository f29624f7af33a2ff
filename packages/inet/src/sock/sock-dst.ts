import type { InetAddr } from '../types/objects.ts'
import type { InetSock } from './sock.ts'
import type { SendControl, SockRoute } from './transport.ts'

/** The way a connected socket's datagrams go, until anything changes. @kernel sk_dst_check() net/core/sock.c */
export class SockDst {
  #route: SockRoute | null = null
  #remote: InetAddr | null = null
  #genid = 0
  #boundDevIf = 0
  #multicastIf = 0
  #tos = 0
  #broadcast = false

  /** The way to `to`. @throws Errno ENETUNREACH, EACCES … */
  route(sock: InetSock, to: InetAddr, control: SendControl): SockRoute {
    if (to !== sock.remote || !isPlain(control)) return sock.transport.route(sock, to, control)
    if (this.#route !== null && this.#fits(sock)) return this.#route
    const route = sock.transport.route(sock, to, control)
    this.#route = route
    const { boundDevIf, multicastIf, tos, broadcast } = sock.options
    this.#remote = to
    this.#genid = sock.inet.rtGenid.value
    this.#boundDevIf = boundDevIf
    this.#multicastIf = multicastIf
    this.#tos = tos
    this.#broadcast = broadcast
    return route
  }

  #fits({ inet, remote, options }: InetSock): boolean {
    return (
      this.#remote === remote &&
      this.#genid === inet.rtGenid.value &&
      this.#boundDevIf === options.boundDevIf &&
      this.#multicastIf === options.multicastIf &&
      this.#tos === options.tos &&
      this.#broadcast === options.broadcast
    )
  }
}

/** Says nothing about the way. */
function isPlain({ tos, src, ifindex }: SendControl): boolean {
  return tos === undefined && src === undefined && ifindex === undefined
}
