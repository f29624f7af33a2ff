/** Opens a device in the namespace named on the command line and waits to be killed. */
import { createKernel } from '@vnet/kernel'
import { Netns } from '@vnet/linux'
import { devOpen } from '@vnet/netdev'
import { createAfxdp } from '../src/index.ts'

const kernel = createKernel({ clock: 'real' })
const dev = createAfxdp(kernel, { ifname: 'xa', mode: 'generic', netns: Netns.named(process.argv[2]!) })
kernel.rtnl.run(() => devOpen(dev))
setInterval(() => {}, 1000)
