import {
  arpReply,
  arpRequest,
  icmpEchoReply,
  icmpEchoRequest,
  neighbourAdvertisement,
  neighbourSolicitation,
  TcpFlag,
  tcpFrame,
  udpFrame,
  vlanInsertTag,
} from '@vnet/wire'

export const A = { mac: '02:00:00:00:00:01', ip: '10.0.0.1', ip6: 'fe80::1' } as const
export const B = { mac: '02:00:00:00:00:02', ip: '10.0.0.2', ip6: '2001:db8::2' } as const
const ab = { srcMac: A.mac, dstMac: B.mac, src: A.ip, dst: B.ip }
const ba = { srcMac: B.mac, dstMac: A.mac, src: B.ip, dst: A.ip }
const ab6 = { srcMac: A.mac, dstMac: B.mac, src: A.ip6, dst: B.ip6 }
const group = { ...ab, dstMac: '01:00:5e:00:00:fb', dst: '224.0.0.251' }

/** A piece of a packet that is not the first. */
function laterPiece(): Uint8Array {
  const frame = udpFrame({ ...ab, srcPort: 1153, dstPort: 1153, payload: new Uint8Array(24) })
  frame[20] = 0
  frame[21] = 185
  return frame
}

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16))

/** With one byte another: a checksum is wrong then. */
function broken(frame: Uint8Array, at: number): Uint8Array {
  frame[at] = frame[at]! ^ 0x55
  return frame
}

/** The first piece of a packet. */
function firstPiece(): Uint8Array {
  const frame = udpFrame({ ...ab, srcPort: 1153, dstPort: 1153, payload: new Uint8Array(24) })
  frame[20] = 0x20
  return frame
}

/** ICMP: host unreachable, about a ping. */
function unreachable(): Uint8Array {
  const ping = icmpEchoRequest({ ...ab, id: 5, seq: 1 })
  const frame = icmpEchoReply({ ...ba, id: 0, seq: 0, payload: ping.slice(14) })
  frame[34] = 3
  frame[35] = 1
  return frame
}

const MLD_REPORT = bytesOf(
  '333300000016020000000001' +
    '86dd' +
    '6000000000340001fe8000000000000000000000000000ffff020000000000000000000000000016' +
    '3a00050200000100' +
    '8f00000000000001' +
    '04000001ff0200000000000000000001ff000001' +
    'fe800000000000000000000000000009',
)
const ROUTER_SOLICITATION = bytesOf(
  '33330000000202000000000186dd6000000000103afffe80000000000000000000fffe000001ff02000000000000000000000000000285007b2c000000000101020000000001',
)

/** Frames of many kinds; the recorded answers of a real tcpdump name them by number, from 1. */
export const FRAMES: readonly Uint8Array[] = [
  arpRequest({ senderMac: A.mac, senderIp: A.ip, targetIp: B.ip }),
  arpReply({ senderMac: B.mac, senderIp: B.ip, targetMac: A.mac, targetIp: A.ip }),
  icmpEchoRequest({ ...ab, id: 7, seq: 1 }),
  icmpEchoReply({ ...ba, id: 7, seq: 1 }),
  udpFrame({ ...ab, srcPort: 1053, dstPort: 9, payload: new Uint8Array(10) }),
  udpFrame({ ...group, srcPort: 6353, dstPort: 6353, payload: new Uint8Array(3), ttl: 255 }),
  tcpFrame({
    ...ab,
    srcPort: 40000,
    dstPort: 80,
    seq: 1000,
    flags: TcpFlag.SYN,
    dontFragment: true,
    ipId: 77,
  }),
  tcpFrame({ ...ba, srcPort: 80, dstPort: 40000, seq: 5000, ack: 1001, flags: TcpFlag.SYN | TcpFlag.ACK }),
  tcpFrame({
    ...ab,
    srcPort: 40000,
    dstPort: 80,
    seq: 1001,
    ack: 5001,
    flags: TcpFlag.ACK | TcpFlag.PSH,
    payload: new Uint8Array(20),
  }),
  tcpFrame({ ...ab, srcPort: 40000, dstPort: 443, seq: 1, flags: TcpFlag.RST, tos: 0x10 }),
  icmpEchoRequest({ ...ab6, id: 9, seq: 2 }),
  udpFrame({ ...ab6, srcPort: 1546, dstPort: 1547, payload: new Uint8Array(12) }),
  tcpFrame({ ...ab6, srcPort: 40000, dstPort: 22, seq: 1, flags: TcpFlag.SYN }),
  neighbourSolicitation({ srcMac: A.mac, src: A.ip6, target: 'fe80::2' }),
  vlanInsertTag(icmpEchoRequest({ ...ab, id: 8, seq: 3 }), { vid: 5, pcp: 1, dei: false }),
  vlanInsertTag(udpFrame({ ...ab, srcPort: 80, dstPort: 80, payload: new Uint8Array(4) }), {
    vid: 7,
    pcp: 0,
    dei: false,
  }),
  laterPiece(),
  udpFrame({ ...ab, dst: '192.168.1.77', srcPort: 1, dstPort: 2, payload: new Uint8Array(900) }),
  udpFrame({
    ...ab,
    dstMac: 'ff:ff:ff:ff:ff:ff',
    dst: '255.255.255.255',
    src: '0.0.0.0',
    srcPort: 1068,
    dstPort: 1067,
    payload: new Uint8Array(8),
  }),
  MLD_REPORT,
  ROUTER_SOLICITATION,
  unreachable(),
  firstPiece(),
  broken(icmpEchoRequest({ ...ab, id: 1, seq: 1 }), 60),
  broken(tcpFrame({ ...ab, srcPort: 4000, dstPort: 81, seq: 9, flags: TcpFlag.FIN | TcpFlag.ACK }), 48),
  broken(udpFrame({ ...ab, srcPort: 4000, dstPort: 81, payload: new Uint8Array(9) }), 46),
  broken(udpFrame({ ...ab6, srcPort: 4000, dstPort: 81, payload: new Uint8Array(9) }), 66),
  broken(icmpEchoRequest({ ...ab6, id: 1, seq: 1 }), 70),
  icmpEchoRequest({ ...ab, tos: 0x03, id: 1, seq: 1 }),
  neighbourAdvertisement({
    srcMac: A.mac,
    src: A.ip6,
    dstMac: B.mac,
    dst: B.ip6,
    target: A.ip6,
    solicited: true,
    override: true,
  }),
  Uint8Array.from([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 1, 2, 3, 4]),
]
