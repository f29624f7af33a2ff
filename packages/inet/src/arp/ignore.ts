import type { InDevice } from '../addr/in-device.ts'
import { addrTypeDev, ipDevFind } from '../fib/addr-type.ts'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { isRoute, ipRouteOutput } from '../ipv4/route.ts'
import { RtnType, RtScope } from '../types/constants.ts'

/** Whether a question for one of our addresses stays without an answer. @kernel arp_ignore() net/ipv4/arp.c */
export function arpIgnores(ipv4: Ipv4, inDev: InDevice, sip: number, tip: number): boolean {
  const { dev, cnf } = inDev
  switch (cnf.arpIgnore) {
    case 0:
      return cnf.arpFilter && sip !== 0 && isElsewhere(ipv4, inDev, sip, tip)
    case 1:
      return addrTypeDev(ipv4, dev, tip) !== RtnType.LOCAL
    case 2:
      return !inDev.ifaList.some((ifa) => ifa.localNr === tip && (sip === 0 || ifa.matches(sip)))
    case 3:
      return !inDev.ifaList.some((ifa) => ifa.localNr === tip && ifa.scope <= RtScope.LINK)
    case 8:
      return true
    default:
      return ipDevFind(ipv4, tip) !== dev
  }
}

/** The asker would be answered through another device. @kernel arp_filter() net/ipv4/arp.c */
function isElsewhere(ipv4: Ipv4, inDev: InDevice, sip: number, tip: number): boolean {
  const rt = ipRouteOutput(ipv4, sip, { src: tip })
  return !isRoute(rt) || rt.dev !== inDev.dev
}
