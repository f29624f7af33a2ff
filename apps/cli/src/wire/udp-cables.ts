import type { Backend } from '@vnet/backend'
import { udpBackend, vxlanBackend, type UdpAddress } from '@vnet/backend-udp'
import { Errno, type Kernel } from '@vnet/kernel'

/** `udp:5000,10.0.0.2:5000`: our end, the other one; each a port, or an address and a port. */
export function udpCable(kernel: Kernel, text: string): Backend {
  const [local, remote, more] = text.split(',')
  if (local === undefined || remote === undefined || more !== undefined)
    throw new Errno('EINVAL', `"${text}" is no cable in UDP; write udp:5000,10.0.0.2:5000`)
  const other = udpAddress(remote, '127.0.0.1')
  const any = other.host.includes(':') ? '::' : other.host.startsWith('127.') ? '127.0.0.1' : '0.0.0.0'
  return udpBackend(kernel, { local: udpAddress(local, any), remote: other })
}

/** `vxlan:42,10.0.0.2,10.0.0.3`: the network, and the other machines; `:PORT` behind the last is the port of all. */
export function vxlanCable(kernel: Kernel, text: string): Backend {
  const [vni = '', ...others] = text.split(',')
  if (!/^\d{1,8}$/.test(vni) || others.length === 0)
    throw new Errno('EINVAL', `"${text}" is no cable in VXLAN; write vxlan:42,10.0.0.2`)
  const last = others.pop()!
  const [, host = last, port] = /^(\[.*\]|[^:]*):(\d{1,5})$/.exec(last) ?? []
  const remotes = [...others, host].map((one) => one.replace(/^\[(.*)\]$/, '$1'))
  return vxlanBackend(kernel, {
    vni: Number(vni),
    remotes,
    ...(port !== undefined && { port: Number(port) }),
  })
}

/** `5000`, `10.0.0.2:5000`, `[fd00::2]:5000` */
function udpAddress(text: string, host: string): UdpAddress {
  const [, at, port] = /^(?:(\[[^\]]*\]|[^:]*):)?(\d{1,5})$/.exec(text) ?? []
  if (port === undefined) throw new Errno('EINVAL', `"${text}" is no address and port; write 10.0.0.2:5000`)
  return { host: at === undefined || at === '' ? host : at.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}
