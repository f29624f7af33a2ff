/**
 * System calls of a Linux host through koffi: descriptors, ioctls, mappings, readiness on Node’s loop.
 *
 * Nothing is loaded before the first call, so a program that imports this runs anywhere; where there is no Linux or no
 * koffi, the first call says so in one sentence. Errors are `Errno` of `@vnet/kernel`.
 *
 * @packageDocumentation
 */

export { AF, E, IFF, MMAP, MSG, O, SOCK } from './consts.ts'
export { hostErrno } from './errno.ts'
export { libc } from './libc.ts'
export type { Libc, LibcFunctions } from './libc.ts'
export { HostMemory, Mapping, MemoryAddress } from './memory.ts'
export { bindSock, closeFd, getSockBytes, setSockBytes, setSockInt, sys, withBytes } from './sys.ts'
export {
  checkIfName,
  ifFlags,
  ifIndex,
  ifMtu,
  ifNameProblem,
  Ifreq,
  setIfHwaddr,
  setIfMtu,
  setIfUp,
} from './ifreq.ts'
export { Netns } from './netns.ts'
export { LinkMonitor, parseLinkEvents } from './link-monitor.ts'
export type { LinkEvent } from './link-monitor.ts'
export { watchFd, watchMethod } from './watch.ts'
export type { FdHandler, FdWatcher, WatchMethod } from './watch.ts'
