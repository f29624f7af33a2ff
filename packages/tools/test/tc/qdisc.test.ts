import { createKernel } from '@vnet/kernel'
import { allocEtherdevMqs, devOpen, NETDEV_TX_OK, registerNetdev, type NetdevTx } from '@vnet/netdev'
import { expect, it } from 'vitest'
import { run } from '../run.ts'

it('the queues of mq are its classes, printed without the number of a qdisc', () => {
  const kernel = createKernel()
  const ops = { ndoStartXmit: (): NetdevTx => NETDEV_TX_OK }
  const dev = allocEtherdevMqs(kernel, { name: 'net0', txqs: 2, rxqs: 2, ops, priv: () => ({}) })
  registerNetdev(dev)
  kernel.rtnl.run(() => devOpen(dev))
  const { stdout } = run(kernel, ['tc', 'qdisc', 'show', 'dev', 'net0'])
  expect(stdout.match(/^qdisc mq 0: root|parent \S+/gm)).toEqual([
    'qdisc mq 0: root',
    'parent :1',
    'parent :2',
  ])
  const json = run(kernel, ['tc', '-j', 'qdisc', 'show', 'dev', 'net0']).stdout
  const parents = (JSON.parse(json) as { parent?: string }[]).map(({ parent }) => parent)
  expect(parents).toEqual([undefined, ':1', ':2'])
})
