import { describe, expect, it } from 'vitest'
import { dmesg, Errno } from '@vnet/kernel'
import { devChangeName, Iff, netifCarrierOk } from '@vnet/netdev'
import { napiList } from '@vnet/napi'
import { setUp, sysOfVnet } from '../helpers/tree.ts'

const DEV = '/sys/class/net/vnet0'

/** What a write is refused with, or what the file says after it. */
function writeRead(vfs: ReturnType<typeof sysOfVnet>['vfs'], path: string, text: string): string {
  try {
    vfs.write(path, text)
  } catch (error) {
    if (error instanceof Errno) return error.code
    throw error
  }
  return vfs.read(path).trimEnd()
}

describe('writing to attributes of a device', () => {
  it.each([
    ['mtu', '1400\n', '1400'],
    ['mtu', '0x500', '1280'],
    ['mtu', '67', 'EINVAL'],
    ['mtu', '9001', 'EINVAL'],
    ['mtu', 'many', 'EINVAL'],
    ['mtu', '-1', 'EINVAL'],
    ['tx_queue_len', '50', '50'],
    ['tx_queue_len', '0x1ffffffff', 'ERANGE'],
    ['netdev_group', '7', '7'],
    ['netdev_group', '0x100000000', 'ERANGE'],
    ['ifalias', 'the one\n', 'the one'],
    ['ifalias', 'x'.repeat(256), 'EINVAL'],
    ['proto_down', '1', 'EOPNOTSUPP'],
    ['carrier', '1', 'EOPNOTSUPP'],
    ['gro_flush_timeout', '20000', '20000'],
    ['napi_defer_hard_irqs', '2', '2'],
    ['napi_defer_hard_irqs', '0x80000000', 'ERANGE'],
    ['threaded', '1', '1'],
    ['threaded', '2', 'EOPNOTSUPP'],
    ['ifindex', '7', 'EACCES'],
    ['operstate', 'up', 'EACCES'],
    ['queues/rx-0/rps_cpus', '1', '1'],
    ['queues/rx-0/rps_cpus', '4', 'EOVERFLOW'],
    ['queues/rx-0/rps_cpus', 'zz', 'EINVAL'],
    ['queues/rx-0/rps_flow_cnt', '100', '128'],
    ['queues/tx-0/xps_cpus', '1', 'ENOENT'],
    ['queues/tx-0/tx_maxrate', '5', 'EOPNOTSUPP'],
    ['queues/tx-0/byte_queue_limits/limit_min', '4096', '4096'],
    ['queues/tx-0/byte_queue_limits/limit_max', 'max', '1879048192'],
    ['queues/tx-0/byte_queue_limits/limit_max', '1879048193', 'EINVAL'],
    ['queues/tx-0/byte_queue_limits/hold_time', '2000', '2000'],
    ['queues/tx-0/byte_queue_limits/inflight', '1', 'EACCES'],
    ['power/control', 'on', 'auto'],
    ['power/control', 'sometimes', 'EINVAL'],
  ])('%s takes %j: %s', (file, text, expected) => {
    const { vfs } = sysOfVnet(['max_mtu=9000'])
    expect(writeRead(vfs, `${DEV}/${file}`, text)).toBe(expected)
  })

  it('flags bring the device up and down', () => {
    const { vfs, dev } = sysOfVnet()
    vfs.write(`${DEV}/flags`, '0x1003')
    expect(dev.flags & Iff.UP).toBe(Iff.UP)
    vfs.write(`${DEV}/flags`, '0x1002')
    expect(dev.flags & Iff.UP).toBe(0)
  })

  it('threaded changes who polls', () => {
    const { vfs, dev } = sysOfVnet()
    vfs.write(`${DEV}/threaded`, '1')
    expect(napiList(dev).map((napi) => napi.threaded)).toEqual([true])
    vfs.write(`${DEV}/threaded`, '0')
    expect(napiList(dev).map((napi) => napi.threaded)).toEqual([false])
  })

  it('a device without NAPI cannot be threaded', () => {
    const { vfs } = sysOfVnet()
    expect(writeRead(vfs, '/sys/class/net/lo/threaded', '1')).toBe('EOPNOTSUPP')
  })

  it('a directory that outlives its device refuses with EINVAL', () => {
    const { vfs, kernel } = sysOfVnet()
    const file = vfs.open(`${DEV}/mtu`)
    kernel.modules.rmmod('vnet')
    expect(() => file.text()).toThrow('Invalid argument')
    expect(() => vfs.read(`${DEV}/mtu`)).toThrow('No such file')
  })

  it('an action nobody knows is refused in the log, too', () => {
    const { vfs, kernel } = sysOfVnet()
    vfs.write(`${DEV}/uevent`, 'add')
    expect(writeRead(vfs, `${DEV}/uevent`, 'dance')).toBe('EINVAL')
    expect(dmesg(kernel, { time: false })).toContain(
      'synth uevent: /devices/virtual/net/vnet0: unknown uevent action string',
    )
  })

  it('after a rename the name is a given one, and the files follow', () => {
    const { vfs, dev, kernel } = sysOfVnet()
    expect(vfs.read(`${DEV}/name_assign_type`)).toBe('1\n')
    kernel.rtnl.run(() => devChangeName(dev, 'foo0'))
    expect(vfs.list('/sys/class/net')).toEqual(['foo0', 'lo'])
    expect(vfs.read('/sys/class/net/foo0/name_assign_type')).toBe('4\n')
    expect(vfs.read('/sys/class/net/foo0/uevent')).toBe('INTERFACE=foo0\nIFINDEX=2\n')
  })

  it('says nothing of the carrier of a device that is down', () => {
    const { vfs, dev } = sysOfVnet(['backend=null'])
    expect(netifCarrierOk(dev)).toBe(false)
    setUp(dev, true)
    expect(vfs.read(`${DEV}/carrier`)).toBe('1\n')
  })
})

describe('/sys/module', () => {
  it('shows a loaded module with its parameters', () => {
    const { vfs } = sysOfVnet(['tx_ring=64'])
    expect(vfs.list('/sys/module')).toEqual(['vnet/'])
    expect(vfs.list('/sys/module/vnet')).toEqual([
      'coresize',
      'holders/',
      'initsize',
      'initstate',
      'parameters/',
      'refcnt',
      'taint',
      'uevent',
      'version',
    ])
    expect(vfs.read('/sys/module/vnet/parameters/tx_ring')).toBe('64\n')
    expect(vfs.read('/sys/module/vnet/initstate')).toBe('live\n')
    expect(vfs.read('/sys/module/vnet/taint')).toBe('O\n')
    expect(vfs.read('/sys/module/vnet/refcnt')).toBe('0\n')
  })

  it('holders are links to the modules that need it', () => {
    const { vfs, kernel } = sysOfVnet()
    kernel.modules.insmod({
      name: 'needs',
      license: 'GPL',
      depends: ['vnet'],
      init: () => {},
      exit: () => {},
    })
    expect(vfs.list('/sys/module/vnet/holders')).toEqual(['needs'])
    expect(vfs.realpath('/sys/module/vnet/holders/needs')).toBe('/sys/module/needs')
    expect(vfs.read('/sys/module/vnet/refcnt')).toBe('1\n')
  })
})

describe('/sys/kernel/debug/dynamic_debug/control', () => {
  const CONTROL = '/sys/kernel/debug/dynamic_debug/control'

  it('switches debug lines, and shows that', () => {
    const { vfs, kernel } = sysOfVnet()
    kernel.dyndbg.site({ module: 'vnet', file: 'driver.ts', line: 5, func: 'f', format: 'hello %u\n' })
    expect(vfs.read(CONTROL)).toContain('driver.ts:5 [vnet]f =_ "hello %u\\n"')
    vfs.write(CONTROL, 'module vnet +p\n')
    expect(vfs.read(CONTROL)).toContain('driver.ts:5 [vnet]f =p "hello %u\\n"')
  })

  it('refuses a bad query with EINVAL and a line in the log', () => {
    const { vfs, kernel } = sysOfVnet()
    expect(() => vfs.write(CONTROL, 'module vnet nonsense')).toThrow(Errno)
    expect(dmesg(kernel, { time: false })).toMatch(/^dyndbg: .*bad flag-op/m)
  })

  it('refuses more than a page with E2BIG', () => {
    const { vfs } = sysOfVnet()
    expect(writeRead(vfs, CONTROL, `#${'x'.repeat(5000)}`)).toBe('E2BIG')
  })
})
