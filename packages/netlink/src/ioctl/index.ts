import { Errno } from '@vnet/kernel'
import {
  devChangeFlags,
  devChangeName,
  devGetByIndex,
  devGetByName,
  devGetFlags,
  devMcAdd,
  devMcDel,
  devSetMacAddress,
  devSetMtu,
  IFNAMSIZ,
  devChangeTxQueueLen,
} from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { textOf } from '../codec/text.ts'
import { linkNotifierOf } from '../route/link-notify.ts'
import { netlinkServer } from '../server.ts'
import { IFREQ_LEN, IFR_DATA, Sioc } from './constants.ts'
import { devEthtool } from './ethtool.ts'
import { UserStruct } from './memory.ts'
import type { IoctlCaller } from './memory.ts'

type Handler = (caller: IoctlCaller, dev: NetDevice<any>, ifr: UserStruct) => void

const GETS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [Sioc.GIFFLAGS, (_c, dev, ifr) => ifr.view.setUint16(IFR_DATA, devGetFlags(dev) & 0xffff, true)],
  [Sioc.GIFMETRIC, (_c, _dev, ifr) => ifr.setU32(IFR_DATA, 0)],
  [Sioc.GIFMTU, (_c, dev, ifr) => ifr.setU32(IFR_DATA, dev.mtu)],
  [Sioc.GIFINDEX, (_c, dev, ifr) => ifr.setU32(IFR_DATA, dev.ifindex)],
  [Sioc.GIFTXQLEN, (_c, dev, ifr) => ifr.setU32(IFR_DATA, dev.txQueueLen)],
  [Sioc.GIFHWADDR, (_c, dev, ifr) => putHwaddr(dev, ifr)],
  [Sioc.GIFMAP, (_c, _dev, ifr) => ifr.bytes.fill(0, IFR_DATA)],
])

const SETS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [Sioc.SIFFLAGS, setFlags],
  [Sioc.SIFMETRIC, () => refuse('EOPNOTSUPP')],
  [Sioc.SIFMTU, (_c, dev, ifr) => devSetMtu(dev, ifr.view.getInt32(IFR_DATA, true))],
  [Sioc.SIFHWADDR, setHwaddr],
  [Sioc.SIFTXQLEN, (_c, dev, ifr) => setTxqlen(dev, ifr.view.getInt32(IFR_DATA, true))],
  [Sioc.SIFNAME, (_c, dev, ifr) => devChangeName(dev, textOf(ifr.bytes, IFR_DATA, IFR_DATA + IFNAMSIZ - 1))],
  [Sioc.ADDMULTI, (_c, dev, ifr) => devMcAdd(dev, multicast(dev, ifr))],
  [Sioc.DELMULTI, (_c, dev, ifr) => devMcDel(dev, multicast(dev, ifr))],
])

/** What needs IPv4: without a stack the kernel does not know these. */
const NEED_INET: ReadonlySet<number> = new Set([
  Sioc.GIFADDR,
  Sioc.SIFADDR,
  Sioc.GIFDSTADDR,
  Sioc.SIFDSTADDR,
  Sioc.GIFBRDADDR,
  Sioc.SIFBRDADDR,
  Sioc.GIFNETMASK,
  Sioc.SIFNETMASK,
])

/** What a driver may know; none here does. */
const DRIVER: ReadonlySet<number> = new Set([Sioc.GMIIPHY, Sioc.GMIIREG, Sioc.SHWTSTAMP, Sioc.GHWTSTAMP])

/**
 * An `ioctl` of a program on a socket, as far as it is about network devices. Takes rtnl for what changes something.
 *
 * @param argument - the address in the program's memory
 * @throws Errno EFAULT, ENODEV, EPERM, ENOTTY for a request nobody knows, and what the operation throws
 * @kernel dev_ioctl() net/core/dev_ioctl.c
 */
export function sockIoctl(caller: IoctlCaller, request: number, argument: bigint): void {
  if (request === Sioc.GIFCONF) {
    ifconf(caller, argument)
    return
  }
  const known = GETS.get(request) ?? SETS.get(request)
  if (known === undefined && !isOther(request)) throw new Errno('ENOTTY')
  const ifr = new UserStruct(caller.memory.copyFromUser(argument, IFREQ_LEN))
  if (request === Sioc.GIFNAME) putName(caller, ifr)
  else if (request === Sioc.ETHTOOL) {
    devEthtool(caller, deviceOf(caller, ifr), ifr.view.getBigUint64(IFR_DATA, true))
    return
  } else run(caller, request, known, ifr)
  if (!SETS.has(request)) caller.memory.copyToUser(argument, ifr.bytes)
}

function isOther(request: number): boolean {
  const known: readonly number[] = [Sioc.GIFNAME, Sioc.ETHTOOL]
  return known.includes(request) || NEED_INET.has(request) || DRIVER.has(request)
}

function run(caller: IoctlCaller, request: number, handler: Handler | undefined, ifr: UserStruct): void {
  const set = SETS.has(request)
  if (set && !caller.capNetAdmin) throw new Errno('EPERM')
  const dev = deviceOf(caller, ifr)
  if (handler === undefined) refuse(NEED_INET.has(request) ? 'EADDRNOTAVAIL' : 'EOPNOTSUPP')
  if (set) caller.kernel.rtnl.run(() => handler(caller, dev, ifr))
  else handler(caller, dev, ifr)
}

function refuse(code: 'EOPNOTSUPP' | 'EADDRNOTAVAIL'): never {
  throw new Errno(code)
}

/** The device of the name, of which an alias `:0` is cut off. @throws Errno ENODEV */
function deviceOf(caller: IoctlCaller, ifr: UserStruct): NetDevice<any> {
  const name = textOf(ifr.bytes, 0, IFNAMSIZ - 1).replace(/:.*$/, '')
  const dev = devGetByName(caller.kernel, name)
  if (dev === undefined) throw new Errno('ENODEV')
  return dev
}

/** @kernel dev_ifname() net/core/dev_ioctl.c */
function putName(caller: IoctlCaller, ifr: UserStruct): void {
  const dev = devGetByIndex(caller.kernel, ifr.view.getInt32(IFR_DATA, true))
  if (dev === undefined) throw new Errno('ENODEV')
  ifr.setText(0, IFNAMSIZ, dev.name)
}

/** Addresses of IPv4 are listed, and there are none. @kernel dev_ifconf() net/core/dev_ioctl.c */
function ifconf(caller: IoctlCaller, argument: bigint): void {
  const ifc = new UserStruct(caller.memory.copyFromUser(argument, 16))
  ifc.setU32(0, 0)
  caller.memory.copyToUser(argument, ifc.bytes)
}

const SA_DATA = IFR_DATA + 2
const SA_DATA_LEN = 14

function putHwaddr(dev: NetDevice<any>, ifr: UserStruct): void {
  ifr.bytes.fill(0, IFR_DATA, IFR_DATA + 16)
  ifr.view.setUint16(IFR_DATA, dev.type, true)
  ifr.bytes.set(dev.devAddr.subarray(0, Math.min(dev.addrLen, SA_DATA_LEN)), SA_DATA)
}

function setHwaddr(_caller: IoctlCaller, dev: NetDevice<any>, ifr: UserStruct): void {
  if (ifr.view.getUint16(IFR_DATA, true) !== dev.type) throw new Errno('EINVAL')
  devSetMacAddress(dev, ifr.bytes.slice(SA_DATA, SA_DATA + dev.addrLen))
}

/** Only the low 16 bits have room in the structure; the others stay. */
function setFlags(caller: IoctlCaller, dev: NetDevice<any>, ifr: UserStruct): void {
  const flags = ifr.view.getUint16(IFR_DATA, true)
  try {
    devChangeFlags(dev, flags)
  } finally {
    linkNotifierOf(netlinkServer(caller.kernel)).flagsChanged(dev)
  }
}

function setTxqlen(dev: NetDevice<any>, length: number): void {
  if (length < 0) throw new Errno('EINVAL')
  devChangeTxQueueLen(dev, length)
}

const AF_UNSPEC = 0

function multicast(dev: NetDevice<any>, ifr: UserStruct): Uint8Array {
  if (ifr.view.getUint16(IFR_DATA, true) !== AF_UNSPEC) throw new Errno('EINVAL')
  return ifr.bytes.slice(SA_DATA, SA_DATA + dev.addrLen)
}
