import { Errno, NSEC_PER_SEC, type Ktime } from '@vnet/kernel'
import { Sys, utf8, type SyscallCall, type SyscallHandler } from '@vnet/netlink'
import type { Utsname } from '../proc/system.ts'
import { copyOut, length32 } from './user-text.ts'

/** What a machine can be told. @kernel LINUX_REBOOT_CMD_POWER_OFF include/uapi/linux/reboot.h */
export const RebootCmd = {
  CAD_OFF: 0x00000000,
  RESTART: 0x01234567,
  POWER_OFF: 0x4321fedc,
  CAD_ON: 0x89abcdef,
  HALT: 0xcdef0123,
} as const

/** What the calls about the machine as a whole need of it. */
export interface SystemHooks {
  readonly uts: Utsname
  /** Nanoseconds since 1970 at boot. */
  readonly wallClock: bigint
  /** Switches the machine off, soon. */
  powerDown(message: string): void
}

const CLOCK_REALTIME = 0
/** Every clock but the calendar starts at boot. */
const CLOCK_MAX = 11

/** reboot, uname, clock_gettime and nanosleep. @kernel kernel/reboot.c, kernel/sys.c, kernel/time */
export function systemCalls(hooks: SystemHooks): ReadonlyMap<number, SyscallHandler> {
  return new Map<number, SyscallHandler>([
    [Sys.reboot, (call) => reboot(call, hooks)],
    [Sys.uname, (call) => uname(call, hooks.uts)],
    [Sys.clockGettime, (call) => clockGettime(call, hooks.wallClock)],
    [Sys.nanosleep, nanosleep],
  ])
}

/** @throws Errno EPERM, EINVAL @kernel reboot(2) kernel/reboot.c */
function reboot(call: SyscallCall, hooks: SystemHooks): number {
  if (!call.connection.capNetAdmin) throw new Errno('EPERM')
  switch (call.int(0) >>> 0) {
    case RebootCmd.CAD_ON:
    case RebootCmd.CAD_OFF:
      return 0
    case RebootCmd.POWER_OFF:
      hooks.powerDown('reboot: Power down')
      return 0
    case RebootCmd.HALT:
      hooks.powerDown('reboot: System halted')
      return 0
    case RebootCmd.RESTART:
      hooks.powerDown('reboot: Restarting system')
      return 0
    default:
      throw new Errno('EINVAL')
  }
}

function uname(call: SyscallCall, uts: Utsname): number {
  const text = [uts.sysname, uts.nodename, uts.release, uts.version, uts.machine].join('\n')
  return copyOut(call, 0, utf8(text).subarray(0, length32(call, 1)))
}

/** @throws Errno EINVAL @kernel clock_gettime(2) kernel/time/posix-timers.c */
function clockGettime(call: SyscallCall, wallClock: bigint): number {
  const id = call.int(0)
  if (id < 0 || id > CLOCK_MAX) throw new Errno('EINVAL')
  const now = BigInt(call.kernel.clock.ktimeGet()) + (id === CLOCK_REALTIME ? wallClock : 0n)
  const view = new DataView(new ArrayBuffer(16))
  view.setBigInt64(0, now / BigInt(NSEC_PER_SEC), true)
  view.setBigInt64(8, now % BigInt(NSEC_PER_SEC), true)
  copyOut(call, 1, new Uint8Array(view.buffer))
  return 0
}

/** @kernel nanosleep(2) kernel/time/hrtimer.c */
function nanosleep(call: SyscallCall): number {
  const until: Ktime = call.started + Number(call.args[0]!)
  if (!Number.isSafeInteger(until)) throw new Errno('EINVAL')
  if (call.kernel.clock.ktimeGet() >= until) return 0
  return call.block(call.connection.whenTime(until))
}
