import { localBhDisable, localBhEnable } from '@vnet/kernel'
import type { NapiStruct } from './napi-struct.ts'
import { runPoll } from './poll.ts'
import { NAPIF_STATE_NPSVC } from './state.ts'

/**
 * Polls with budget 0, to get sent buffers back when interrupts cannot help, as a console over the network does.
 *
 * It needs no schedule, and does nothing while the instance is disabled or being polled.
 *
 * @kernel poll_one_napi() net/core/netpoll.c
 * @rule NAPI-04 NAPI-14
 */
export function pollOneNapi(n: NapiStruct): void {
  if ((n.state & NAPIF_STATE_NPSVC) !== 0 || n.depth > 0) return
  const inHardirq = n.kernel.ctx === 'hardirq'
  n.state |= NAPIF_STATE_NPSVC
  if (!inHardirq) localBhDisable(n.kernel)
  try {
    runPoll(n, 0)
  } finally {
    n.state &= ~NAPIF_STATE_NPSVC
    if (!inHardirq) localBhEnable(n.kernel)
  }
}
