import { scheduleDelayedWork, type WorkStruct } from '@vnet/kernel'

/** Runs a work's body with rtnl held; while somebody sleeps with it, comes back a tick later. @kernel rtnl_lock() net/core/rtnetlink.c */
export function runWithRtnl(work: WorkStruct, body: () => void): void {
  const { rtnl } = work.kernel
  if (!rtnl.trylock()) {
    scheduleDelayedWork(work, 1)
    return
  }
  try {
    body()
  } finally {
    rtnl.unlock()
  }
}
