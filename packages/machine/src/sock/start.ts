import type { Inet } from '@vnet/inet'
import type { Kernel } from '@vnet/kernel'
import { sockRegister } from '@vnet/netlink'
import type { MachineHost } from '../host.ts'
import { packetFamily } from '../packet/index.ts'
import { FAMILIES } from '../rtnl/family.ts'
import { inetFamily } from './af-inet.ts'

/** Makes the socket families of the machine known; returns what takes them away. @kernel inet_init() net/ipv4/af_inet.c */
export function startSockets(kernel: Kernel, inet: Inet, host: MachineHost, wallClock: bigint): () => void {
  const undo = FAMILIES.map((family) => sockRegister(kernel, family, inetFamily(inet, family, wallClock)))
  undo.push(packetFamily(kernel, host, wallClock))
  return () => {
    for (const fn of undo.reverse()) fn()
  }
}
