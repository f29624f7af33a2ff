import { Errno } from '@vnet/kernel'
import { assertRtnl, enterControl } from './control.ts'
import { formatMac } from './eth-addr.ts'
import type { HwAddr, NetDevice } from './netdevice.ts'
import { devSetRxMode } from './rx-mode.ts'

/** Adds a unicast address the device shall also take; each add counts. rtnl is held. @throws Errno EINVAL @kernel dev_uc_add() net/core/dev_addr_lists.c @rule RX-09 */
export function devUcAdd(dev: NetDevice<any>, addr: Uint8Array): void {
  add(dev, dev.uc, addr, 'devUcAdd')
}

/** Takes back one `devUcAdd`. rtnl is held. @throws Errno ENOENT @kernel dev_uc_del() net/core/dev_addr_lists.c */
export function devUcDel(dev: NetDevice<any>, addr: Uint8Array): void {
  del(dev, dev.uc, addr, 'devUcDel')
}

/** Subscribes to a multicast address; each add counts. rtnl is held. @throws Errno EINVAL @kernel dev_mc_add() net/core/dev_addr_lists.c @rule RX-09 */
export function devMcAdd(dev: NetDevice<any>, addr: Uint8Array): void {
  add(dev, dev.mc, addr, 'devMcAdd')
}

/** Takes back one `devMcAdd`. rtnl is held. @throws Errno ENOENT @kernel dev_mc_del() net/core/dev_addr_lists.c */
export function devMcDel(dev: NetDevice<any>, addr: Uint8Array): void {
  del(dev, dev.mc, addr, 'devMcDel')
}

/** Empties the unicast list. @kernel dev_uc_flush() net/core/dev_addr_lists.c */
export function devUcFlush(dev: NetDevice<any>): void {
  dev.uc.clear()
}

/** Empties the multicast list. @kernel dev_mc_flush() net/core/dev_addr_lists.c */
export function devMcFlush(dev: NetDevice<any>): void {
  dev.mc.clear()
}

function add(dev: NetDevice<any>, list: Map<string, HwAddr>, addr: Uint8Array, what: string): void {
  enterControl(dev, what)
  if (addr.length !== dev.addrLen) throw new Errno('EINVAL')
  const key = formatMac(addr)
  const known = list.get(key)
  if (known !== undefined) {
    known.refcount++
    return
  }
  list.set(key, { addr: addr.slice(), refcount: 1 })
  devSetRxMode(dev)
}

/** Who hears that a device goes away gives back what it took: there it is no longer registered. */
function del(dev: NetDevice<any>, list: Map<string, HwAddr>, addr: Uint8Array, what: string): void {
  assertRtnl(dev.kernel, what)
  const key = formatMac(addr)
  const known = list.get(key)
  if (known === undefined) throw new Errno('ENOENT')
  if (--known.refcount > 0) return
  list.delete(key)
  devSetRxMode(dev)
}
