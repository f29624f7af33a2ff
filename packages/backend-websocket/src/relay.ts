import { switchBackend } from '@vnet/backend'
import type { Backend, BackendPort, Switch } from '@vnet/backend'
import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import type { WebSocketPeer } from './peer.ts'
import { WebSocketServer } from './server.ts'
import type { WebSocketServerOptions } from './server.ts'

/**
 * How a relay is made.
 *
 * @kernel none
 */
export interface WebSocketRelayOptions extends Omit<WebSocketServerOptions, 'onConnection'> {
  /** Ports of the switch for cards here; `port(0)` and on. Default 1. */
  readonly localPorts?: number
}

/** Hands what comes out of one cable to another. */
class Handover implements BackendPort {
  readonly #to: Backend

  constructor(to: Backend) {
    this.#to = to
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    return this.#to.transmit(mem, offset, length)
  }

  linkChange(): void {}

  writable(): void {}
}

/**
 * A switch that browsers and other machines are plugged into over WebSocket. Made by `webSocketRelay()`.
 *
 * @kernel none
 */
export class WebSocketRelay {
  readonly server: WebSocketServer
  readonly switch: Switch
  readonly #local: number
  readonly #free: Backend[]

  constructor(kernel: Kernel, options: WebSocketRelayOptions) {
    const { localPorts = 1, maxClients = 64 } = options
    this.#local = localPorts
    this.switch = switchBackend(kernel, { ports: localPorts + maxClients, name: options.name ?? 'relay' })
    this.#free = Array.from({ length: maxClients }, (_, i) => this.switch.port(localPorts + i)).reverse()
    this.server = new WebSocketServer(kernel, {
      ...options,
      maxClients,
      onConnection: (peer) => this.#plug(peer),
    })
  }

  /** A port of the switch for a card here. @throws Errno EINVAL when there is none of this number */
  port(i: number): Backend {
    if (i >= this.#local) throw new Errno('EINVAL', `the relay has ${this.#local} local ports, no ${i}`)
    return this.switch.port(i)
  }

  close(): void {
    this.server.close()
  }

  #plug(peer: WebSocketPeer): void {
    const port = this.#free.pop()!
    port.attach(new Handover(peer))
    peer.attach(new Handover(port))
    peer.onDisconnect = () => {
      peer.attach(null)
      port.attach(null)
      this.#free.push(port)
    }
  }
}

/**
 * Makes a relay: everybody who connects is on one Ethernet, together with the cards plugged in here.
 *
 * @throws Errno EINVAL for options that make no sense
 * @kernel none
 */
export function webSocketRelay(kernel: Kernel, options: WebSocketRelayOptions): WebSocketRelay {
  return new WebSocketRelay(kernel, options)
}
