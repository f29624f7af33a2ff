import { describe, expect, it } from 'vitest'
import { EthtoolCmd } from '../../src/index.ts'
import { card } from '../card.ts'
import { program } from './program.ts'

describe('SIOCETHTOOL on a card that has much', () => {
  it('registers and EEPROM, as much as there is room for', () => {
    const p = program(card())
    expect(p.ethtool(EthtoolCmd.GREGS, 0, 4)).toBe(0)
    expect([p.word(1), p.word(2), p.word(3), p.word(4)]).toEqual([3, 4, 0x04030201, 0])
    expect(p.ethtool(EthtoolCmd.GEEPROM, 0, 2, 4)).toBe(0)
    expect(p.word(4)).toBe(0x05040302)
    expect(p.ethtool(EthtoolCmd.GEEPROM, 0, 10, 10)).toBe(-22)
  })

  it('wake-on, message level, private switches', () => {
    const p = program(card())
    expect(p.ethtool(EthtoolCmd.SWOL, 0, 0x20)).toBe(0)
    p.ethtool(EthtoolCmd.GWOL)
    expect([p.word(1), p.word(2)]).toEqual([0x20, 0x20])
    expect([p.ethtool(EthtoolCmd.SWOL, 0, 1), p.ethtool(EthtoolCmd.SWOL, 0, 0x100)]).toEqual([-22, -22])
    expect(p.ethtool(EthtoolCmd.SMSGLVL, 5)).toBe(0)
    p.ethtool(EthtoolCmd.GMSGLVL)
    expect(p.word(1)).toBe(5)
    expect(p.ethtool(EthtoolCmd.SPFLAGS, 2)).toBe(0)
    p.ethtool(EthtoolCmd.GPFLAGS)
    expect(p.word(1)).toBe(2)
    expect(p.ethtool(EthtoolCmd.SPFLAGS, 8)).toBe(-22)
  })

  it('coalescing: only what the driver declared', () => {
    const p = program(card())
    expect(p.ethtool(EthtoolCmd.SCOALESCE, 50)).toBe(0)
    p.ethtool(EthtoolCmd.GCOALESCE)
    expect(p.word(1)).toBe(50)
    expect(p.ethtool(EthtoolCmd.SCOALESCE, 50, 3)).toBe(-95)
  })

  it('channels and flow control', () => {
    const p = program(card())
    p.ethtool(EthtoolCmd.GCHANNELS)
    expect([p.word(4), p.word(8)]).toEqual([4, 1])
    expect(p.ethtool(EthtoolCmd.SCHANNELS, 0, 0, 0, 0, 0, 0, 0, 3)).toBe(0)
    p.ethtool(EthtoolCmd.GCHANNELS)
    expect(p.word(8)).toBe(3)
    expect(p.ethtool(EthtoolCmd.SPAUSEPARAM, 1, 0, 1)).toBe(0)
    p.ethtool(EthtoolCmd.GPAUSEPARAM)
    expect([1, 2, 3].map(p.word)).toEqual([1, 0, 1])
  })

  it('link settings: what is set is read', () => {
    const p = program(card())
    const speed = (value: number): number =>
      p.ethtool(EthtoolCmd.SLINKSETTINGS, value, 0x00000001, 3 << 24, ...Array(11).fill(0), 0x20)
    expect(speed(100)).toBe(0)
    p.ethtool(EthtoolCmd.GLINKSETTINGS, 0, 0, 3 << 24)
    expect(p.word(1)).toBe(100)
    expect(p.ethtool(EthtoolCmd.SLINKSETTINGS, 100)).toBe(-22)
    expect(p.ethtool(EthtoolCmd.NWAY_RST)).toBe(0)
  })

  it('old questions about one feature, and the flags', () => {
    const p = program(card())
    for (const [cmd, on] of [
      [EthtoolCmd.GGRO, 1],
      [EthtoolCmd.GSG, 0],
      [EthtoolCmd.GRXCSUM, 0],
      [EthtoolCmd.GFLAGS, 0],
    ] as const) {
      p.ethtool(cmd)
      expect([cmd, p.word(1)]).toEqual([cmd, on])
    }
  })

  it('self test, blinking, reset', () => {
    const p = program(card())
    expect(p.ethtool(EthtoolCmd.TEST, 1)).toBe(0)
    expect([p.word(1), p.word(3), p.word(4)]).toEqual([3, 1, 1])
    expect([p.ethtool(EthtoolCmd.PHYS_ID, 2), p.ethtool(EthtoolCmd.PHYS_ID, 0)]).toEqual([0, -4])
    expect(p.ethtool(EthtoolCmd.PHYS_ID, 0xffffffff)).toBe(-4)
    p.ethtool(EthtoolCmd.RESET, 3)
    expect(p.word(1)).toBe(1)
  })

  it('the table of receive queues: set, by the old way and the new, and back to the default', () => {
    const p = program(card())
    expect(p.ethtool(EthtoolCmd.SRXFHINDIR, 4, 1, 1, 0, 0)).toBe(0)
    p.ethtool(EthtoolCmd.GRXFHINDIR, 4)
    expect([1, 2, 3, 4, 5].map(p.word)).toEqual([4, 1, 1, 0, 0])
    // SRSSH: context 0, a table of 4, a key of 2, no function; then the table, then the key.
    expect(p.ethtool(EthtoolCmd.SRSSH, 0, 4, 2, 0, 0, 0, 1, 0, 1, 0x0706)).toBe(0)
    p.ethtool(EthtoolCmd.GRSSH, 0, 4, 2)
    expect([p.word(7), p.word(10) & 0xffff]).toEqual([1, 0x0706])
    expect(p.ethtool(EthtoolCmd.SRSSH, 0, 0)).toBe(0)
    p.ethtool(EthtoolCmd.GRXFHINDIR, 4)
    expect([2, 3, 4, 5].map(p.word)).toEqual([0, 1, 0, 1])
    expect(p.ethtool(EthtoolCmd.SRXFHINDIR, 3)).toBe(-22)
    expect(p.ethtool(EthtoolCmd.GRXFHINDIR, 2)).toBe(-22)
    expect(p.ethtool(EthtoolCmd.SRSSH, 1, 0)).toBe(-95)
    p.ethtool(EthtoolCmd.GRXCLSRLCNT)
    expect(p.view.getUint32(256 + 184, true)).toBe(1)
  })
})
