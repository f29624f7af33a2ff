const ICMP: Readonly<Record<number, readonly string[]>> = {
  3: [
    'Destination Net Unreachable',
    'Destination Host Unreachable',
    'Destination Protocol Unreachable',
    'Destination Port Unreachable',
    'Frag needed and DF set',
    'Source Route Failed',
    'Destination Net Unknown',
    'Destination Host Unknown',
    'Source Host Isolated',
    'Destination Net Prohibited',
    'Destination Host Prohibited',
    'Destination Net Unreachable for Type of Service',
    'Destination Host Unreachable for Type of Service',
    'Packet filtered',
    'Precedence Violation',
    'Precedence Cutoff',
  ],
  11: ['Time to live exceeded', 'Frag reassembly time exceeded'],
}

const ICMPV6: Readonly<Record<number, readonly string[]>> = {
  1: [
    'No route',
    'Administratively prohibited',
    'Beyond scope of source address',
    'Address unreachable',
    'Port unreachable',
  ],
  3: ['Hop limit', 'Defragmentation failure'],
}

/** What ping says of an ICMP error. @kernel print_icmph() none */
export function icmpErrorText(family: number, type: number, code: number, info: number): string {
  if (family === 2) {
    const known = ICMP[type]?.[code]
    if (type === 3 && code === 4) return `Frag needed and DF set (mtu = ${info})`
    if (known !== undefined) return known
    return type === 12 ? `Parameter problem: pointer = ${info}` : `Dest Unreachable, Bad Code: ${code}`
  }
  if (type === 2) return `Packet too big: mtu=${info}`
  const known = ICMPV6[type]?.[code] ?? `Unknown code ${code}`
  return type === 3 ? `Time exceeded: ${known}` : `Destination unreachable: ${known}`
}
