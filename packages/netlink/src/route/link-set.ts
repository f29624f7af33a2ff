import { Errno, LogLevel, printk } from '@vnet/kernel'
import {
  devChangeCarrier,
  devChangeFlags,
  devChangeName,
  devGetByIndex,
  devGetByName,
  devGetFlags,
  devSetAlias,
  devSetGroup,
  devSetMacAddress,
  devSetMtu,
  forEachNetdev,
  netdevStateChange,
  devChangeTxQueueLen,
} from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { NetlinkError } from '../codec/extack.ts'
import { NlmF } from '../codec/nlmsg.ts'
import type { NlaTable } from '../codec/table.ts'
import type { NlRequest } from '../core/request.ts'
import { IFINFOMSG_LEN, Ifla } from './constants.ts'
import { ifinfomsg, ifname, rtnlDevGet } from './link-find.ts'
import type { Ifinfomsg } from './link-find.ts'
import { linkNotifierOf } from './link-notify.ts'
import { iflaPolicy } from './link-policy.ts'
import { nlmsgParse, rtnetlinkOf } from './rtnl.ts'

/** Changes a link that is there. @throws Errno @kernel rtnl_setlink() net/core/rtnetlink.c */
export function rtnlSetlink(request: NlRequest): void {
  const tb = nlmsgParse(request, IFINFOMSG_LEN, iflaPolicy, 'liberal')
  const msg = ifinfomsg(request)
  doSetlink(request, rtnlDevGet(request, msg.index, tb), msg, tb)
}

/**
 * Changes a link, or would make one: no kind of link can be made here.
 *
 * @throws Errno ENODEV, EEXIST, EOPNOTSUPP, and what a change throws
 * @kernel rtnl_newlink() net/core/rtnetlink.c
 */
export function rtnlNewlink(request: NlRequest): void {
  const tb = nlmsgParse(request, IFINFOMSG_LEN, iflaPolicy, 'liberal')
  const msg = ifinfomsg(request)
  if (msg.index < 0) throw new NetlinkError('EINVAL', "ifindex can't be negative")
  const name = ifname(tb)
  const { kernel, flags } = request
  const dev =
    msg.index > 0
      ? devGetByIndex(kernel, msg.index)
      : name === undefined
        ? undefined
        : devGetByName(kernel, name)
  if (dev !== undefined) {
    if ((flags & NlmF.EXCL) !== 0) throw new Errno('EEXIST')
    if ((flags & NlmF.REPLACE) !== 0) throw new Errno('EOPNOTSUPP')
    doSetlink(request, dev, msg, tb)
    return
  }
  if ((flags & NlmF.CREATE) !== 0) throw new NetlinkError('EOPNOTSUPP', 'Unknown device type')
  const group = tb.number(Ifla.GROUP)
  if (msg.index !== 0 || name !== undefined || group === undefined) throw new Errno('ENODEV')
  for (const member of forEachNetdev(kernel)) {
    if (member.group === group) doSetlink(request, member, msg, tb)
  }
}

/**
 * Would remove a link; only links that a program made can be removed by one, so this refuses.
 *
 * @throws Errno ENODEV, EOPNOTSUPP
 * @kernel rtnl_dellink() net/core/rtnetlink.c
 */
export function rtnlDellink(request: NlRequest): void {
  const tb = nlmsgParse(request, IFINFOMSG_LEN, iflaPolicy, 'liberal')
  rtnlDevGet(request, ifinfomsg(request).index, tb)
  throw new Errno('EOPNOTSUPP')
}

const REFUSED = [
  Ifla.NET_NS_PID,
  Ifla.NET_NS_FD,
  Ifla.TARGET_NETNSID,
  Ifla.NEW_IFINDEX,
  Ifla.MAP,
  Ifla.BROADCAST,
  Ifla.OPERSTATE,
  Ifla.LINKMODE,
  Ifla.GSO_MAX_SEGS,
  Ifla.GSO_MAX_SIZE,
  Ifla.GRO_MAX_SIZE,
  Ifla.VFINFO_LIST,
  Ifla.PROTO_DOWN,
  Ifla.XDP,
  Ifla.PROP_LIST,
] as const

/** Applies the attributes in the kernel's order; what was done before a refusal stays done. @kernel do_setlink() net/core/rtnetlink.c */
function doSetlink(request: NlRequest, dev: NetDevice<any>, msg: Ifinfomsg, tb: NlaTable): void {
  const address = tb.binary(Ifla.ADDRESS)
  if (address !== undefined && address.length < dev.addrLen) throw new Errno('EINVAL')
  for (const type of REFUSED) {
    if (tb.has(type)) throw new NetlinkError('EOPNOTSUPP', undefined, { offset: tb.offset(type) })
  }
  const master = tb.number(Ifla.MASTER)
  if (master !== undefined && master !== 0) {
    throw new Errno(devGetByIndex(request.kernel, master) === undefined ? 'EINVAL' : 'EOPNOTSUPP')
  }
  let committed = false
  const step = (wanted: boolean, change: () => void): void => {
    if (!wanted) return
    change()
    committed = true
  }
  try {
    applyAttrs(request, dev, msg, tb, step)
  } catch (error) {
    if (committed) warnHalfDone(dev)
    throw error
  }
}

type Step = (wanted: boolean, change: () => void) => void

function applyAttrs(request: NlRequest, dev: NetDevice<any>, msg: Ifinfomsg, tb: NlaTable, step: Step): void {
  const has = (type: number): boolean => tb.has(type)
  step(has(Ifla.ADDRESS), () => devSetMacAddress(dev, tb.binary(Ifla.ADDRESS)!.slice(0, dev.addrLen)))
  step(has(Ifla.MTU), () => devSetMtu(dev, tb.s32(Ifla.MTU)!))
  // With an index in the header the name is a new one; without, it only said which device.
  const rename = msg.index > 0 && has(Ifla.IFNAME) && tb.text(Ifla.IFNAME) !== ''
  const regroup = has(Ifla.GROUP) && (msg.index > 0 || ifname(tb) !== undefined)
  step(regroup, () => devSetGroup(dev, tb.number(Ifla.GROUP)!))
  step(rename, () => devChangeName(dev, tb.text(Ifla.IFNAME)!))
  step(has(Ifla.IFALIAS), () => devSetAlias(dev, tb.text(Ifla.IFALIAS)!))
  step(msg.flags !== 0 || msg.change !== 0, () => setFlags(request, dev, msg))
  step(has(Ifla.CARRIER), () => devChangeCarrier(dev, tb.bool(Ifla.CARRIER)!))
  step(has(Ifla.TXQLEN), () => devChangeTxQueueLen(dev, tb.number(Ifla.TXQLEN)!))
  step(has(Ifla.AF_SPEC), () => setAfSpec(request, dev, tb))
  // The other changes have told of themselves.
  if (regroup) netdevStateChange(dev)
}

/** No mask at all means all bits, as programs before 2.6 had it. @kernel rtnl_dev_combine_flags() net/core/rtnetlink.c */
function setFlags(request: NlRequest, dev: NetDevice<any>, msg: Ifinfomsg): void {
  const flags = msg.change === 0 ? msg.flags : (msg.flags & msg.change) | (devGetFlags(dev) & ~msg.change)
  try {
    devChangeFlags(dev, flags)
  } finally {
    linkNotifierOf(request.server).flagsChanged(dev)
  }
}

/** @throws Errno EAFNOSUPPORT no stack of that family is here */
function setAfSpec(request: NlRequest, dev: NetDevice<any>, tb: NlaTable): void {
  const { afOps } = rtnetlinkOf(request.server)
  const inside = tb.walk(Ifla.AF_SPEC)!
  while (inside.next()) {
    const setLinkAf = afOps.get(inside.type)?.setLinkAf
    if (setLinkAf === undefined) throw new Errno('EAFNOSUPPORT')
    setLinkAf(dev, inside.payload())
  }
}

function warnHalfDone(dev: NetDevice<any>): void {
  printk(
    dev.kernel,
    LogLevel.WARNING,
    `A link change request failed with some changes committed already. Interface ${dev.name} may have been left ` +
      'with an inconsistent configuration, please check.',
  )
}
