import { ethtoolGetLink } from '@vnet/ethtool'
import {
  IfOper,
  Iff,
  devChangeCarrier,
  devGetFlags,
  netifCarrierOff,
  netifCarrierOk,
  netifCarrierOn,
  netifDormantOff,
  netifDormantOn,
} from '@vnet/netdev'
import type { Check } from '../check.ts'
import { MS, SECOND, type Testbed } from '../testbed.ts'

/** The link watch speaks at most once a second. */
const SETTLED = 2 * SECOND

function setLink(t: Testbed, up: boolean): void {
  t.cable.setLink(up)
  t.run(SETTLED)
}

function operstate(t: Testbed): string {
  return Object.entries(IfOper).find(([, value]) => value === t.dev.operstate)?.[0] ?? `${t.dev.operstate}`
}

const changes = (t: Testbed): number => t.notices.filter((n) => n.startsWith('NETDEV_CHANGE ')).length

/** Carrier and operational state. @kernel none */
export const linkChecks: readonly Check[] = [
  {
    id: 'LINK-01',
    title: 'sends nothing while the carrier is off, and goes on when it is back',
    needs: ['carrier'],
    run(t) {
      t.start()
      t.sendMany(5)
      t.run(100 * MS)
      for (let round = 1; round <= 3; round++) {
        setLink(t, false)
        let calls = 0
        const end = t.kernel.trace.on('net:net_dev_start_xmit', () => calls++)
        t.sendMany(5)
        t.run(SECOND)
        end()
        t.equal(calls, 0, 'frames given to the driver without carrier')
        setLink(t, true)
        const before = t.cable.wire.length
        t.sendMany(5)
        t.run(100 * MS)
        t.equal(t.cable.wire.length - before, 5, `frames on the wire after carrier returned, round ${round}`)
      }
    },
  },
  {
    id: 'LINK-02',
    title: 'has the operational state that follows from carrier and dormancy',
    needs: ['carrier'],
    run(t) {
      t.start()
      t.run(SETTLED)
      t.equal(operstate(t), 'UP', 'state with carrier')
      for (let round = 1; round <= 2; round++) {
        setLink(t, false)
        t.equal(operstate(t), 'DOWN', `state without carrier, round ${round}`)
        setLink(t, true)
        t.equal(operstate(t), 'UP', `state when carrier returned, round ${round}`)
      }
      netifDormantOn(t.dev)
      t.run(SETTLED)
      t.equal(operstate(t), 'DORMANT', 'state with carrier, dormant')
      netifDormantOff(t.dev)
      t.run(SETTLED)
      t.equal(operstate(t), 'UP', 'state when no longer dormant')
    },
  },
  {
    id: 'LINK-03',
    title: 'lets each real change of the link be told once, and a repetition not at all',
    needs: ['carrier'],
    run(t) {
      t.start()
      t.run(SETTLED)
      for (const up of [false, true, false, true]) {
        const before = changes(t)
        setLink(t, up)
        t.equal(changes(t) - before, 1, `notices when the link went ${up ? 'up' : 'down'}`)
      }
      const before = changes(t)
      netifCarrierOn(t.dev)
      t.run(SETTLED)
      t.equal(changes(t) - before, 0, 'notices when carrier was set on again')
    },
  },
  {
    id: 'LINK-04',
    title: 'counts changes to up and to down apart, each once',
    needs: ['carrier'],
    run(t) {
      const dev = t.start()
      t.run(SETTLED)
      const [ups, downs] = [dev.carrierUpCount, dev.carrierDownCount]
      for (const up of [false, true, false]) setLink(t, up)
      t.equal(dev.carrierUpCount - ups, 1, 'changes to up')
      t.equal(dev.carrierDownCount - downs, 2, 'changes to down')
    },
  },
  {
    id: 'LINK-05',
    title: 'reports in getLink what the carrier is',
    run(t) {
      const dev = t.start()
      const told = t.errnoOf(() => ethtoolGetLink(dev))
      if (told === 'EOPNOTSUPP') t.skip('it has no getLink')
      t.equal(ethtoolGetLink(dev), netifCarrierOk(dev), 'link after opening')
      if (t.supports.carrier) setLink(t, false)
      else netifCarrierOff(dev)
      t.equal(ethtoolGetLink(dev), false, 'link without carrier')
      if (t.supports.carrier) setLink(t, true)
      else netifCarrierOn(dev)
      t.equal(ethtoolGetLink(dev), true, 'link when carrier returned')
    },
  },
  {
    id: 'LINK-06',
    title: 'does not let the user set the carrier when a cable decides',
    needs: ['carrier'],
    run(t) {
      const dev = t.start()
      t.equal(
        t.errnoOf(() => t.kernel.rtnl.run(() => devChangeCarrier(dev, false))),
        'EOPNOTSUPP',
        'ip link set … carrier off',
      )
      t.expect(netifCarrierOk(dev), 'the user took the carrier away from a card whose cable is plugged in')
    },
  },
  {
    id: 'LINK-08',
    title: 'is running to the user when its state is up or unknown',
    run(t) {
      const dev = t.start()
      const look = (when: string): void => {
        t.run(SETTLED)
        const { operstate: state } = dev
        const running = (devGetFlags(dev) & Iff.RUNNING) !== 0
        t.equal(running, state === IfOper.UP || state === IfOper.UNKNOWN, `RUNNING ${when}`)
      }
      look('after opening')
      netifDormantOn(dev)
      look('when dormant')
      netifDormantOff(dev)
      look('when no longer dormant')
      t.cable.setLink(false)
      look('with the cable cut')
      t.down()
      t.equal(devGetFlags(dev) & Iff.RUNNING, 0, 'RUNNING when down')
    },
  },
]
