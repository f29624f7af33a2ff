/**
 * The NAPI scheduler: a source interrupts once, is masked, is polled within a budget, and is unmasked when it is empty.
 *
 * It knows no packets and no network devices: whatever has a kernel, a name and an ifindex can be polled. Begin with
 * `netifNapiAdd`; the contract of a poll function is written at `NapiPoll`.
 *
 * @packageDocumentation
 */
export { BUSY_POLL_BUDGET, napiBusyLoop, napiResumeIrqs, napiSuspendIrqs } from './busy-poll.ts'
export { napiComplete, napiCompleteDone } from './complete.ts'
export { netdevSetDeferHardIrqs, netdevSetGroFlushTimeout } from './config.ts'
export {
  NAPI_POLL_WEIGHT,
  type NapiAddOptions,
  napiDisable,
  napiEnable,
  netifNapiAdd,
  netifNapiDel,
} from './lifecycle.ts'
export {
  napiDisablePending,
  type NapiFlushHook,
  type NapiHandle,
  napiIsScheduled,
  type NapiOwner,
  type NapiPoll,
  napiPreferBusyPoll,
  NapiStats,
  NapiStruct,
} from './napi-struct.ts'
export { pollOneNapi } from './netpoll.ts'
export { __napiSchedule, napiIfScheduledMarkMissed, napiSchedule, napiSchedulePrep } from './schedule.ts'
export { MIN_NAPI_ID, SoftnetData } from './softnet-data.ts'
export { napiById, napiList, softnet } from './softnet.ts'
export * from './state.ts'
export { devSetThreaded } from './threaded.ts'
