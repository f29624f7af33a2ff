import * as eth from '@vnet/ethtool'
import type { EthtoolOps } from '@vnet/ethtool'
import {
  NetifMsg,
  netifInfo,
  netifSetRealNumQueues,
  netifSetRealNumTxQueues,
  type NetDevice,
  type SkBuff,
} from '@vnet/netdev'
import { udpFrame } from '@vnet/wire'
import type { Check } from '../check.ts'
import { testFrame } from '../frames.ts'
import { MS, SECOND, type Testbed } from '../testbed.ts'
import { fill, noLimit, onReceive, watchdogNs, wrapOps } from './observe.ts'

const FLOWS = 16
const PACKETS = 6
/** Ethernet, IPv4, UDP. */
const PAYLOAD_AT = 14 + 20 + 8
/** Log lines in a run of trouble that are no flood. */
const FEW_LINES = 50

const tableOf = (dev: NetDevice<any>): EthtoolOps<any> => (dev.ethtoolOps ?? {}) as EthtoolOps<any>

/** A packet of a UDP flow; the packet's number is in its payload. */
function flowFrame(dev: NetDevice<any>, flow: number, n: number): Uint8Array {
  return udpFrame({
    srcMac: Uint8Array.of(2, 0, 0, 0, 0xee, 1),
    dstMac: dev.devAddr,
    src: Uint8Array.of(10, 0, 0, 1 + (flow & 3)),
    dst: Uint8Array.of(10, 0, 1, 1),
    srcPort: 1000 + flow * 7,
    dstPort: 5000,
    payload: Uint8Array.of(flow, n, 0, 0),
  })
}

/** Fails unless each flow was seen on one queue. */
function oneQueueEach(t: Testbed, seen: ReadonlyMap<number, ReadonlySet<number>>, what: string): void {
  t.equal(seen.size, FLOWS, `flows ${what}`)
  for (const [flow, queues] of seen) t.equal(queues.size, 1, `queues of flow ${flow} ${what}`)
}

function note(seen: Map<number, Set<number>>, flow: number, queue: number): void {
  const queues = seen.get(flow) ?? new Set()
  seen.set(flow, queues.add(queue))
}

/** The table of receive queues; skips the check when the driver has none. */
function rxfhOf(t: Testbed): eth.EthtoolRxfh {
  if (tableOf(t.dev).getRxfh === undefined) t.skip('it has no table of receive queues')
  return eth.ethtoolGetRxfh(t.dev)
}

const queuesOf = (t: Testbed): { queues?: number } => (t.supports.queues ? { queues: 4 } : {})

/** Queues, steering, messages. @kernel none */
export const mqChecks: readonly Check[] = [
  {
    id: 'MQ-01',
    title:
      'uses at least one queue and no more than it allocated; what waits in one taken away is freed and counted',
    run(t) {
      const dev = t.start(queuesOf(t))
      t.expect(dev.realNumTxQueues >= 1 && dev.realNumTxQueues <= dev.numTxQueues, `it sends on ${dev.realNumTxQueues} of ${dev.numTxQueues} queues`) // prettier-ignore
      t.expect(dev.realNumRxQueues >= 1 && dev.realNumRxQueues <= dev.numRxQueues, `it receives on ${dev.realNumRxQueues} of ${dev.numRxQueues} queues`) // prettier-ignore
      for (const count of [0, dev.numTxQueues + 1]) {
        t.equal(t.errnoOf(() => t.kernel.rtnl.run(() => netifSetRealNumQueues(dev, count, 1))), 'EINVAL', `${count} queues`) // prettier-ignore
      }
      if (dev.numTxQueues === 1) return
      t.dut.card?.hang?.()
      for (let flow = 0; flow < 2000; flow++) t.send(flowFrame(dev, flow & 0xff, 0))
      const waiting = dev.txq.slice(1).reduce((sum, txq) => sum + txq.qdisc.qlen, 0)
      t.kernel.rtnl.run(() => netifSetRealNumTxQueues(dev, 1))
      const left = dev.txq.slice(1).reduce((sum, txq) => sum + txq.qdisc.qlen, 0)
      t.equal(left, 0, `frames left of ${waiting} in queues that were taken away`)
    },
  },
  {
    id: 'MQ-02',
    title: 'numbers its queues from 0 without a gap',
    run(t) {
      const dev = t.start(queuesOf(t))
      t.equal(dev.txq.map((q) => q.index), dev.txq.map((_, i) => i), 'numbers of the transmit queues') // prettier-ignore
      if (!t.supports.ethtoolStats) return
      for (const way of ['rx', 'tx']) {
        const found = eth.ethtoolGetStrings(dev, 'stats').flatMap((name) => new RegExp(`^${way}_queue_(\\d+)_`).exec(name)?.[1] ?? []) // prettier-ignore
        const numbers = [...new Set(found.map(Number))]
        t.equal(numbers, numbers.map((_, i) => i), `numbers of the ${way} queues in ethtool -S`) // prettier-ignore
      }
    },
  },
  {
    id: 'MQ-03',
    title: 'keeps the packets of a flow on one queue, both ways',
    run(t) {
      const dev = t.start(queuesOf(t))
      const received = new Map<number, Set<number>>()
      const sent = new Map<number, Set<number>>()
      onReceive(t, (skb) => note(received, skb.mem[skb.tail - 4]!, skb.queueMapping))
      wrapOps(dev, (ops) => ({
        ndoStartXmit(skb: SkBuff, d: NetDevice<any>) {
          note(sent, skb.mem[skb.data + PAYLOAD_AT]!, skb.queueMapping)
          return ops.ndoStartXmit(skb, d)
        },
      }))
      for (let n = 0; n < PACKETS; n++) {
        for (let flow = 0; flow < FLOWS; flow++) {
          t.inject(flowFrame(dev, flow, n))
          t.send(flowFrame(dev, flow, n))
        }
        t.run(10 * MS)
      }
      oneQueueEach(t, received, 'received')
      oneQueueEach(t, sent, 'sent')
    },
  },
  {
    id: 'MQ-04',
    title: 'spreads by Toeplitz over all its queues until told otherwise',
    run(t) {
      const dev = t.start(queuesOf(t))
      const { hfunc, indir, key } = rxfhOf(t)
      t.equal(eth.RSS_HASH_FUNCS.filter((_, bit) => (hfunc & (1 << bit)) !== 0), ['toeplitz'], 'hash function') // prettier-ignore
      t.expect(
        key.length === 0 || key.length >= 40,
        `a key of ${key.length} bytes; addresses and ports of IPv6 need 40`,
      )
      const queues = eth.ethtoolGetRxRingCount(dev)
      t.equal(indir, eth.ethtoolRxfhIndirDefault(indir.length, queues), 'table')
    },
  },
  {
    id: 'MQ-05',
    title: 'has a table with at least four entries a queue',
    run(t) {
      const dev = t.start(queuesOf(t))
      const { indir } = rxfhOf(t)
      const queues = eth.ethtoolGetRxRingCount(dev)
      t.expect(indir.length >= 4 * queues, `a table of ${indir.length} entries for ${queues} queues`)
      t.expect((indir.length & (indir.length - 1)) === 0, `a table of ${indir.length} entries: low bits of a hash need a power of two`) // prettier-ignore
    },
  },
  {
    id: 'MQ-06',
    title: 'keeps the table it was given over down and up, and refuses one with a queue it has not',
    run(t) {
      const dev = t.start(queuesOf(t))
      const before = rxfhOf(t)
      const set = (request: eth.EthtoolRxfhRequest): string => t.errnoOf(() => t.kernel.rtnl.run(() => eth.ethtoolSetRxfh(dev, request))) // prettier-ignore
      const queues = eth.ethtoolGetRxRingCount(dev)
      t.equal(
        set({ indir: before.indir.map(() => queues) }),
        'EINVAL',
        'a table with a queue that does not exist',
      )
      const indir = before.indir.map((_, i) => (i & 1) * (queues - 1))
      const key = before.key.map((byte) => byte ^ 0x5a)
      t.equal(set(key.length > 0 ? { indir, key } : { indir }), 'none', 'a table and a key')
      t.down()
      t.up()
      const now = eth.ethtoolGetRxfh(dev)
      t.equal([now.indir, [...now.key]], [indir, [...key]], 'table and key after down and up')
    },
  },
  {
    id: 'LOG-01',
    title: 'begins its messages with the name of its device, and does not flood the log',
    run(t) {
      const from = t.kernel.log.nextSeq
      const dev = t.create()
      t.up()
      noLimit(dev)
      for (let n = 0; n < 200; n++) {
        t.inject(testFrame(13), testFrame(4000))
        t.send(4000)
      }
      t.run(100 * MS)
      if (t.supports.watchdog && t.dut.card?.hang !== undefined) {
        t.card('hang')()
        fill(t)
        t.run(2 * watchdogNs(t) + SECOND)
      }
      t.down()
      // What the kernel says about broken rules is not the driver's.
      const lines = t.kernel.log
        .since(from)
        .map((r) => r.text)
        .filter((line) => !line.startsWith('WARNING: '))
      const named = `${dev.name}: `
      t.equal(
        lines.filter((line) => !line.includes(named)),
        [],
        `lines without "${named}"`,
      )
      t.expect(lines.length < FEW_LINES, `${lines.length} lines about 600 bad frames and a hang`)
    },
  },
  {
    id: 'LOG-02',
    title: 'has debug lines that a query switches on by module, file, function, line, format or class',
    run(t) {
      const { dyndbg } = t.kernel
      const site = dyndbg.site({
        module: 'dut',
        file: 'dut-rx.ts',
        line: 42,
        func: 'dut_poll',
        format: 'got %d frames',
      })
      const other = dyndbg.site({
        module: 'other',
        file: 'x.ts',
        line: 7,
        func: 'f',
        format: 'x',
        class: 'drv',
      })
      const queries = [
        'module dut',
        'file dut-rx.ts',
        'func dut_*',
        'line 40-50',
        'format "got %d"',
        'file dut-??.ts line 42',
      ]
      for (const query of queries) {
        dyndbg.query(`${query} +p`)
        t.equal([site.enabled, other.enabled], [true, false], `lines on after "${query} +p"`)
        dyndbg.query(`${query} -p`)
        t.equal(site.enabled, false, `line on after "${query} -p"`)
      }
      dyndbg.query('class drv +p')
      t.equal([site.enabled, other.enabled], [false, true], 'lines on after "class drv +p"')
      t.equal(
        t.errnoOf(() => dyndbg.query('module')),
        'EINVAL',
        'half a query',
      )
    },
  },
  {
    id: 'LOG-03',
    title: 'lets its classes of messages be switched on and off',
    run(t) {
      const dev = t.create()
      const { getMsglevel, setMsglevel } = tableOf(dev)
      if (getMsglevel === undefined || setMsglevel === undefined) {
        t.equal(
          t.errnoOf(() => eth.ethtoolSetMsglevel(dev, NetifMsg.link)),
          'EOPNOTSUPP',
          'a set of the classes',
        )
        return
      }
      const says = (): boolean => {
        const from = t.kernel.log.nextSeq
        netifInfo(dev, 'link', 'a message of class link')
        return t.kernel.log.since(from).length > 0
      }
      for (const on of [true, false]) {
        t.kernel.rtnl.run(() => eth.ethtoolSetMsglevel(dev, on ? NetifMsg.link : NetifMsg.hw))
        t.equal(says(), on, `a message of class link with link ${on ? 'on' : 'off'}`)
      }
    },
  },
]
