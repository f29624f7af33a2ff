import * as eth from '@vnet/ethtool'
import type { EthtoolOps } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import type { Check } from '../check.ts'
import { MS, SECOND, type Testbed } from '../testbed.ts'
import { countTaken, txAccount } from './account.ts'
import { noLimit } from './observe.ts'

type Dev = Testbed['dev']

/** Every getter of the core, each asking one entry of a table. */
const GETS: Readonly<Record<string, (dev: Dev) => unknown>> = {
  getLink: eth.ethtoolGetLink,
  getLinkKsettings: eth.ethtoolGetLinkKsettings,
  getMsglevel: eth.ethtoolGetMsglevel,
  getWol: eth.ethtoolGetWol,
  getRingparam: eth.ethtoolGetRingparam,
  getChannels: eth.ethtoolGetChannels,
  getCoalesce: eth.ethtoolGetCoalesce,
  getPauseparam: eth.ethtoolGetPauseparam,
  getEthtoolStats: eth.ethtoolGetStats,
  getPrivFlags: eth.ethtoolGetPrivFlags,
  getRxRingCount: eth.ethtoolGetRxRingCount,
  getRxfh: eth.ethtoolGetRxfh,
}

/** Setters with something to set. */
const SETS: Readonly<Record<string, (dev: Dev) => unknown>> = {
  setRingparam: (dev) => eth.ethtoolSetRingparam(dev, { rxPending: 64 }),
  setChannels: (dev) => eth.ethtoolSetChannels(dev, { combinedCount: 1 }),
  setCoalesce: (dev) => eth.ethtoolSetCoalesce(dev, { rxCoalesceUsecs: 10 }),
  setPauseparam: (dev) => eth.ethtoolSetPauseparam(dev, { rxPause: true }),
  setMsglevel: (dev) => eth.ethtoolSetMsglevel(dev, 7),
  setWol: (dev) => eth.ethtoolSetWol(dev, {}),
  setLinkKsettings: (dev) => eth.ethtoolSetLinkmodes(dev, { speed: 100 }),
  setRxfh: (dev) => eth.ethtoolSetRxfh(dev, { indir: 'default' }),
  nwayReset: eth.ethtoolNwayReset,
}

function tableOf(dev: Dev): EthtoolOps<any> {
  return (dev.ethtoolOps ?? {}) as EthtoolOps<any>
}

/** Puts entries in front of the driver's table. */
function overlay(dev: Dev, entries: (ops: EthtoolOps<any>) => Partial<EthtoolOps<any>>): void {
  const ops = tableOf(dev)
  dev.ethtoolOps = Object.assign(Object.create(ops) as object, entries(ops))
}

/** The refusal of `fn`, or null. */
function refusal(t: Testbed, fn: () => unknown): Errno | null {
  try {
    t.kernel.rtnl.run(fn)
    return null
  } catch (error) {
    if (error instanceof Errno) return error
    throw error
  }
}

const code = (t: Testbed, fn: () => unknown): string => refusal(t, fn)?.code ?? 'none'

function notices(t: Testbed): string[] {
  const list: string[] = []
  eth.ethtoolSubscribe(t.kernel, (n) => list.push(n.cmd))
  return list
}

/** Sizes asked of a ring: not all need be possible. */
const SIZES = [4, 6, 8, 12, 100, 128, 512]

/** Commands, refusals, notices. @kernel none */
export const ethChecks: readonly Check[] = [
  {
    id: 'ETH-01',
    title: 'answers what it does not offer with EOPNOTSUPP, and nothing else',
    run(t) {
      const dev = t.start()
      for (const [entry, get] of Object.entries(GETS)) {
        const answer = code(t, () => get(dev))
        t.expect(answer === 'none' || answer === 'EOPNOTSUPP', `${entry} is answered with ${answer}`)
      }
      for (const [entry, set] of Object.entries(SETS)) {
        if ((tableOf(dev) as Record<string, unknown>)[entry] === undefined) t.equal(code(t, () => set(dev)), 'EOPNOTSUPP', `${entry}, which it does not have`) // prettier-ignore
      }
      const own = dev.ethtoolOps
      eth.setEthtoolOps(dev, {})
      for (const [entry, call] of Object.entries({ ...GETS, ...SETS })) t.equal(code(t, () => call(dev)), 'EOPNOTSUPP', `${entry} of an empty table`) // prettier-ignore
      dev.ethtoolOps = own
    },
  },
  {
    id: 'ETH-02',
    title: 'keeps every setting that a request does not mention',
    needs: ['ringparam'],
    run(t) {
      const dev = t.start()
      if (t.supports.coalesce) t.kernel.rtnl.run(() => eth.ethtoolSetCoalesce(dev, { rxCoalesceUsecs: 40, rxMaxCoalescedFrames: 8 })) // prettier-ignore
      const coalesce = t.supports.coalesce ? eth.ethtoolGetCoalesce(dev) : null
      const ring = eth.ethtoolGetRingparam(dev)
      const { mtu } = dev
      t.kernel.rtnl.run(() => eth.ethtoolSetRingparam(dev, { rxPending: 32 }))
      t.equal(
        eth.ethtoolGetRingparam(dev).txPending,
        ring.txPending,
        'transmit ring after a set of the receive ring',
      )
      t.equal(t.supports.coalesce ? eth.ethtoolGetCoalesce(dev) : null, coalesce, 'coalescing after a set of the receive ring') // prettier-ignore
      t.equal(dev.mtu, mtu, 'MTU after a set of the receive ring')
    },
  },
  {
    id: 'ETH-03',
    title: 'is not called and told of when nothing changes, and told of once when something does',
    needs: ['ringparam'],
    run(t) {
      const dev = t.start()
      const told = notices(t)
      let calls = 0
      overlay(dev, (ops) => ({
        setRingparam(d, ring) {
          calls++
          ops.setRingparam!(d, ring)
        },
      }))
      const { rxPending, txPending } = eth.ethtoolGetRingparam(dev)
      t.kernel.rtnl.run(() => eth.ethtoolSetRingparam(dev, { rxPending, txPending }))
      t.equal([calls, told], [0, []], 'calls and notices of a set to what is')
      t.kernel.rtnl.run(() => eth.ethtoolSetRingparam(dev, { rxPending: rxPending / 2 }))
      t.equal([calls, told], [1, ['rings-ntf']], 'calls and notices of a change')
    },
  },
  {
    id: 'ETH-04',
    title: 'says in a refusal what is wrong with which value',
    needs: ['ringparam'],
    run(t) {
      const dev = t.start()
      const no = refusal(t, () => eth.ethtoolSetRingparam(dev, { rxPending: 1 })) ?? refusal(t, () => eth.ethtoolSetRingparam(dev, { rxPending: 0 })) // prettier-ignore
      if (no === null) return t.skip('it takes rings of every size')
      t.expect((no.extack ?? '') !== '', `a ring of one entry is refused with ${no.code} and no sentence`)
      t.equal(no.badAttr, 'rx', 'the value named by the refusal')
    },
  },
  {
    id: 'ETH-05',
    title: 'is not asked for more than its maximum, and can do its maximum',
    needs: ['ringparam'],
    run(t) {
      const dev = t.create()
      const { rxMaxPending } = eth.ethtoolGetRingparam(dev)
      let calls = 0
      overlay(dev, (ops) => ({
        setRingparam(d, ring) {
          calls++
          ops.setRingparam!(d, ring)
        },
      }))
      t.equal(code(t, () => eth.ethtoolSetRingparam(dev, { rxPending: rxMaxPending + 1 })), 'EINVAL', 'one more than the maximum') // prettier-ignore
      t.equal(calls, 0, 'times the driver was asked for more than its maximum')
      t.equal(
        code(t, () => eth.ethtoolSetRingparam(dev, { rxPending: rxMaxPending })),
        'none',
        'its own maximum',
      )
    },
  },
  {
    id: 'ETH-06',
    title: 'always has one channel to receive and one to send',
    run(t) {
      const dev = t.start(t.supports.queues ? { queues: 2 } : {})
      if (tableOf(dev).getChannels === undefined) t.skip('it does not tell its channels')
      const { combinedCount, rxCount, txCount } = eth.ethtoolGetChannels(dev)
      t.expect(combinedCount > 0 || (rxCount > 0 && txCount > 0), `it has ${combinedCount} combined channels, ${rxCount} to receive and ${txCount} to send`) // prettier-ignore
      overlay(dev, (ops) => ({ setChannels: ops.setChannels ?? (() => {}) }))
      const none = { combinedCount: 0, rxCount: 0, txCount: 0 }
      t.equal(
        code(t, () => eth.ethtoolSetChannels(dev, none)),
        'EINVAL',
        'a set to no channels at all',
      )
    },
  },
  {
    id: 'ETH-07',
    title: 'cannot lose a channel that a flow rule or the hash table uses',
    run(t) {
      const dev = t.create()
      let queues = 4
      const table: EthtoolOps<any> = {
        getChannels: () => ({ maxCombined: 4, combinedCount: queues }),
        setChannels(_dev, c) {
          queues = c.combinedCount
        },
        getRxnfcRules: () => [{ location: 0, queue: 3 }],
      }
      eth.setEthtoolOps(dev, table)
      t.equal(code(t, () => eth.ethtoolSetChannels(dev, { combinedCount: 2 })), 'EINVAL', 'two channels with a rule for queue 3') // prettier-ignore
      t.equal(queues, 4, 'channels after the refusal')
      eth.setEthtoolOps(dev, { ...table, getRxnfcRules: () => [{ location: 0, queue: 1 }] })
      t.equal(code(t, () => eth.ethtoolSetChannels(dev, { combinedCount: 2 })), 'none', 'two channels with a rule for queue 1') // prettier-ignore
    },
  },
  {
    id: 'ETH-08',
    title: 'declares the coalescing parameters it can set; others are refused',
    run(t) {
      const dev = t.create()
      const ops = tableOf(dev)
      if (ops.setCoalesce !== undefined) {
        const declared = ops.supportedCoalesceParams ?? new Set()
        t.expect(declared.size > 0, 'it has setCoalesce and declares no parameter')
        const undeclared = (['rxCoalesceUsecsHigh', 'pktRateLow', 'rateSampleInterval'] as const).find((p) => !declared.has(p)) // prettier-ignore
        if (undeclared !== undefined) t.equal(code(t, () => eth.ethtoolSetCoalesce(dev, { [undeclared]: 5 })), 'EINVAL', `a set of ${undeclared}, not declared`) // prettier-ignore
      }
      t.equal(t.errnoOf(() => eth.setEthtoolOps(dev, { setCoalesce() {} })), 'EINVAL', 'a table with a setter and no declaration') // prettier-ignore
    },
  },
  {
    id: 'ETH-09',
    title: 'gives back what was set',
    needs: ['ringparam'],
    run(t) {
      const dev = t.start()
      for (const rxPending of SIZES) {
        if (code(t, () => eth.ethtoolSetRingparam(dev, { rxPending })) === 'none') t.equal(eth.ethtoolGetRingparam(dev).rxPending, rxPending, 'receive ring') // prettier-ignore
      }
      if (!t.supports.coalesce) return
      for (const rxCoalesceUsecs of [1, 30, 77]) {
        if (code(t, () => eth.ethtoolSetCoalesce(dev, { rxCoalesceUsecs })) === 'none') t.equal(eth.ethtoolGetCoalesce(dev).rxCoalesceUsecs, rxCoalesceUsecs, 'rx-usecs') // prettier-ignore
      }
    },
  },
  {
    id: 'ETH-10',
    title: 'loses no frame uncounted when rings are resized under traffic, and keeps the old ones if it must',
    needs: ['ringparam'],
    run(t) {
      const dev = t.start({ txRing: 32, rxRing: 32 })
      noLimit(dev)
      const taken = countTaken(t)
      t.dut.card?.slow?.(100_000)
      t.sendMany(60)
      for (const txPending of [64, 8, 32]) {
        t.run(MS)
        t.kernel.rtnl.run(() => eth.ethtoolSetRingparam(dev, { txPending }))
      }
      t.run(SECOND)
      t.equal(txAccount(dev), taken(), 'sent, dropped and failed, against frames the driver took')
      const { failAlloc } = t.dut.card ?? {}
      if (failAlloc === undefined) return
      let refusals = 1
      failAlloc(() => refusals-- > 0)
      const refused = code(t, () => eth.ethtoolSetRingparam(dev, { rxPending: 64 })) !== 'none'
      failAlloc(null)
      t.equal(eth.ethtoolGetRingparam(dev).rxPending, refused ? 32 : 64, 'receive ring after a resize without memory') // prettier-ignore
      const before = t.received.length
      t.inject(10)
      t.run(100 * MS)
      t.equal(t.received.length - before, 10, 'frames received after a resize without memory')
    },
  },
  {
    id: 'ETH-11',
    title: 'is called between begin and complete, also when it refuses',
    run(t) {
      const dev = t.create()
      const log: string[] = []
      const say = (word: string) => (): void => void log.push(word)
      const refuse = (): never => {
        log.push('set')
        throw new Errno('EINVAL', 'not today', 'rx')
      }
      overlay(dev, () => ({
        begin: say('begin'),
        complete: say('complete'),
        getRingparam: () => (log.push('get'), { rxPending: 8, rxMaxPending: 64 }),
        setRingparam: refuse,
      }))
      eth.ethtoolGetRingparam(dev)
      t.equal(log.splice(0), ['begin', 'get', 'complete'], 'calls of a get')
      t.equal(
        code(t, () => eth.ethtoolSetRingparam(dev, { rxPending: 16 })),
        'EINVAL',
        'the refusal',
      )
      t.equal(log, ['begin', 'get', 'set', 'complete'], 'calls of a set that is refused')
    },
  },
  {
    id: 'ETH-12',
    title: 'has names shorter than 32 bytes, and a value for each',
    needs: ['ethtoolStats'],
    run(t) {
      const dev = t.start()
      const names = eth.ethtoolGetStrings(dev, 'stats')
      t.equal(names.filter((name) => name.length === 0 || name.length >= eth.ETH_GSTRING_LEN), [], 'names that do not fit') // prettier-ignore
      t.equal(new Set(names).size, names.length, 'different names')
      t.equal(tableOf(dev).getEthtoolStats?.(dev).length, names.length, 'values')
    },
  },
  {
    id: 'ETH-13',
    title: 'has a name that ethtool -i shows, with or without its help',
    run(t) {
      const dev = t.create()
      const driver = (): string => {
        const no = refusal(t, () => eth.ethtoolGetDrvinfo(dev))
        return no === null ? eth.ethtoolGetDrvinfo(dev).driver : `(refused: ${no.code})`
      }
      const named = driver()
      t.expect(/^[\w-]+$/.test(named), `ethtool -i says that the driver is ${named}`)
      dev.ethtoolOps = null
      t.expect(/^[\w-]+$/.test(driver()), `without its table ethtool -i says that the driver is ${driver()}`)
    },
  },
  {
    id: 'ETH-14',
    title: 'reports pause statistics if it has pause settings',
    run(t) {
      const dev = t.start()
      const { getPauseparam, getPauseStats } = tableOf(dev)
      if (getPauseparam === undefined)
        t.equal(code(t, () => eth.ethtoolGetPauseparam(dev)), 'EOPNOTSUPP', 'pause settings') // prettier-ignore
      else t.expect(getPauseStats !== undefined, 'it has pause settings and no pause statistics')
    },
  },
  {
    id: 'ETH-15',
    title: 'tells apart a switch that is off in a request and one that is not mentioned',
    needs: ['coalesce'],
    run(t) {
      const dev = t.start()
      if (tableOf(dev).supportedCoalesceParams?.has('useAdaptiveRxCoalesce'))
        t.skip('it has adaptive coalescing')
      const set = (useAdaptiveRxCoalesce: boolean | undefined): string => code(t, () => eth.ethtoolSetCoalesce(dev, { rxCoalesceUsecs: 25, useAdaptiveRxCoalesce })) // prettier-ignore
      t.equal(set(undefined), 'none', 'a request that does not mention adaptive-rx')
      t.equal(set(false), 'EINVAL', 'a request that turns adaptive-rx off, which it does not have')
    },
  },
  {
    id: 'ETH-16',
    title: 'may be looked at by anyone and changed only by an administrator',
    needs: ['ringparam'],
    run(t) {
      const { name } = t.start()
      const as = (capNetAdmin: boolean, ...argv: string[]): number => eth.runEthtool(t.kernel, argv, { capNetAdmin }).exitCode // prettier-ignore
      const before = eth.ethtoolGetRingparam(t.dev).rxPending
      t.equal(as(false, '-g', name), 0, 'exit code of ethtool -g for an ordinary user')
      t.expect(as(false, '-G', name, 'rx', '32') !== 0, 'an ordinary user changed a ring')
      t.equal(eth.ethtoolGetRingparam(t.dev).rxPending, before, 'receive ring')
      t.equal(as(true, '-G', name, 'rx', '32'), 0, 'exit code of ethtool -G for an administrator')
    },
  },
]
