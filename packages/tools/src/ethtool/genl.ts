import { EthHeader, GENL_HDRLEN, GENL_ID_CTRL, NetlinkProtocolNr, NlmF } from '@vnet/netlink'
import type { NlWriter } from '@vnet/netlink'
import { AttrMap } from '../nl/attrs.ts'
import { NlGarbage } from '../nl/failure.ts'
import { openNetlink } from '../nl/client.ts'
import type { NlClient } from '../nl/client.ts'
import type { Process, Syscalls } from '../proc/process.ts'

const CTRL_CMD_GETFAMILY = 3
const CTRL_ATTR = { FAMILY_ID: 1, FAMILY_NAME: 2, MCAST_GROUPS: 7 } as const
const MCAST_GRP = { NAME: 1, ID: 2 } as const
const A_HEADER = 1

/** What is the same in every request. */
export interface EthRequest {
  readonly cmd: number
  /** The device; absent: none. */
  readonly dev?: string
  /** Flags of the header. */
  readonly flags?: number
  /** The header's attribute where it is not the first. */
  readonly header?: number
  readonly fill?: (w: NlWriter) => void
}

/** A socket that speaks with the ethtool family. @kernel struct nl_socket none */
export class EthtoolSocket {
  readonly client: NlClient
  readonly family: number
  /** The group with notifications; 0: none. */
  readonly monitor: number

  constructor(client: NlClient, family: number, monitor: number) {
    this.client = client
    this.family = family
    this.monitor = monitor
  }

  /** Sends a request and gives the attributes of the answer; none for a plain acknowledgement. @throws NlFailure, NlGarbage, Errno */
  *ask(request: EthRequest): Syscalls<AttrMap> {
    const replies = yield* this.client.ask(this.family, NlmF.ACK, (w) => {
      putGenl(w, request.cmd, 1)
      putHeader(w, request)
      request.fill?.(w)
    })
    return replies[0]?.attrs(GENL_HDRLEN) ?? new AttrMap(new Uint8Array(0), 0)
  }
}

function putGenl(w: NlWriter, cmd: number, version: number): void {
  w.u8(cmd)
  w.u8(version)
  w.u16(0)
}

function putHeader(w: NlWriter, { dev, flags, header }: EthRequest): void {
  const at = w.nestStart(header ?? A_HEADER)
  if (dev !== undefined) w.putString(EthHeader.DEV_NAME, dev)
  if (flags !== undefined && flags !== 0) w.putU32(EthHeader.FLAGS, flags)
  w.nestEnd(at)
}

/** Opens a socket and looks the family up. @throws NlFailure, NlGarbage, Errno @kernel nlsock_init() none */
export function* openEthtool(process: Process): Syscalls<EthtoolSocket> {
  const client = yield* openNetlink(process, NetlinkProtocolNr.GENERIC)
  const [reply] = yield* client.ask(GENL_ID_CTRL, NlmF.ACK, (w) => {
    putGenl(w, CTRL_CMD_GETFAMILY, 1)
    w.putString(CTRL_ATTR.FAMILY_NAME, 'ethtool')
  })
  const tb = reply?.attrs(GENL_HDRLEN)
  const family = tb?.u16(CTRL_ATTR.FAMILY_ID)
  if (tb === undefined || family === undefined) throw new NlGarbage('no ethtool family')
  const group = tb.list(CTRL_ATTR.MCAST_GROUPS).find((one) => one.text(MCAST_GRP.NAME) === 'monitor')
  return new EthtoolSocket(client, family, group?.u32(MCAST_GRP.ID) ?? 0)
}
