import type { EthtoolOps, EthtoolRxfh } from '@vnet/ethtool'

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'priv-flags': ['legacy', 'fast'],
  test: ['wire'],
}

/** A card that has something for most commands; it keeps what is set. */
export function card(): EthtoolOps<any> {
  const ring = { rx: 64, tx: 64 }
  const state = { msg: 7, wol: 0, priv: 1, usecs: 10, combined: 1 }
  let pause = { autoneg: false, rxPause: true, txPause: true }
  let link = { speed: 1000, duplex: 1, autoneg: true, supported: 0x6fn, advertising: 0x2fn }
  let rss: EthtoolRxfh = { indir: [0, 1, 0, 1], key: Uint8Array.from([1, 2]), hfunc: 1 }
  return {
    supportedCoalesceParams: new Set(['rxCoalesceUsecs']),
    getLink: () => true,
    getLinkKsettings: () => link,
    setLinkKsettings: (_d, next) => void (link = { ...link, ...next }),
    getMsglevel: () => state.msg,
    setMsglevel: (_d, level) => void (state.msg = level),
    getWol: () => ({ supported: 0x20, wolopts: state.wol }),
    setWol: (_d, wol) => void (state.wol = wol.wolopts),
    getRingparam: () => ({ rxMaxPending: 4096, txMaxPending: 4096, rxPending: ring.rx, txPending: ring.tx }),
    setRingparam: (_d, r) => void Object.assign(ring, { rx: r.rxPending, tx: r.txPending }),
    getChannels: () => ({ maxCombined: 4, combinedCount: state.combined }),
    setChannels: (_d, c) => void (state.combined = c.combinedCount),
    getCoalesce: () => ({ rxCoalesceUsecs: state.usecs }),
    setCoalesce: (_d, c) => void (state.usecs = c.rxCoalesceUsecs),
    getPauseparam: () => pause,
    setPauseparam: (_d, next) => void (pause = next),
    getPauseStats: () => ({ rxPauseFrames: 5n }),
    getStrings: (_d, set) => NAMES[set] ?? [],
    getPrivFlags: () => state.priv,
    setPrivFlags: (_d, flags) => void (state.priv = flags),
    getEthMacStats: () => ({ FramesReceivedOK: 9n }),
    getRmonStats: () => ({ rxHist: [{ low: 0, high: 64, value: 3n }] }),
    getRxRingCount: () => 2,
    getRxfh: () => rss,
    setRxfh: (_d, change) => void (rss = { ...rss, ...change }),
    getRxnfcRules: () => [{ location: 0, queue: null }],
    nwayReset: () => {},
    getRegsLen: () => 8,
    getRegs: () => ({ version: 3, data: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]) }),
    getEepromLen: () => 16,
    getEeprom: (_d, offset, length) => Uint8Array.from({ length }, (_, i) => offset + i),
    selfTest: () => ({ failed: true, data: [1] }),
    setPhysId: () => 0,
    reset: (_d, flags) => flags & 1,
  }
}
