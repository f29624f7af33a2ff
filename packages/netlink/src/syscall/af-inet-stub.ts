import { Errno } from '@vnet/kernel'
import { SockAf, SockType } from './sock.ts'
import type { Sock } from './sock.ts'

/**
 * A datagram socket of IPv4 on a machine without IPv4: good for ioctls and nothing else.
 *
 * @kernel none
 */
export function inetStub(protocol: number): Sock {
  const unsupported = (): never => {
    throw new Errno('EOPNOTSUPP')
  }
  const noOption = (): never => {
    throw new Errno('ENOPROTOOPT')
  }
  return {
    family: SockAf.INET,
    type: SockType.DGRAM,
    protocol,
    bind: unsupported,
    connect: unsupported,
    getsockname: unsupported,
    setsockopt: noOption,
    getsockopt: noOption,
    sendmsg: unsupported,
    recvmsg: () => null,
    readable: false,
    onReadable: null,
    close: () => {},
  }
}
