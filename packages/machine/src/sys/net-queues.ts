import { Errno, jiffiesToMsecs, msecsToJiffies } from '@vnet/kernel'
import { DQL_MAX_LIMIT, type NetDevice, type NetdevQueue } from '@vnet/netdev'
import { attribute, liveDir, refusing, staticDir } from '../vfs/dirs.ts'
import type { VfsDir, VfsFile } from '../vfs/node.ts'
import { cpumask, dec, unsigned } from './attr-text.ts'
import { netSysfsState } from './net-state.ts'

type Dev = NetDevice<any>

const U32_MAX = 0xffffffff

/** `queues`: a directory for each receive and each transmit queue in use. @kernel register_queue_kobjects() net/core/net-sysfs.c */
export function queuesDir(dev: Dev): VfsDir {
  return liveDir(
    () => [...names('rx', dev.realNumRxQueues), ...names('tx', dev.realNumTxQueues)],
    (name) => {
      const [, kind, digits] = /^(rx|tx)-(0|[1-9]\d{0,4})$/.exec(name) ?? []
      const index = Number(digits)
      if (kind === 'rx' && index < dev.realNumRxQueues) return rxQueueDir(dev, index)
      if (kind === 'tx' && index < dev.realNumTxQueues) return txQueueDir(dev, dev.txq[index]!)
      return undefined
    },
  )
}

function* names(kind: string, count: number): Generator<string> {
  for (let i = 0; i < count; i++) yield `${kind}-${i}`
}

/** Steering by software: kept and shown; with one CPU there is nowhere to steer to. @kernel rx_queue_default_attrs[] net/core/net-sysfs.c */
function rxQueueDir(dev: Dev, index: number): VfsDir {
  const state = netSysfsState(dev.kernel).rxQueue(dev, index)
  return staticDir({
    rps_cpus: attribute(
      () => `${state.rpsCpus.toString(16)}\n`,
      (text) => (state.rpsCpus = cpumask(text)),
    ),
    rps_flow_cnt: attribute(
      () => dec(state.rpsFlowCnt),
      (text) => (state.rpsFlowCnt = flowCount(unsigned(text))),
    ),
  })
}

/** A table's size is a power of two. @kernel store_rps_dev_flow_table_cnt() net/core/net-sysfs.c */
function flowCount(asked: number): number {
  if (asked === 0) return 0
  if (asked > 1 << 28) throw new Errno('EINVAL')
  return 2 ** Math.ceil(Math.log2(asked))
}

/** @kernel netdev_queue_default_attrs[] net/core/net-sysfs.c */
function txQueueDir(dev: Dev, txq: NetdevQueue): VfsDir {
  const several = dev.realNumTxQueues > 1
  return staticDir({
    byte_queue_limits: () => bqlDir(txq),
    traffic_class: several ? attribute(() => dec(0)) : refusing('ENOENT'),
    tx_maxrate: attribute(() => dec(0), setMaxrate),
    tx_timeout: attribute(() => dec(txq.txTimeouts)),
    xps_cpus: xps(several),
    xps_rxqs: xps(true),
  })
}

/** No driver here limits the rate of a queue. @kernel tx_maxrate_store() net/core/net-sysfs.c */
function setMaxrate(): void {
  throw new Errno('EOPNOTSUPP')
}

/** Which CPU uses which queue: with one CPU, none is asked. */
function xps(several: boolean): VfsFile {
  if (several)
    return attribute(
      () => '0\n',
      (text) => void cpumask(text),
    )
  const refuse = (): never => {
    throw new Errno('ENOENT')
  }
  return attribute(refuse, refuse)
}

/** The byte limit of a queue; what is set counts from the next completion on. @kernel dql_attrs[] net/core/net-sysfs.c @rule BQL-05 */
function bqlDir(txq: NetdevQueue): VfsDir {
  const { dql } = txq
  const { kernel } = txq.dev
  const limit = (get: () => number, set: (value: number) => void): VfsFile =>
    attribute(
      () => dec(get()),
      (text) => set(bqlLimit(text)),
    )
  return staticDir({
    hold_time: attribute(
      () => dec(jiffiesToMsecs(kernel, dql.slackHoldTime)),
      (text) => (dql.slackHoldTime = msecsToJiffies(kernel, unsigned(text, U32_MAX))),
    ),
    inflight: attribute(() => dec(dql.inflight)),
    limit: limit(
      () => dql.limit,
      (value) => (dql.limit = value),
    ),
    limit_max: limit(
      () => dql.maxLimit,
      (value) => (dql.maxLimit = value),
    ),
    limit_min: limit(
      () => dql.minLimit,
      (value) => (dql.minLimit = value),
    ),
  })
}

/** A limit in bytes, or `max`. @throws Errno EINVAL @kernel bql_set() net/core/net-sysfs.c */
function bqlLimit(text: string): number {
  if (text.trim() === 'max') return DQL_MAX_LIMIT
  const value = unsigned(text, U32_MAX)
  if (value > DQL_MAX_LIMIT) throw new Errno('EINVAL')
  return value
}
