import { IpError } from '@vnet/netdev'

const LINES: Readonly<Record<string, readonly string[]>> = {
  ip: [
    '[ OPTIONS ] OBJECT { COMMAND | help }',
    'OBJECT: address | link | maddress | monitor | neighbour | netconf | ntable | route | rule | stats',
    'OPTIONS: -s[tatistics] -d[etails] -j[son] -p[retty] -o[neline] -br[ief] -h[uman] -t[imestamp] -ts[hort]',
    '         -V[ersion] -f[amily] { inet | inet6 | link } -4 -6 -0',
  ],
  link: [
    'link [ show ] [ [ dev ] NAME ] [ up ] [ group GROUP ] [ type TYPE ] [ master NAME ]',
    'link set [ dev ] NAME [ up | down ] [ mtu N ] [ address LLADDR ] [ broadcast LLADDR ] [ name NAME ]',
    '         [ alias TEXT ] [ txqueuelen N ] [ group GROUP ] [ carrier { on | off } ] [ mode { default | dormant } ]',
    '         [ { promisc | allmulticast | multicast | arp | dynamic } { on | off } ]',
    'link { add | delete } NAME type TYPE',
  ],
  address: [
    'address [ show ] [ [ dev ] NAME ] [ up ] [ scope SCOPE ] [ to PREFIX ] [ label TEXT ] [ permanent | dynamic ]',
    'address { add | change | replace | del } PREFIX dev NAME [ peer PREFIX ] [ broadcast ADDR ] [ label TEXT ]',
    '         [ scope SCOPE ] [ metric N ] [ valid_lft N ] [ preferred_lft N ] [ nodad ] [ noprefixroute ]',
    'address flush dev NAME',
  ],
  route: [
    'route [ show ] [ PREFIX ] [ dev NAME ] [ table TABLE ] [ proto PROTO ] [ scope SCOPE ] [ via ADDR ]',
    'route get ADDR [ from ADDR ] [ oif NAME ]',
    'route { add | del | change | replace | append } [ TYPE ] PREFIX [ via ADDR ] [ dev NAME ] [ src ADDR ]',
    '         [ metric N ] [ table TABLE ] [ proto PROTO ] [ scope SCOPE ] [ onlink ]',
  ],
  neighbour: [
    'neighbour [ show | flush ] [ ADDR ] [ dev NAME ] [ nud STATE ]',
    'neighbour { add | del | change | replace } ADDR [ lladdr LLADDR ] [ nud STATE ] dev NAME',
  ],
}

/** How a command is used; it ends with 255. @kernel none */
export function usage(object: string): IpError {
  const [first, ...rest] = LINES[object] ?? [`${object} [ show ] [ dev NAME ]`]
  const lines = rest.map((line) =>
    line.startsWith(' ') ? `       ${line}` : `       ${line.startsWith(object) ? 'ip ' : ''}${line}`,
  )
  return new IpError(255, [`Usage: ip ${first}`, ...lines].join('\n'))
}
