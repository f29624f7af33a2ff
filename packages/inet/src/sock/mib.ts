/** The counters of UDP: the `Udp:` line of /proc/net/snmp, in its order. @kernel struct udp_mib include/net/snmp.h */
export class UdpMib {
  inDatagrams = 0
  noPorts = 0
  inErrors = 0
  outDatagrams = 0
  rcvbufErrors = 0
  sndbufErrors = 0
  inCsumErrors = 0
  ignoredMulti = 0
  memErrors = 0
}
