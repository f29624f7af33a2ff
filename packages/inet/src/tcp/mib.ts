/** The counters of TCP that a machine without TCP moves. @kernel struct tcp_mib include/net/snmp.h */
export class TcpMib {
  inSegs = 0
  outSegs = 0
  inErrs = 0
  outRsts = 0
  inCsumErrors = 0
}
