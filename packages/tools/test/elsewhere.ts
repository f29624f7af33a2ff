// Devices other packages test with; and a machine needs these tools, so it cannot be a dependency of them.
export { replay } from '../../ethtool/test/replay.ts'
export { bootMachine } from '../../machine/src/index.ts'
export type { Machine } from '../../machine/src/index.ts'
export { replayDummy, replayE1000, replayVeth, replayVnet7 } from '../../netdev/test/format/replay-rig.ts'
export type { Replayed, RunIp } from '../../netdev/test/format/replay-rig.ts'
export { card } from '../../netlink/test/card.ts'
export { addDev } from '../../netlink/test/rig.ts'
export { vnetMain7 } from '../../../examples/vnet-main/src/vnet-main.ts'
