import { switchBackend } from '@vnet/backend'
import { type Hrtimer, hrtimerSetup, hrtimerStart, raiseSoftirq, openSoftirq, Softirq } from '@vnet/kernel'
import { devOpen, devQueueXmit, netdevAllocSkb, skbPut } from '@vnet/netdev'
import { PROTO, Receiver, frameTo, newKernel, openDevice } from '../contestants/path.ts'
import type { Measure } from '../measures.ts'

const HOSTS = 100
const LENGTH = 60
/** Each host sends a frame that often, to its neighbour. */
const EVERY_NS = 1_000_000

/** How much faster than a clock on the wall a hundred hosts run that all talk. */
export async function hundredHosts(quick: boolean): Promise<Measure[]> {
  const kernel = newKernel()
  const fabric = switchBackend(kernel, { ports: HOSTS })
  const hosts = Array.from({ length: HOSTS }, (_, i) => openDevice(kernel, i + 1, fabric.port(i)))
  const frames = hosts.map((_, i) => frameTo(((i + 1) % HOSTS) + 1, LENGTH))
  frames.forEach((frame, i) => frame.set([2, 0, 0, 0, 0, i + 1], 6))
  const receiver = new Receiver(kernel)
  kernel.rtnl.run(() => hosts.forEach(({ dev }) => devOpen(dev)))
  let next = 0
  let sent = 0
  openSoftirq(kernel, Softirq.TASKLET, () => {
    const { dev } = hosts[next]!
    const skb = netdevAllocSkb(dev, LENGTH)!
    const at = skbPut(skb, LENGTH)
    skb.mem.set(frames[next]!, at)
    skb.protocol = PROTO
    devQueueXmit(skb)
    sent++
    next = next + 1 === HOSTS ? 0 : next + 1
  })
  const tick = (timer: Hrtimer): void => {
    raiseSoftirq(kernel, Softirq.TASKLET)
    hrtimerStart(timer, EVERY_NS / HOSTS)
  }
  hrtimerStart(hrtimerSetup(kernel, tick, 'hosts'), 0)
  kernel.runFor(quick ? 20e6 : 1e9)
  const seconds = quick ? 0.1 : 5
  const start = performance.now()
  kernel.runFor(seconds * 1e9)
  const took = (performance.now() - start) / 1000
  if (receiver.got < sent * 0.99) throw new Error(`${sent} frames were sent, ${receiver.got} arrived`)
  return [
    {
      id: 'switch',
      label: `virtual seconds in a second, ${HOSTS} hosts, each 1,000 frames a second`,
      value: seconds / took,
      unit: '',
      note: `${Math.round((HOSTS * 1000 * seconds) / took).toLocaleString('en-US')} frames a second through host, switch and host`,
    },
  ]
}
