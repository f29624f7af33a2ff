import { createKernel } from '@vnet/kernel'
import { allocEtherdevMqs, freeNetdev, registerNetdev, unregisterNetdev } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { sysTree } from '../../src/sys/tree.ts'
import { staticDir } from '../../src/vfs/dirs.ts'
import { Vfs } from '../../src/vfs/vfs.ts'
import { sysOfVnet } from '../helpers/tree.ts'

describe('a device on a bus', () => {
  it('is below what it hangs on, which it points to', () => {
    const kernel = createKernel({ regionBytes: 1 << 20 })
    const dev = allocEtherdevMqs(kernel, {
      name: 'eth0',
      ops: { ndoStartXmit: () => 0 },
      priv: () => null,
      txqs: 2,
      rxqs: 3,
    })
    dev.parentBus = 'pci'
    dev.parentDev = '0000:00:02.0'
    registerNetdev(dev)
    const vfs = new Vfs(staticDir({ sys: sysTree(kernel) }))
    expect(vfs.realpath('/sys/class/net/eth0')).toBe('/sys/devices/pci0000:00/0000:00:02.0/net/eth0')
    expect(vfs.readlink('/sys/class/net/eth0/device')).toBe('../../../0000:00:02.0')
    expect(vfs.realpath('/sys/class/net/eth0/device')).toBe('/sys/devices/pci0000:00/0000:00:02.0')
    expect(vfs.list('/sys/devices')).toEqual(['pci0000:00/', 'virtual/'])
    expect(vfs.list('/sys/class/net/eth0/queues')).toEqual(['rx-0/', 'rx-1/', 'rx-2/', 'tx-0/', 'tx-1/'])
    expect(vfs.read('/sys/class/net/eth0/queues/tx-1/traffic_class')).toBe('0\n')
    expect(vfs.read('/sys/class/net/eth0/queues/tx-1/xps_cpus')).toBe('0\n')
    unregisterNetdev(dev)
    freeNetdev(dev)
    expect(vfs.list('/sys/devices')).toEqual(['virtual/'])
  })

  it('one without is virtual', () => {
    const { vfs } = sysOfVnet()
    expect(vfs.list('/sys/devices/virtual/net')).toEqual(['lo/', 'vnet0/'])
    expect(() => vfs.readlink('/sys/class/net/vnet0/device')).toThrow('No such file')
  })
})
