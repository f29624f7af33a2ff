/**
 * The network device layer of Linux: net_device with its life cycle, transmit queues, queueing disciplines, byte queue
 * limits, watchdog, carrier, features, statistics and notifiers, and sk_buff with its buffers and the receive path.
 *
 * A driver makes a device with `allocEtherdevMqs`, fills in what its card is, and shows it with `registerNetdev`. From
 * then on the core calls its {@link NetDeviceOps}, each in its context, and reports the rules it breaks through
 * `kernel.warnOn`. Packets leave with `devQueueXmit` and arrive with `netifReceiveSkb` or through GRO.
 *
 * @packageDocumentation
 */

// ── the device
export * from './constants.ts'
export type { NetDeviceOps } from './ops.ts'
export { LinkState, NetDevice } from './netdevice.ts'
export type { HwAddr, NapiHandle, NetDeviceInit, RegState } from './netdevice.ts'
export {
  allocEtherdevMqs,
  freeNetdev,
  netdevHold,
  netdevPut,
  registerNetdev,
  registerNetdevice,
  unregisterNetdev,
  unregisterNetdevice,
} from './register.ts'
export type { AllocEtherdev } from './register.ts'
export { Net, netOf } from './net.ts'
export type { RtmsgIfinfo } from './net.ts'
export { devGetByIndex, devGetByName, forEachNetdev } from './lookup.ts'
export { devGetValidName, devValidName } from './name.ts'
export {
  callNetdeviceNotifiers,
  netdevStateChange,
  registerNetdeviceNotifier,
  tellNetdeviceNotifiers,
  unregisterNetdeviceNotifier,
} from './notifier.ts'
export type { NetdevEvent, NetdevNotifier } from './notifier.ts'

// ── control
export { devClose, devOpen } from './open.ts'
export { netifDeviceAttach, netifDeviceDetach, netifDevicePresent, netifRunning } from './running.ts'
export { devChangeFlags, devGetFlags } from './flags.ts'
export { devSetAllmulti, devSetPromiscuity, devSetRxMode } from './rx-mode.ts'
export { devMcAdd, devMcDel, devMcFlush, devUcAdd, devUcDel, devUcFlush } from './addr-list.ts'
export {
  devSetMacAddress,
  ethHwAddrRandom,
  ethHwAddrSet,
  ethMacAddr,
  ethPrepareMacAddrChange,
  ethValidateAddr,
} from './address.ts'
export { devSetMtu, devValidateMtu } from './mtu.ts'
export { devChangeCarrier, devChangeName, devChangeTxQueueLen, devSetAlias, devSetGroup } from './change.ts'
export { netifSetRealNumQueues, netifSetRealNumRxQueues, netifSetRealNumTxQueues } from './real-queues.ts'

// ── carrier and state
export {
  netifCarrierOff,
  netifCarrierOk,
  netifCarrierOn,
  netifDormant,
  netifDormantOff,
  netifDormantOn,
  netifOperUp,
  netifTesting,
  netifTestingOff,
  netifTestingOn,
} from './carrier.ts'
export { linkwatchSyncDev } from './linkwatch.ts'

// ── transmit
export {
  netdevGetTxQueue,
  NetdevQueue,
  netifQueueStopped,
  netifStartQueue,
  netifStopQueue,
  netifTxDisable,
  netifTxQueueStopped,
  netifTxStartAllQueues,
  netifTxStartQueue,
  netifTxStopAllQueues,
  netifTxStopQueue,
  netifTxWakeAllQueues,
  netifTxWakeQueue,
  netifWakeQueue,
  netifXmitFrozenOrStopped,
  netifXmitStopped,
} from './queue.ts'
export { QueueState } from './queue-state.ts'
export { netifTxqCompletedWake, netifTxqMaybeStop, netifTxqTryStop } from './queue-flow.ts'
export type { TxRing } from './queue-flow.ts'
export { netifTxLock, netifTxUnlock, ScheduleBlocked } from './blocked.ts'
export { __netdevTxSentQueue, netdevTxCompletedQueue, netdevTxResetQueue, netdevTxSentQueue } from './bql.ts'
export { Dql, DQL_MAX_LIMIT } from './dql.ts'
export { netifTransUpdate } from './watchdog.ts'
export { devQueueXmit, devQueueXmitList } from './xmit.ts'
export { netdevStartXmit, netdevXmitMore } from './hard-start.ts'
export { netdevPickTx } from './select-queue.ts'
export { netifScheduleQueue } from './schedule.ts'
export { netifNeedsGso, netifSkbFeatures } from './validate.ts'

// ── queueing disciplines
export { Qdisc } from './qdisc/qdisc.ts'
export type { QdiscOps } from './qdisc/qdisc.ts'
export { FqCodelQdisc, fqCodelQdiscOps } from './qdisc/fq-codel.ts'
export type { FqCodelStats } from './qdisc/fq-codel.ts'
export { CODEL_DEFAULTS, codelTime } from './qdisc/codel.ts'
export type { CodelParams } from './qdisc/codel.ts'
export { MqQdisc } from './qdisc/mq.ts'
export { NoopQdisc } from './qdisc/noop.ts'
export { NoqueueQdisc, noqueueQdiscOps } from './qdisc/noqueue.ts'
export { PfifoFastQdisc, pfifoFastQdiscOps, PRIO2BAND } from './qdisc/pfifo-fast.ts'
export {
  defaultQdisc,
  qdiscLookup,
  registerQdisc,
  setDefaultQdisc,
  unregisterQdisc,
} from './qdisc/registry.ts'
export { devGraftRoot, qdiscAllTxEmpty } from './qdisc/activate.ts'
export { qdiscStats } from './qdisc/stats.ts'
export type { QdiscStats } from './qdisc/stats.ts'

// ── features
export {
  FeatureBit,
  NETIF_F,
  NETIF_F_ALL_TSO,
  NETIF_F_CSUM_MASK,
  NETIF_F_GSO_SHIFT,
  PktFeature,
  pktFeatures,
} from './features.ts'
export type { FeatureKey, NetdevFeatures } from './features.ts'
export { FEATURE_NAMES, featureByName, featureNames } from './feature-names.ts'
export type { FeatureName } from './feature-names.ts'
export { FEATURE_RULES, netdevFixFeatures } from './feature-fix.ts'
export type { FeatureRule } from './feature-fix.ts'
export {
  __netdevUpdateFeatures,
  NETIF_F_NEVER_CHANGE,
  NETIF_F_SOFT_FEATURES,
  NETIF_F_SOFT_FEATURES_OFF,
  netdevChangeFeatures,
  netdevGetWantedFeatures,
  netdevSetWantedFeatures,
  netdevUpdateFeatures,
} from './feature-update.ts'

// ── statistics and messages
export { NetDeviceCoreStats, RtnlLinkStats64, U64Stats } from './stats.ts'
export { devGetStats } from './get-stats.ts'
export {
  netdevCrit,
  netdevErr,
  netdevInfo,
  netdevName,
  netdevNotice,
  netdevPrintk,
  netdevWarn,
} from './netdev-printk.ts'
export { netifErr, netifInfo, netifMsg, NetifMsg, netifMsgInit, netifWarn } from './netif-msg.ts'
export type { NetifMsgClass } from './netif-msg.ts'

// ── taking over what a device receives
export {
  netdevRxHandlerRegister,
  netdevRxHandlerUnregister,
  RX_HANDLER_CONSUMED,
  RX_HANDLER_PASS,
} from './rx-handler.ts'
export type { RxHandler } from './rx-handler.ts'

// ── `ip link`
export { formatIpLink, linkText } from './format/ip-link.ts'
export { briefJson, jsonText, linkJson, statsJson } from './format/ip-link-json.ts'
export type { JsonRecord, JsonValue } from './format/ip-link-json.ts'
export { statsText } from './format/ip-link-stats.ts'
export { linkFlagNames } from './format/ip-link-flags.ts'
export { groupName } from './format/ip-link-options.ts'
export type { IpLinkOptions } from './format/ip-link-options.ts'
export { linkInfo, linkInfos, linkTypeName } from './format/link-info.ts'
export type { LinkInfo } from './format/link-info.ts'
export { garbage, IpError } from './format/ip-error.ts'
export { runIpLink } from './format/run-ip-link.ts'
export type { CommandResult } from './format/run-ip-link.ts'

// ── sk_buff, its buffers, the receive path
export * from './index-skb.ts'
