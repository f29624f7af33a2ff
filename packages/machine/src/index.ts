/**
 * A whole small computer: modules, sockets, /proc and /sys, put together from the other packages.
 *
 * `bootMachine()` gives a machine with `lo`, a protocol stack, netlink and files. Programs reach it by system calls,
 * a page or a test by `machine.run('ip link')`.
 *
 * @packageDocumentation
 */
export { bootMachine, Machine } from './machine.ts'
export type { CommandOutput, MachineOptions } from './options.ts'
export type { MachineHost, SharedFile } from './host.ts'
export type { ModuleSource } from './module-source.ts'
export { builtinModules, moduleName } from './builtin-modules.ts'
export { RebootCmd } from './sysc/system.ts'
export { splitWords } from './run-command.ts'

// ── files
export { Vfs } from './vfs/vfs.ts'
export type { VfsStat } from './vfs/vfs.ts'
export { OpenFile, OpenFlag } from './vfs/open-file.ts'
export type { VfsDir, VfsFile, VfsLink, VfsNode, VfsStream } from './vfs/node.ts'
export { Cables, cablesOf } from './cable/cables.ts'
export { CardCable } from './cable/card-cable.ts'
export type { CableCounts, CableState } from './cable/card-cable.ts'
export { FrameTap, FrameTapClient } from './cable/frame-tap.ts'
export type { FrameTapSink } from './cable/frame-tap.ts'
export type { CableHost } from './cable/host.ts'
export { SharedCables, SharedPlug } from './cable/shared-cables.ts'
