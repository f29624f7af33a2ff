/**
 * The commands of a machine: `ip`, `ethtool`, `tc`, `cat` and others as programs that know only system calls.
 *
 * A program is a generator that yields system calls; `runProgram` answers them from a machine, in this process or over
 * a stream.
 *
 * @packageDocumentation
 */

// ── processes
export type { Process, Program, SysRequest, Syscalls } from './proc/process.ts'
export { ProcessMemory } from './proc/memory.ts'
export { newProcess } from './proc/new-process.ts'
export type { ProcessOptions } from './proc/new-process.ts'
export { localTransport } from './proc/transport.ts'
export type { Channel, LocalConnection, LocalServer, Transport } from './proc/transport.ts'
export { runProgram } from './proc/run.ts'
export type { Running } from './proc/run.ts'
export { SYS_CLOSE } from './proc/sys.ts'

// ── system calls as a C library wraps them
export * from './proc/libc.ts'
export * from './proc/files.ts'

// ── commands
export { programs } from './programs.ts'
export { helpOf } from './file/help.ts'
export { ip } from './ip/main.ts'
export { ethtool } from './ethtool/main.ts'
export { tc } from './tc/main.ts'
export { tcpdump, tcpdumpWith } from './tcpdump/index.ts'
export type { CaptureFile, CreateFile } from './tcpdump/index.ts'

// ── netlink, for programs of your own
export { NlClient, openNetlink, sockaddrNl } from './nl/client.ts'
export type { NlClientOptions } from './nl/client.ts'
export { NlFailure, NlGarbage } from './nl/failure.ts'
export { NlReply } from './nl/message.ts'
export { AttrMap } from './nl/attrs.ts'
