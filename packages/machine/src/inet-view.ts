import { ipv6Of, type Inet, type InetFamilyNr } from '@vnet/inet'
import type { NetDevice } from '@vnet/netdev'

/** A group a device listens to. */
export interface MulticastGroup {
  readonly dev: NetDevice<any>
  readonly address: Uint8Array
  readonly users: number
}

/** The groups that the devices have joined, by device, in the order of /proc. @kernel none */
export function multicastGroups(inet: Inet, family: InetFamilyNr): MulticastGroup[] {
  const groups =
    family === 2
      ? [...inet.ipv4.devices.values()].flatMap(({ dev, mcList }) =>
          mcList.map(({ address, users }) => ({ dev, address: be32(address), users })),
        )
      : [...ipv6Of(inet).devs.values()].flatMap(({ dev, mcList }) =>
          mcList.map(({ addr, users }) => ({ dev, address: addr, users })),
        )
  return groups.sort((a, b) => a.dev.ifindex - b.dev.ifindex)
}

function be32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}
