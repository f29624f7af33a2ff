import { NetifMsg } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import {
  ethtoolGetMsglevel,
  ethtoolGetPauseparam,
  ethtoolGetPauseStats,
  ethtoolGetPrivFlags,
  ethtoolGetWol,
  ethtoolSetMsglevel,
  ethtoolSetPauseparam,
  ethtoolSetPrivFlags,
  ethtoolSetWol,
  MSG_CLASSES,
  Wake,
} from '../src/index.ts'
import type { EthtoolPauseparam, EthtoolWolinfo } from '../src/index.ts'
import { makeDev } from './devices.ts'
import { notices, parts, refused } from './helpers.ts'

const bits = (...names: string[]) => ({
  bits: names.map((n) => ({ name: n.replace(/^-/, ''), value: !n.startsWith('-') })),
})

describe('message classes', () => {
  function card(level = 7) {
    const rig = makeDev('eth0', {
      getMsglevel: (dev) => dev.msgEnable,
      setMsglevel: (dev, next) => void (dev.msgEnable = next),
    })
    rig.dev.msgEnable = level
    return { ...rig, sent: notices(rig) }
  }

  it('LOG-03 are the kernel’s, lowest bit first', () => {
    expect(MSG_CLASSES.slice(0, 5)).toEqual(['drv', 'probe', 'link', 'timer', 'ifdown'])
    expect(MSG_CLASSES.length).toBe(15)
    for (const [i, name] of MSG_CLASSES.entries())
      expect(NetifMsg[name as keyof typeof NetifMsg]).toBe(1 << i)
  })

  it('LOG-03 ETH-03 change by number and by name, with a notice if they do', () => {
    const { dev, sent } = card()
    expect(ethtoolSetMsglevel(dev, 7)).toBe(false)
    expect(ethtoolSetMsglevel(dev, bits('drv'))).toBe(false)
    expect(sent).toEqual([])
    expect(ethtoolSetMsglevel(dev, bits('tx_err', '-probe'))).toBe(true)
    expect(ethtoolGetMsglevel(dev)).toBe(NetifMsg.drv | NetifMsg.link | NetifMsg.tx_err)
    expect(ethtoolSetMsglevel(dev, { value: 0n, mask: 4n })).toBe(true)
    expect(ethtoolGetMsglevel(dev)).toBe(NetifMsg.drv | NetifMsg.tx_err)
    expect(sent).toEqual(['debug-ntf', 'debug-ntf'])
  })

  it('ETH-04 an unknown one is named', () => {
    const { dev } = card()
    expect(parts(refused(() => ethtoolSetMsglevel(dev, bits('drv', 'nosuch'))))).toEqual([
      'EOPNOTSUPP',
      'bit name not found',
      'msgmask/bits/1/name',
    ])
    expect(refused(() => ethtoolSetMsglevel(dev, 0x8000)).code).toBe('EINVAL')
  })
})

describe('wake-on', () => {
  function card(supported: number, wolopts = 0) {
    let state: EthtoolWolinfo = { supported, wolopts }
    const rig = makeDev('eth0', { getWol: () => state, setWol: (_dev, next) => void (state = next) })
    return { ...rig, sent: notices(rig) }
  }

  it('ETH-03 changes with a notice if it does', () => {
    const { dev, sent } = card(Wake.MAGIC | Wake.ARP, Wake.ARP)
    expect(ethtoolSetWol(dev, { modes: bits('arp') })).toBe(false)
    expect(ethtoolSetWol(dev, { modes: bits('magic') })).toBe(true)
    expect(ethtoolGetWol(dev).wolopts).toBe(Wake.MAGIC | Wake.ARP)
    expect(ethtoolSetWol(dev, { modes: { bits: [], nomask: true } })).toBe(true)
    expect(ethtoolGetWol(dev).wolopts).toBe(0)
    expect(sent).toEqual(['wol-ntf', 'wol-ntf'])
  })

  it('ETH-04 refuses a mode the card does not support', () => {
    const error = refused(() => ethtoolSetWol(card(Wake.ARP).dev, { modes: bits('magic') }))
    expect(parts(error)).toEqual(['EINVAL', 'cannot enable unsupported WoL mode', 'modes'])
  })

  it('takes a password only with magicsecure', () => {
    const sopass = Uint8Array.of(1, 2, 3, 4, 5, 6)
    const error = refused(() => ethtoolSetWol(card(Wake.MAGIC).dev, { sopass }))
    expect(parts(error)).toEqual(['EINVAL', 'magicsecure not supported, cannot set password', 'sopass'])
    const secure = card(Wake.MAGICSECURE)
    expect(ethtoolSetWol(secure.dev, { sopass })).toBe(true)
    expect(ethtoolSetWol(secure.dev, { sopass: sopass.slice() })).toBe(false)
  })
})

describe('private flags', () => {
  function card() {
    let state = 0b01
    const rig = makeDev('eth0', {
      getStrings: (_dev, set) => (set === 'priv-flags' ? ['turbo', 'legacy-rx'] : []),
      getPrivFlags: () => state,
      setPrivFlags: (_dev, next) => void (state = next),
    })
    return { ...rig, sent: notices(rig) }
  }

  it('ETH-02 ETH-03 change by name, with a notice if they do', () => {
    const { dev, sent } = card()
    expect(ethtoolSetPrivFlags(dev, bits('turbo'))).toBe(false)
    expect(ethtoolSetPrivFlags(dev, bits('legacy-rx'))).toBe(true)
    expect(ethtoolGetPrivFlags(dev)).toEqual([
      { name: 'turbo', value: true },
      { name: 'legacy-rx', value: true },
    ])
    expect(sent).toEqual(['privflags-ntf'])
  })

  it('ETH-04 an unknown one is named', () => {
    expect(refused(() => ethtoolSetPrivFlags(card().dev, bits('nosuch'))).badAttr).toBe('flags/bits/0/name')
  })
})

describe('flow control', () => {
  function card() {
    let state: EthtoolPauseparam = { autoneg: false, rxPause: true, txPause: true }
    const rig = makeDev('eth0', {
      getPauseparam: () => state,
      setPauseparam: (_dev, next) => void (state = next),
      getPauseStats: () => ({ txPauseFrames: 3n }),
    })
    return { ...rig, sent: notices(rig) }
  }

  it('ETH-15 has three states a switch: on, off, not mentioned', () => {
    const { dev, sent } = card()
    expect(ethtoolSetPauseparam(dev, { rxPause: undefined, txPause: true })).toBe(false)
    expect(ethtoolSetPauseparam(dev, { txPause: false })).toBe(true)
    expect(ethtoolGetPauseparam(dev)).toEqual({ autoneg: false, rxPause: true, txPause: false })
    expect(sent).toEqual(['pause-ntf'])
  })

  it('ETH-14 STAT-10 counts pause frames, those that are kept', () => {
    expect(ethtoolGetPauseStats(card().dev)).toEqual({ txPauseFrames: 3n })
  })
})
