import type { Kernel } from '@vnet/kernel'
import { registerNetdeviceNotifier } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'

/** What changed. The names are those of the ethtool netlink messages. */
export type EthtoolNoticeCmd =
  | 'linkinfo-ntf'
  | 'linkmodes-ntf'
  | 'debug-ntf'
  | 'wol-ntf'
  | 'features-ntf'
  | 'privflags-ntf'
  | 'rings-ntf'
  | 'channels-ntf'
  | 'coalesce-ntf'
  | 'pause-ntf'
  | 'rss-ntf'

/** One change of one device. Ask the matching `ethtoolGet…` for the new state. */
export interface EthtoolNotice {
  readonly cmd: EthtoolNoticeCmd
  readonly dev: NetDevice<any>
}

class Notices {
  readonly listeners = new Set<(notice: EthtoolNotice) => void>()

  /** Features change in netdev, whoever asked; so their notice comes from there. */
  constructor(kernel: Kernel) {
    registerNetdeviceNotifier(kernel, (event, dev) => {
      if (event === 'NETDEV_FEAT_CHANGE') this.send({ cmd: 'features-ntf', dev })
    })
  }

  /** What a listener makes is not the driver's. */
  send(notice: EthtoolNotice): void {
    const { kernel } = notice.dev
    const before = kernel.currentModule
    kernel.currentModule = null
    try {
      for (const listener of [...this.listeners]) listener(notice)
    } finally {
      kernel.currentModule = before
    }
  }
}

function noticesOf(kernel: Kernel): Notices {
  return kernel.subsys('ethtool', (k) => new Notices(k))
}

/**
 * Calls `fn` once for every change of a device's settings, whoever made it.
 *
 * @returns what ends it
 * @kernel ETHNL_MCGRP_MONITOR net/ethtool/netlink.c
 * @rule ETH-03
 */
export function ethtoolSubscribe(kernel: Kernel, fn: (notice: EthtoolNotice) => void): () => void {
  const { listeners } = noticesOf(kernel)
  listeners.add(fn)
  return () => {
    listeners.delete(fn)
  }
}

/**
 * Tells everyone that settings changed. The core does it after each successful set; a driver calls it when it
 * changed something by itself.
 *
 * @kernel ethtool_notify() net/ethtool/netlink.c
 * @rule ETH-03
 */
export function ethtoolNotify(dev: NetDevice<any>, cmd: EthtoolNoticeCmd): void {
  noticesOf(dev.kernel).send({ cmd, dev })
}
