import { createKernel, type Kernel } from '@vnet/kernel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hostCable } from '../../src/boot/cables.ts'

describe('cables in UDP, by name', () => {
  let kernel: Kernel

  beforeEach(() => {
    kernel = createKernel({ clock: 'real' })
  })
  afterEach(() => kernel.shutdown())

  it.each([
    ['udp:0,127.0.0.1:9', 'udp 127.0.0.1:0'],
    ['udp:0,9', 'udp 127.0.0.1:0'],
    ['udp:127.0.0.1:0,127.0.0.1:9', 'udp 127.0.0.1:0'],
    ['udp:[::1]:0,[::1]:9', 'udp [::1]:0'],
    ['vxlan:42,127.0.0.1:0', undefined],
    ['vxlan:42,127.0.0.1,127.0.0.2:65000', 'vxlan 42'],
  ])('%s', (spec, name) => {
    const made = (): { name: string; close(): void } => hostCable(spec, kernel) as never
    if (name === undefined) {
      expect(made).toThrow('port is 0')
      return
    }
    const cable = made()
    expect(cable.name).toBe(name)
    cable.close()
  })

  it.each([
    ['udp:5000', 'write udp:5000,10.0.0.2:5000'],
    ['udp:a,b', '"b" is no address and port'],
    ['udp:1,2,3', 'write udp:5000,10.0.0.2:5000'],
    ['udp:0,10.0.0.2:70000', 'remote: port is 70000'],
    ['vxlan:42', 'write vxlan:42,10.0.0.2'],
    ['vxlan:x,10.0.0.2', 'write vxlan:42,10.0.0.2'],
    ['vxlan:42,elsewhere', "'elsewhere' is no IPv4 or IPv6 address"],
    ['hub:x', 'there is no cable "hub:x" here'],
  ])('refuses %s and says what is expected', (spec, sentence) => {
    expect(() => hostCable(spec, kernel)).toThrow(sentence)
  })
})
