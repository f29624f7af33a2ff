import { type Kernel, type TimerList, timerSetup } from '@vnet/kernel'

/**
 * Makes a timer that belongs to `module`, or to the kernel itself, whoever is running now: a packet that a driver
 * brought up may start something of ours, which must not count as left behind by the driver.
 *
 * @kernel none
 */
export function ownTimer(
  kernel: Kernel,
  module: string | null,
  fn: (timer: TimerList) => void,
  owner: string,
): TimerList {
  const before = kernel.currentModule
  kernel.currentModule = module
  try {
    return timerSetup(kernel, fn, owner)
  } finally {
    kernel.currentModule = before
  }
}
