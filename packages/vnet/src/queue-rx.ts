import { pagePoolAlloc, pagePoolOffset, pagePoolPut } from '@vnet/netdev'
import { RX_HEADROOM, type VnetQueue } from './queue.ts'
import { RX_ALLOC_FAIL } from './stats.ts'
import { DESC_LENGTH, DESC_OFFSET, DESC_REGION, DESC_STATUS } from './regs.ts'

/** Posts a page for every receive descriptor: after a reset those it had, so that none can be lacking. @rule OPEN-03 RX-05 */
export function fillRx(q: VnetQueue): void {
  for (let i = 0; i < q.rx.size; i++) {
    const kept = q.rxPage[i]!
    postPage(q, i, kept < 0 ? pagePoolAlloc(q.pool) : kept)
  }
  q.rx.post(q.rx.size)
}

/** Writes the receive descriptor of a page; the caller publishes it. */
export function postPage(q: VnetQueue, index: number, page: number): void {
  const { words } = q.rx
  const d = q.rx.at(index)
  q.rxPage[index & q.rx.mask] = page
  words[d + DESC_OFFSET] = pagePoolOffset(q.pool, page) + RX_HEADROOM
  words[d + DESC_REGION] = q.pool.region.id
  words[d + DESC_LENGTH] = q.pool.bufSize - RX_HEADROOM
  words[d + DESC_STATUS] = 0
}

/** No fresh page, or no packet: the old page goes back into the ring, its frame is lost. @rule RX-05 */
export function giveUpRx(q: VnetQueue, slot: number, fresh: number): void {
  if (fresh >= 0) pagePoolPut(q.pool, fresh)
  postPage(q, slot, q.rxPage[slot]!)
  q.stats.add(RX_ALLOC_FAIL, 1)
}

/** Takes every page back out of the receive ring. @rule STOP-04 */
export function drainRx(q: VnetQueue): void {
  for (let i = 0; i < q.rx.size; i++) pagePoolPut(q.pool, q.rxPage[i]!)
  q.rxPage.fill(-1)
  q.rx.reset()
}
