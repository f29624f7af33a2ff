import { IpError } from '@vnet/netdev'
import { NlmF } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import type { IpContext } from './context.ts'
import { isSet, linkAdd, linkDelete, linkSet } from './link-set.ts'
import { linkShow } from './link-show.ts'
import { usage } from './usage.ts'
import { matches } from './words.ts'
import type { Words } from './words.ts'

/** `ip link …`. @throws IpError, NlFailure @kernel do_iplink() none */
export function ipLink(ip: IpContext, words: Words): Syscalls<number> {
  if (words.done) return linkShow(ip, words)
  const command = words.take()
  if (matches(command, 'add')) return linkAdd(ip, words, NlmF.CREATE | NlmF.EXCL)
  if (isSet(command)) return linkSet(ip, words)
  if (matches(command, 'replace')) return linkAdd(ip, words, NlmF.CREATE | NlmF.REPLACE)
  if (matches(command, 'delete')) return linkDelete(ip, words)
  if (matches(command, 'show', 'lst', 'list')) return linkShow(ip, words)
  if (matches(command, 'help')) throw usage('link')
  throw new IpError(255, `Command "${command}" is unknown, try "ip link help".`)
}
