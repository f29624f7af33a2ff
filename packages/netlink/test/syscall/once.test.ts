import type { EthtoolOps } from '@vnet/ethtool'
import { registerNetdeviceNotifier } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { EthtoolCmd, Ifla, NlmF, NlWriter, Rtm, Sioc, Sys } from '../../src/index.ts'
import { card } from '../card.ts'
import { ifinfo, makeRig } from '../rig.ts'
import { FakeProgram, putMsghdr } from './fake-program.ts'

/** A card that counts how often it was asked to change something. */
function countingCard(): { ops: EthtoolOps<any>; count: Map<string, number> } {
  const count = new Map<string, number>()
  const ops = card() as unknown as Record<string, unknown>
  for (const [name, op] of Object.entries(ops)) {
    if (typeof op !== 'function' || !/^set|^reset|^nway|^self/.test(name)) continue
    ops[name] = (...args: unknown[]): unknown => {
      count.set(name, (count.get(name) ?? 0) + 1)
      return (op as (...args: unknown[]) => unknown)(...args)
    }
  }
  return { ops: ops as unknown as EthtoolOps<any>, count }
}

function setup() {
  const { ops, count } = countingCard()
  const rig = makeRig(ops)
  const p = new FakeProgram(rig.kernel)
  p.split = 3
  const events: string[] = []
  registerNetdeviceNotifier(rig.kernel, (event) => void events.push(event))
  events.length = 0
  const fd = p.socket(2, 2)
  const ifr = (data: Uint8Array): bigint => {
    const bytes = new Uint8Array(40)
    bytes.set(new TextEncoder().encode('vnet0'))
    bytes.set(data, 16)
    return p.put(bytes)
  }
  const ethtool = (words: readonly number[]): number | undefined => {
    const at = p.put(new Uint8Array(Uint32Array.from([...words, ...new Array<number>(64).fill(0)]).buffer))
    return fd.call(Sys.ioctl, Sioc.ETHTOOL, ifr(new Uint8Array(BigUint64Array.of(at).buffer)))
  }
  return { rig, p, fd, ifr, ethtool, events, count }
}

describe('a call whose handler runs again changes things once', () => {
  it('SIOCSIFMTU', () => {
    const { rig, fd, ifr, events } = setup()
    expect(fd.call(Sys.ioctl, Sioc.SIFMTU, ifr(new Uint8Array(Int32Array.of(1400).buffer)))).toBe(0)
    expect(fd.copiesIn).toBe(1)
    expect(rig.dev.mtu).toBe(1400)
    expect(events.filter((event) => event === 'NETDEV_CHANGEMTU')).toHaveLength(1)
  })

  it.each([
    ['setRingparam', [EthtoolCmd.SRINGPARAM, 0, 0, 0, 0, 128, 0, 0, 256]],
    ['setChannels', [EthtoolCmd.SCHANNELS, 0, 0, 0, 0, 0, 0, 0, 2]],
    ['setPauseparam', [EthtoolCmd.SPAUSEPARAM, 0, 1, 0]],
    ['setRxfh', [EthtoolCmd.SRXFHINDIR, 4, 1, 0, 1, 0]],
    ['setRxfh', [EthtoolCmd.SRSSH, 0, 4, 2, 0, 0, 1, 1, 0, 0, 0x0403]],
    ['setMsglevel', [EthtoolCmd.SMSGLVL, 5]],
    ['setWol', [EthtoolCmd.SWOL, 0, 0x20]],
    ['nwayReset', [EthtoolCmd.NWAY_RST]],
    ['selfTest', [EthtoolCmd.TEST]],
    ['reset', [EthtoolCmd.RESET, 3]],
  ] as const)('SIOCETHTOOL that ends in %s', (name, words) => {
    const { ethtool, fd, count } = setup()
    expect(ethtool(words)).toBe(0)
    expect(fd.copiesIn).toBeGreaterThanOrEqual(2)
    expect(count.get(name)).toBe(1)
  })

  it('RTM_NEWLINK in a dozen pieces', () => {
    const { rig, p, events } = setup()
    const fd = p.socket(16, 3)
    const w = new NlWriter()
    const at = w.begin(Rtm.NEWLINK, NlmF.REQUEST | NlmF.ACK, 1, 0)
    ifinfo(w, { index: rig.dev.ifindex })
    w.putU32(Ifla.MTU, 1300)
    w.end(at)
    const bytes = w.bytes()
    const base = p.put(bytes)
    const iov = Array.from({ length: bytes.length / 4 }, (_, i) => [base + BigInt(i * 4), 4] as const)
    expect(fd.call(Sys.sendmsg, putMsghdr(p, { iov }), 0)).toBe(bytes.length)
    expect(fd.copiesIn).toBe(iov.length + 2)
    expect(rig.dev.mtu).toBe(1300)
    expect(events.filter((event) => event === 'NETDEV_CHANGEMTU')).toHaveLength(1)
    const buffer = p.alloc(4096)
    expect(fd.call(Sys.recvfrom, buffer, 4096, 0, 0, 0)).toBe(36)
    expect(fd.call(Sys.recvfrom, buffer, 4096, 0x40, 0, 0)).toBe(-11)
  })
})
