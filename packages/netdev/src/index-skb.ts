export * from './backlog.ts'
export * from './checksum.ts'
export * from './drop-reason.ts'
export * from './eth-addr.ts'
export * from './eth.ts'
export * from './flow.ts'
export { devAddPack, devNitActive, devQueueXmitNit, devRemovePack } from './packet-type.ts'
export type { PacketType } from './packet-type.ts'
export {
  napiBuildSkb,
  PagePool,
  pagePoolAlloc,
  pagePoolCreate,
  pagePoolDestroy,
  pagePoolOffset,
  pagePoolPut,
} from './page-pool.ts'
export type { PagePoolParams } from './page-pool.ts'
export * from './receive.ts'
export { RxState, rxStateOf } from './rx-state.ts'
export { allocSkb, netdevAllocSkb, skbAllocFrom } from './skb-alloc.ts'
export * from './skb-bits.ts'
export { POISON_FREE, SkbCache, skbCacheDestroy, skbCacheOf, skbName } from './skb-cache.ts'
export { skbClone, skbCopy, skbCopyExpand } from './skb-clone.ts'
export * from './skb-expand.ts'
export { skbAddRxFrag } from './skb-frag.ts'
export {
  consumeSkb,
  consumeSkbList,
  devConsumeSkbAny,
  devConsumeSkbIrq,
  devKfreeSkbAny,
  devKfreeSkbIrq,
  kfreeSkb,
  kfreeSkbList,
  napiConsumeSkb,
  napiConsumeSkbRing,
} from './skb-free.ts'
export * from './skb-ops.ts'
export * from './skb-queue.ts'
export * from './skbuff.ts'
export { skbVlanUntag } from './vlan-untag.ts'
export { groFlush, groFree, groInit, groReceiveSkb } from './gro.ts'
export { GRO_HELD, GRO_MERGED, GRO_NORMAL, GroNode } from './gro-node.ts'
export { skbGsoSegment } from './gso.ts'
