import { Errno, prErr, type ModuleDefinition } from '@vnet/kernel'
import { Sys, type SyscallCall, type SyscallConnection, type SyscallHandler } from '@vnet/netlink'
import type { ModuleSource } from '../module-source.ts'
import { userText } from './user-text.ts'

/** Longest line of parameters. */
const ARGS_MAX = 65_536
/** Longest name of a module. @kernel MODULE_NAME_LEN include/linux/moduleparam.h */
const MODULE_NAME_MAX = 56

/** A module that is looked for. */
class Search {
  done = false
  def: ModuleDefinition | null = null
  error: string | undefined = undefined
  wake: (() => void) | null = null
}

/** The calls about modules. @kernel kernel/module/main.c */
export function moduleCalls(source: ModuleSource): ReadonlyMap<number, SyscallHandler> {
  const searches = new WeakMap<SyscallConnection, Search>()
  return new Map<number, SyscallHandler>([
    [Sys.initModule, (call) => initModule(call, source, searches)],
    [Sys.deleteModule, deleteModule],
  ])
}

/**
 * Loads a module. What the source brings may come late; the program waits.
 *
 * @throws Errno EPERM; ENOENT nobody has it; ENOEXEC it is no module (logged); and what `insmod` throws
 */
function initModule(
  call: SyscallCall,
  source: ModuleSource,
  searches: WeakMap<SyscallConnection, Search>,
): number {
  const { connection, kernel } = call
  const name = userText(call, 0, 1)
  const args = userText(call, 2, 3, ARGS_MAX)
  if (!connection.capNetAdmin) throw new Errno('EPERM')
  let search = searches.get(connection)
  if (search === undefined) {
    search = begin(source, name)
    searches.set(connection, search)
  }
  if (!search.done) waitFor(call, search)
  searches.delete(connection)
  if (search.def === null) {
    if (search.error === undefined) throw new Errno('ENOENT')
    prErr(kernel, `${name}: ${search.error}`)
    throw new Errno('ENOEXEC')
  }
  kernel.modules.insmod(search.def, args === '' ? [] : [args])
  return 0
}

function begin(source: ModuleSource, name: string): Search {
  const search = new Search()
  source.find(name, (def, error) => {
    if (search.done) return
    search.done = true
    search.def = def
    search.error = error
    search.wake?.()
  })
  return search
}

function waitFor(call: SyscallCall, search: Search): never {
  return call.block((wake) => {
    search.wake = wake
    return () => {
      search.wake = null
    }
  })
}

/** @throws Errno EPERM, ENOENT, EBUSY, EWOULDBLOCK @kernel delete_module(2) kernel/module/main.c */
function deleteModule(call: SyscallCall): number {
  const name = userText(call, 0, 1)
  if (!call.connection.capNetAdmin) throw new Errno('EPERM')
  if (name.length >= MODULE_NAME_MAX) throw new Errno('ENOENT')
  call.kernel.modules.rmmod(name)
  return 0
}
