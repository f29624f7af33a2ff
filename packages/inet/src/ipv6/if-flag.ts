/** State bits of IPv6 on a device, as RTM_NEWLINK shows them. @kernel IF_RA_OTHERCONF include/net/if_inet6.h */
export const Inet6IfFlag = {
  RA_OTHERCONF: 0x80,
  RA_MANAGED: 0x40,
  RA_RCVD: 0x20,
  RS_SENT: 0x10,
  READY: 0x80000000,
} as const
