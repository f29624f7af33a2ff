/**
 * Netlink as Linux speaks it, without a socket of the host: a codec, policies with extended acks, sockets that are
 * objects, rtnetlink, generic netlink with the families nlctrl, ethtool and netdev, the ioctls of network devices, and
 * the server through which programs outside make system calls.
 *
 * `netlinkServer(kernel)` gives the server of a kernel, `server.socket(NETLINK_ROUTE)` a socket: bytes go in with
 * `send` and come out with `recv`. Every answer and every change is made by `@vnet/netdev` and `@vnet/ethtool`; what
 * is here only knows how it looks in bytes.
 *
 * @packageDocumentation
 */

// ── bytes
export * from './codec/nlmsg.ts'
export { NlWriter, utf8 } from './codec/writer.ts'
export { NlAttrs, NlMessages } from './codec/reader.ts'
export { textOf } from './codec/text.ts'
export { NetlinkError } from './codec/extack.ts'
export type { ExtackDetails } from './codec/extack.ts'
export { nlaPolicy } from './codec/policy.ts'
export type { AttrKind, AttrPolicy, NlaCheck, NlaPolicy } from './codec/policy.ts'
export { blameAttr, nlaParse, NlaTable } from './codec/table.ts'
export type { BlameNests } from './codec/table.ts'
export { MAX_NEST_DEPTH } from './codec/validate.ts'
export { decodeMessages, encodeMessages, nodeType } from './codec/tree.ts'
export type { AttrNode, MessageNode } from './codec/tree.ts'

// ── sockets
export { netlinkServer } from './server.ts'
export { NetlinkServer } from './core/server.ts'
export type { NetlinkProtocol, SocketOptions } from './core/server.ts'
export { NetlinkSocket } from './core/socket.ts'
export type { NlDatagram } from './core/socket.ts'
export { NlRequest } from './core/request.ts'
export type { RequestHandler } from './core/receive.ts'
export type { DumpEntry, NlDump } from './core/dump.ts'
export type { DumpRun } from './core/dump.ts'

// ── rtnetlink: where a protocol stack plugs in
export * from './route/constants.ts'
export * from './route/inet-constants.ts'
export { iflaPolicy } from './route/link-policy.ts'
export { nlmsgParse, rtnlAfRegister, rtnlDumpAll, rtnlRegister } from './route/rtnl.ts'
export type { RtnlAfOps, RtnlLink } from './route/rtnl.ts'
export { RTNL_LINK_STATS64_ORDER } from './route/stats.ts'
export { rtnlFillIfinfo } from './route/link-fill.ts'
export type { LinkFill } from './route/link-fill.ts'

// ── generic netlink
export {
  GENL_HDRLEN,
  GENL_ID_CTRL,
  genlFind,
  GenlFlag,
  genlHeader,
  genlNotify,
  genlRegisterFamily,
  genlReply,
} from './genl/genl.ts'
export type { GenlEntry, GenlEntryOf, GenlFamily, GenlInfo, GenlOp } from './genl/genl.ts'
export { EthFlag, EthHeader, EthMsg, EthReply } from './ethnl/constants.ts'
export { EthSs } from './ethnl/strings.ts'

// ── ioctls
export { sockIoctl } from './ioctl/index.ts'
export { Sioc } from './ioctl/constants.ts'
export { EthtoolCmd } from './ioctl/ethtool-cmd.ts'
export type { IoctlCaller, UserMemory } from './ioctl/memory.ts'

// ── system calls
export * from './syscall/protocol.ts'
export { SyscallServer, syscallServer } from './syscall/server.ts'
export { SyscallConnection } from './syscall/connection.ts'
export type { SyscallPeer } from './syscall/connection.ts'
export type { ArmWait, SyscallCall, SyscallHandler } from './syscall/call.ts'
export {
  SockAf,
  sockCreate,
  sockFamily,
  SockMsgFlag,
  sockRegister,
  SockType,
  SOL_SOCKET,
} from './syscall/sock.ts'
export type { Sock, SockFamily, SockMsg, SockOwner, SockReceived } from './syscall/sock.ts'
export { SockOption } from './syscall/ops-option.ts'
