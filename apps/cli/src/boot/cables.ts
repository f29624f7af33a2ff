import type { Backend } from '@vnet/backend'
import { packetBackend } from '@vnet/backend-packet'
import { streamClient, streamServer, type StreamAddress } from '@vnet/backend-stream'
import { tapBackend } from '@vnet/backend-tap'
import { webSocketClient } from '@vnet/backend-websocket'
import { Errno, type Kernel } from '@vnet/kernel'
import { udpCable, vxlanCable } from '../wire/udp-cables.ts'

type Maker = (kernel: Kernel, rest: string) => Backend

/** The cables of this host, as `insmod vnet backend=tap:tap0` names them. */
const CABLES: Readonly<Record<string, Maker>> = {
  tap: (kernel, name) => tapBackend(kernel, { name }),
  packet: (kernel, name) => packetBackend(kernel, { name }),
  listen: (kernel, at) => streamServer(kernel, streamAddress(at)),
  connect: (kernel, to) => streamClient(kernel, streamAddress(to)),
  ws: (kernel, rest) => webSocketClient(kernel, `ws:${rest}`),
  wss: (kernel, rest) => webSocketClient(kernel, `wss:${rest}`),
  udp: udpCable,
  vxlan: vxlanCable,
}

/** What stands before the colon of a cable of this host. */
export function cableKinds(): readonly string[] {
  return Object.keys(CABLES)
}

/** Plugs the card into a cable of the host. @throws Errno that says what the host wants */
export function hostCable(spec: string, kernel: Kernel): Backend {
  const [kind, rest] = [spec.replace(/:.*/s, ''), spec.slice(spec.indexOf(':') + 1)]
  const make = Object.hasOwn(CABLES, kind) && spec.includes(':') ? CABLES[kind] : undefined
  if (make === undefined) {
    const known = Object.keys(CABLES).map((name) => `${name}:…`)
    throw new Errno(
      'EINVAL',
      `there is no cable "${spec}" here, but null, loopback, generator, switch:…, patch:…, ${known.join(', ')}`,
    )
  }
  return make(kernel, rest)
}

/** A path, a port, or a host and a port. */
function streamAddress(text: string): StreamAddress {
  const [, host, port] = /^(?:([^/]*):)?(\d+)$/.exec(text) ?? []
  if (port === undefined) return { path: text }
  return host === undefined || host === '' ? { port: Number(port) } : { port: Number(port), host }
}
