import type { NetDevice } from '@vnet/netdev'
import type {
  FibConfig,
  FibLookupOptions,
  FibResult,
  FibRoute,
  IfaddrConfig,
  IfaddrMatch,
  InIfaddr,
} from './types/objects.ts'
import type { InetTransport } from './sock/transport.ts'

/**
 * What a family brings to `Inet`. All but the lookup need rtnl.
 *
 * @kernel none
 */
export interface InetFamily {
  addresses(dev?: NetDevice<any>): readonly InIfaddr[]
  addrAdd(config: IfaddrConfig, nlmFlags: number): InIfaddr
  addrDel(match: IfaddrMatch): void
  fibAdd(config: FibConfig, nlmFlags: number): FibRoute
  fibDel(config: FibConfig): void
  fibDump(table?: number): readonly FibRoute[]
  fibLookup(dst: Uint8Array, options: FibLookupOptions): FibResult
  readonly transport: InetTransport
}
