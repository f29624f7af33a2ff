import { ERRNO } from '@vnet/kernel'

/** An error as a socket is told it. @kernel struct icmp_err include/net/icmp.h */
export interface IcmpErr {
  /** Positive. */
  readonly errno: number
  /** It is more than a passing trouble of the network. */
  readonly fatal: boolean
}

const UNREACH: readonly IcmpErr[] = [
  { errno: ERRNO.ENETUNREACH, fatal: false },
  { errno: ERRNO.EHOSTUNREACH, fatal: false },
  { errno: ERRNO.ENOPROTOOPT, fatal: true },
  { errno: ERRNO.ECONNREFUSED, fatal: true },
  { errno: ERRNO.EMSGSIZE, fatal: false },
  { errno: ERRNO.EOPNOTSUPP, fatal: false },
  { errno: ERRNO.ENETUNREACH, fatal: true },
  { errno: ERRNO.EHOSTDOWN, fatal: true },
  { errno: ERRNO.ENONET, fatal: true },
  { errno: ERRNO.ENETUNREACH, fatal: true },
  { errno: ERRNO.EHOSTUNREACH, fatal: true },
  { errno: ERRNO.ENETUNREACH, fatal: false },
  { errno: ERRNO.EHOSTUNREACH, fatal: false },
  { errno: ERRNO.EHOSTUNREACH, fatal: true },
  { errno: ERRNO.EHOSTUNREACH, fatal: true },
  { errno: ERRNO.EHOSTUNREACH, fatal: true },
]
const OTHER: IcmpErr = { errno: ERRNO.EHOSTUNREACH, fatal: false }
const PROBLEM: IcmpErr = { errno: ERRNO.EPROTO, fatal: true }

/** What an ICMP error means to a socket. @kernel icmp_err_convert net/ipv4/icmp.c */
export function icmpErrno(type: number, code: number): IcmpErr {
  if (type === 3) return UNREACH[code] ?? OTHER
  return type === 12 ? PROBLEM : OTHER
}
