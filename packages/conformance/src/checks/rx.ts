import {
  CHECKSUM_NONE,
  NET_IP_ALIGN,
  NET_RX_SUCCESS,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  backlogStats,
  consumeSkb,
  devAddPack,
  devMcAdd,
  devSetPromiscuity,
  skbQueuePurge,
  skbQueueTail,
  SkBuffHead,
  type SkBuff,
} from '@vnet/netdev'
import type { Check } from '../check.ts'
import { ETH_P_TEST, frameNumber, testFrame } from '../frames.ts'
import { CheckFailure, MS, SECOND, type Testbed } from '../testbed.ts'

const GROUP = [0x01, 0, 0x5e, 0, 0, 7]
const STRANGER = [2, 0, 0, 0, 0xbe, 0xef]

/** What the stack is told of a frame. */
interface Seen {
  protocol: number
  pktType: number
  pulled: number
  headroom: number
  ipAt: number
}

/** Notes each received packet as a receiver of `type` sees it. */
function watch(t: Testbed, type: number): Seen[] {
  const seen: Seen[] = []
  devAddPack(t.kernel, {
    type,
    dev: t.dev,
    func(skb) {
      const { protocol, pktType, data, macHeader, head } = skb
      seen.push({
        protocol,
        pktType,
        pulled: data - macHeader,
        headroom: macHeader - head,
        ipAt: macHeader + 14,
      })
      consumeSkb(skb)
      return NET_RX_SUCCESS
    },
  })
  return seen
}

/** Injects one frame and says what a receiver of that protocol saw. */
function one(t: Testbed, frame: Uint8Array, type: number): Seen {
  const seen = watch(t, type)
  t.inject(frame)
  t.run(MS)
  const [first] = seen
  if (first === undefined)
    throw new CheckFailure(`no receiver of protocol 0x${type.toString(16)} got the frame`)
  return first
}

function vlanFrame(length: number): Uint8Array {
  const frame = testFrame(length, 1, undefined, 0x8100)
  frame.set([0, 0, 0x88, 0xb5], 14)
  return frame
}

/** Receiving. @kernel none */
export const rxChecks: readonly Check[] = [
  ...(
    [
      ['ARP', 0x0806],
      ['IPv4', 0x0800],
      ['IPv6', 0x86dd],
      ['experimental', ETH_P_TEST],
    ] as const
  ).map(([name, type]): Check => ({
    id: 'RX-01',
    title: `hands up ${name} frames with their device and protocol`,
    run(t) {
      t.start()
      t.equal(one(t, testFrame(60, 1, undefined, type), type).protocol, type, 'protocol')
    },
  })),
  {
    id: 'RX-01',
    title: 'hands up a frame with a VLAN tag so that the stack finds the protocol inside',
    run(t) {
      t.start()
      t.equal(one(t, vlanFrame(64), ETH_P_TEST).protocol, ETH_P_TEST, 'protocol behind the tag')
    },
  },
  {
    id: 'RX-02',
    title: 'takes 14 bytes off, and says whom the frame was for',
    run(t) {
      t.start()
      t.kernel.rtnl.run(() => devSetPromiscuity(t.dev, 1))
      const own = Array.from(t.dev.devAddr)
      const cases = [
        [own, PACKET_HOST], [[255, 255, 255, 255, 255, 255], PACKET_BROADCAST], [GROUP, PACKET_MULTICAST], [STRANGER, PACKET_OTHERHOST],
      ] as const // prettier-ignore
      const seen = watch(t, ETH_P_TEST)
      for (const [to] of cases) t.inject(testFrame(60, 1, to))
      t.run(MS)
      t.equal(
        seen.map((s) => s.pktType),
        cases.map(([, type]) => type),
        'packet types: own, broadcast, multicast, other host',
      )
      t.equal(
        seen.map((s) => s.pulled),
        [14, 14, 14, 14],
        'bytes pulled',
      )
    },
  },
  {
    id: 'RX-02',
    title: 'takes a type below 0x0600 for a length',
    run(t) {
      t.start()
      t.equal(one(t, testFrame(60, 1, undefined, 46), 4).protocol, 4, 'protocol of an 802.3 frame')
    },
  },
  {
    id: 'RX-03',
    title: 'does not touch a packet it passed up',
    run(t) {
      t.start()
      const queue = new SkBuffHead()
      const notes: [SkBuff, string][] = []
      devAddPack(t.kernel, {
        type: ETH_P_TEST,
        dev: t.dev,
        func(skb) {
          skbQueueTail(queue, skb)
          notes.push([skb, fingerprint(skb)])
          return NET_RX_SUCCESS
        },
      })
      t.inject(20)
      t.run(5 * MS)
      t.inject(20)
      t.run(5 * MS)
      const changed = notes.filter(([skb, before]) => fingerprint(skb) !== before).length
      skbQueuePurge(queue)
      t.equal(notes.length, 40, 'packets the stack keeps')
      t.equal(changed, 0, 'packets changed after they were passed up')
    },
  },
  {
    id: 'RX-04',
    title: 'does not queue received packets a second time',
    needs: ['napi'],
    run(t) {
      t.start()
      t.inject(30)
      t.run(5 * MS)
      t.equal(t.received.length, 30, 'packets received')
      t.equal(backlogStats(t.kernel).processed, 0, 'packets that went through the backlog of netifRx')
    },
  },
  {
    id: 'RX-05',
    title: 'keeps its receive ring full while no buffers can be had, and counts what it gives up',
    run(t) {
      t.start({ rxRing: 8 })
      const failAlloc = t.card('failAlloc')
      const lost = (): bigint => t.stats().rxDropped + t.stats().rxErrors + t.stats().rxMissedErrors
      failAlloc(() => true)
      const [before, received] = [lost(), t.received.length]
      for (let n = 0; n < 20; n++) {
        t.inject(2)
        t.run(50 * MS)
      }
      t.equal(
        Number(lost() - before) + (t.received.length - received),
        40,
        'frames counted as lost, or received',
      )
      failAlloc(null)
      for (let n = 0; n < 2; n++) {
        t.run(SECOND)
        const from = t.stats().rxPackets
        const taken = t.inject(7).filter(Boolean).length
        t.run(5 * MS)
        t.equal(
          [taken, t.stats().rxPackets - from],
          [7, 7n],
          'frames taken and received by a ring of 8 when buffers are back',
        )
      }
    },
  },
  {
    id: 'RX-06',
    title: 'counts what found no descriptor as missed, not as dropped',
    needs: ['rxRing'],
    run(t) {
      t.start({ rxRing: 8 })
      const before = t.stats()
      t.inject(100)
      t.run(5 * MS)
      const s = t.stats()
      const [got, missed, dropped] = [
        s.rxPackets - before.rxPackets,
        s.rxMissedErrors - before.rxMissedErrors,
        s.rxDropped - before.rxDropped,
      ]
      t.expect(missed > 0n, 'a flood of 100 frames into a ring of 8 missed none')
      t.equal([got + missed, dropped], [100n, 0n], 'received and missed together, and dropped')
    },
  },
  {
    id: 'RX-07',
    title: 'receives frames of MTU + 14, and 4 more with a VLAN tag',
    run(t) {
      t.start()
      t.inject(testFrame(1514, 1), vlanFrame(1518))
      t.run(MS)
      t.equal(t.received.length, 2, 'frames of 1514 bytes, and of 1518 with a tag, received at MTU 1500')
      t.equal(t.received[0]!.length, 1514, 'bytes of the first')
    },
  },
  {
    id: 'RX-07',
    title: 'drops, cuts or passes longer frames, and goes on',
    run(t) {
      t.start()
      t.inject(testFrame(1519, 1), testFrame(4000, 2), testFrame(9100, 3))
      t.run(MS)
      t.inject(testFrame(60, 4))
      t.run(MS)
      t.equal(frameNumber(t.received.at(-1) ?? new Uint8Array(0)), 4, 'the frame after them')
    },
  },
  {
    id: 'RX-08',
    title: 'counts frames shorter than 14 bytes as errors, and goes on',
    run(t) {
      t.start()
      const lost = (): bigint => t.stats().rxErrors + t.stats().rxMissedErrors + t.stats().rxDropped
      const [before, good] = [lost(), t.stats().rxPackets]
      for (let length = 0; length < 14; length++) t.inject(testFrame(length))
      t.run(MS)
      t.equal(lost() - before, 14n, 'errors counted for 14 short frames')
      t.equal([t.stats().rxPackets - good, t.received.length], [0n, 0], 'counted as good, and passed up')
      t.inject(1)
      t.run(MS)
      t.equal(t.received.length, 1, 'frames received after them')
    },
  },
  {
    id: 'RX-09',
    title: 'takes its own address, broadcast and subscribed groups, and others only when promiscuous',
    needs: ['rxFilter'],
    run(t) {
      t.start()
      const own = Array.from(t.dev.devAddr)
      const to = [own, [255, 255, 255, 255, 255, 255], GROUP, [0x33, 0x33, 0, 0, 0, 9], STRANGER]
      const numbersOf = (): number[] => {
        t.received.length = 0
        to.forEach((addr, n) => t.inject(testFrame(60, n, addr)))
        t.run(MS)
        return t.received.map(frameNumber)
      }
      t.equal(numbersOf(), [0, 1], 'of own, broadcast, two groups, a stranger: taken')
      t.kernel.rtnl.run(() => devMcAdd(t.dev, Uint8Array.from(GROUP)))
      t.equal(numbersOf(), [0, 1, 2], 'with the first group subscribed')
      t.kernel.rtnl.run(() => devSetPromiscuity(t.dev, 1))
      t.equal(numbersOf(), [0, 1, 2, 3, 4], 'when promiscuous')
      t.kernel.rtnl.run(() => devSetPromiscuity(t.dev, -1))
      t.equal(numbersOf(), [0, 1, 2], 'afterwards')
    },
  },
  {
    id: 'RX-10',
    title: 'puts the IP header on a multiple of four',
    run(t) {
      t.start()
      t.equal(
        one(t, testFrame(60), ETH_P_TEST).ipAt % 4,
        0,
        `place of the IP header modulo 4, with NET_IP_ALIGN ${NET_IP_ALIGN}`,
      )
    },
  },
  {
    id: 'RX-11',
    title: 'leaves at least 32 bytes of headroom',
    run(t) {
      t.start()
      const { headroom } = one(t, testFrame(60), ETH_P_TEST)
      t.expect(headroom >= 32, `${headroom} bytes of headroom, fewer than 32`)
    },
  },
]

/** All a stack may rely on of a packet it keeps. */
function fingerprint(skb: SkBuff): string {
  const { data, len, protocol, pktType, users, tstamp, hash, mark, queueMapping, ipSummed } = skb
  const bytes = skb.mem.slice(data - 14, data + len).join()
  const sum = ipSummed === CHECKSUM_NONE ? '' : `${ipSummed}`
  return [
    data,
    len,
    protocol,
    pktType,
    users,
    tstamp,
    hash,
    mark,
    queueMapping,
    sum,
    skb.dev?.name,
    bytes,
  ].join()
}
