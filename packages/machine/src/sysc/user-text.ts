import { Errno } from '@vnet/kernel'
import { textOf, type SyscallCall } from '@vnet/netlink'

/** A text of a program, by the arguments that hold its address and its length. @throws Errno EFAULT, ENAMETOOLONG */
export function userText(call: SyscallCall, address: number, length: number, max = 4096): string {
  const bytes = length32(call, length)
  if (bytes > max) throw new Errno('ENAMETOOLONG')
  return textOf(call.memory.copyFromUser(call.args[address]!, bytes), 0, bytes)
}

/** A length argument. @throws Errno EINVAL */
export function length32(call: SyscallCall, index: number): number {
  const length = call.args[index]!
  if (length > 0x7fffffffn) throw new Errno('EINVAL')
  return Number(length)
}

/** Copies as much out as fits; returns how much. @throws Errno EFAULT */
export function copyOut(call: SyscallCall, address: number, bytes: Uint8Array): number {
  call.memory.copyToUser(call.args[address]!, bytes)
  return bytes.length
}
