import { syscallServer } from '@vnet/netlink'
import { expect } from 'vitest'
import { replay } from '../elsewhere.ts'
import { run } from '../run.ts'

replay(
  ' over netlink and ioctls',
  (kernel, argv) => run(kernel, ['ethtool', ...argv]),
  (kernel) => expect(syscallServer(kernel).open).toBe(0),
)
