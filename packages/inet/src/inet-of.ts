import type { Kernel } from '@vnet/kernel'
import { Inet } from './inet.ts'
import { ipv4Init } from './ipv4/init.ts'
import { inet6Init } from './ipv6/index.ts'

/**
 * The internet protocols of a kernel, started at the first call.
 *
 * @kernel none
 */
export function inetOf(kernel: Kernel): Inet {
  return kernel.subsys('inet', createInet)
}

function createInet(kernel: Kernel): Inet {
  const module = kernel.currentModule
  // It is the kernel's own, even when a module asks first.
  kernel.currentModule = null
  try {
    const inet = new Inet(kernel)
    // What is done to the devices there are needs rtnl, which the caller may hold.
    if (kernel.rtnl.held) start(inet)
    else kernel.rtnl.run(() => start(inet))
    return inet
  } finally {
    kernel.currentModule = module
  }
}

/** IPv4 first: it hears of devices first, as in the kernel. */
function start(inet: Inet): void {
  ipv4Init(inet)
  inet6Init(inet)
}
