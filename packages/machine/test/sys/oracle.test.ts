import { describe, expect, it } from 'vitest'
import { cat, setUp, sysOfVnet } from '../helpers/tree.ts'
import { recordOf } from '../helpers/oracle.ts'

const ATTRS =
  'cd /sys/class/net/vnet0 && for f in *; do [ -f $f ] && { v=$(cat $f 2>&1); echo "$f: $v (rc=$?)"; }; done'
const QUEUES =
  'cd /sys/class/net/vnet0/queues && for q in *; do for f in $(find $q -type f | sort); do v=$(cat $f 2>&1); echo "$f: $v (rc=$?)"; done; done'
const FIND = 'find /sys/class/net/vnet0/ -maxdepth 3 | sort'

/** What differs because our driver knows its carrier, and its address was not changed before. */
const OURS: Readonly<Record<string, string>> = {
  addr_assign_type: '0 (rc=0)',
  carrier_changes: '1 (rc=0)',
  carrier_up_count: '1 (rc=0)',
  operstate: 'up (rc=0)',
}

describe('/sys/class/net against what a real kernel showed', () => {
  it('has every attribute with the recorded value or error', () => {
    const { vfs, dev, kernel } = sysOfVnet(['backend=null'])
    setUp(dev, true)
    kernel.runFor(2e9)
    const lines = recordOf('vnet7', ATTRS).stdout.matchAll(/^([a-z_]+): (.*(?:\n[A-Z].*)*)$/gm)
    for (const [, name, expected] of lines) {
      expect(`${name}: ${cat(vfs, `/sys/class/net/vnet0/${name}`)}`).toBe(
        `${name}: ${OURS[name!] ?? expected}`,
      )
    }
  })

  it('has the recorded files and no other', () => {
    const { vfs } = sysOfVnet()
    const paths: string[] = ['/sys/class/net/vnet0/']
    const walk = (path: string, depth: number): void => {
      for (const name of vfs.list(path)) {
        paths.push(`${path}/${name.replace('/', '')}`)
        if (name.endsWith('/') && depth > 1) walk(`${path}/${name.slice(0, -1)}`, depth - 1)
      }
    }
    walk('/sys/class/net/vnet0', 3)
    expect(paths.join('\n') + '\n').toBe(recordOf('vnet7', FIND).stdout)
  })

  it('has the recorded files of a queue', () => {
    const { vfs, dev } = sysOfVnet(['backend=null'])
    setUp(dev, true)
    for (const line of recordOf('vnet7', QUEUES).stdout.trimEnd().split('\n')) {
      const [, path, expected] = /^(\S+): (.*)$/.exec(line)!
      expect(`${path}: ${cat(vfs, `/sys/class/net/vnet0/queues/${path}`)}`).toBe(`${path}: ${expected}`)
    }
  })

  it('says where the device is', () => {
    const { vfs } = sysOfVnet()
    expect(`${vfs.realpath('/sys/class/net/vnet0')}\n`).toBe(
      recordOf('vnet7', 'readlink -f /sys/class/net/vnet0').stdout,
    )
    expect(vfs.readlink('/sys/class/net/vnet0')).toBe('../../devices/virtual/net/vnet0')
    expect(vfs.realpath('/sys/class/net/vnet0/subsystem')).toBe('/sys/class/net')
  })

  it('has no carrier, speed or state of a device that is down', () => {
    const { vfs } = sysOfVnet()
    expect(cat(vfs, '/sys/class/net/vnet0/carrier')).toBe('cat: read error: Invalid argument (rc=1)')
    expect(cat(vfs, '/sys/class/net/vnet0/speed')).toBe('cat: read error: Invalid argument (rc=1)')
    expect(cat(vfs, '/sys/class/net/vnet0/operstate')).toBe('down (rc=0)')
  })

  it('counts what was sent and received', () => {
    const { vfs, dev, kernel } = sysOfVnet(['count=3', 'interval_us=1000'])
    setUp(dev, true)
    kernel.runFor(1e9)
    const names = vfs.list('/sys/class/net/vnet0/statistics')
    const recorded = recordOf(
      'vnet7',
      'cd /sys/class/net/vnet0/statistics && for f in *; do echo "$f $(cat $f)"; done',
    )
    expect(names).toEqual(
      recorded.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    )
    expect(vfs.read('/sys/class/net/vnet0/statistics/rx_packets')).toBe('3\n')
  })
})
