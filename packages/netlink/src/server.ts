import type { Kernel } from '@vnet/kernel'
import { NetlinkServer } from './core/server.ts'
import { startEthtoolNetlink } from './ethnl/index.ts'
import { startGenlCtrl } from './genl/ctrl.ts'
import { startNetdevNetlink } from './netdev/index.ts'
import { startRtnetlink } from './route/index.ts'

/**
 * Netlink of a kernel: NETLINK_ROUTE, and NETLINK_GENERIC with the families nlctrl, ethtool and netdev. The first
 * call starts it; from then on it listens to the devices.
 *
 * @kernel netlink_proto_init() net/netlink/af_netlink.c
 */
export function netlinkServer(kernel: Kernel): NetlinkServer {
  return kernel.subsys('netlink', start)
}

function start(kernel: Kernel): NetlinkServer {
  // What listens belongs to the kernel, whoever asked first.
  const module = kernel.currentModule
  kernel.currentModule = null
  try {
    const server = new NetlinkServer(kernel)
    startRtnetlink(server)
    startGenlCtrl(server)
    startEthtoolNetlink(server)
    startNetdevNetlink(server)
    return server
  } finally {
    kernel.currentModule = module
  }
}
