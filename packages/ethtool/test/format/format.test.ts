import { describe, expect, it } from 'vitest'
import {
  Duplex,
  formatChannels,
  formatCoalesce,
  formatHexDump,
  formatMsglevel,
  formatPause,
  formatPauseJson,
  formatPrivFlags,
  formatRings,
  formatRxfh,
  formatSelfTest,
  formatSettings,
  formatStdStats,
  formatStdStatsJson,
  formatTsInfo,
  formatWol,
  linkModes,
  pauseNegotiated,
  Port,
  Wake,
} from '../../src/index.ts'
import type { EthtoolCoalesce, EthtoolLinkKsettings, EthtoolRingparam, StdStats } from '../../src/index.ts'
import { formatJson } from '../../src/format/json.ts'

const LINK: EthtoolLinkKsettings = {
  speed: 1000,
  duplex: Duplex.FULL,
  port: Port.FIBRE,
  phyAddress: 1,
  autoneg: true,
  transceiver: 1,
  ethTpMdix: 0,
  ethTpMdixCtrl: 0,
  masterSlaveCfg: 0,
  masterSlaveState: 0,
  lanes: 0,
  supported: 0n,
  advertising: 0n,
  lpAdvertising: 0n,
}

describe('settings', () => {
  it('show a link partner, FEC, lanes and master/slave only when there are any', () => {
    const settings = {
      ...LINK,
      lanes: 4,
      masterSlaveCfg: 3,
      masterSlaveState: 2,
      supported: linkModes(
        'FIBRE',
        'Backplane',
        '100000baseKR4/Full',
        'Pause',
        'Asym_Pause',
        'RS',
        'BASER',
        'Autoneg',
      ),
      advertising: linkModes('100000baseKR4/Full', 'Asym_Pause'),
      lpAdvertising: linkModes('100baseT/Half', '100baseT/Full', '1000baseT/Full', 'Pause'),
    }
    expect(formatSettings('eth0', { linkmodes: settings })).toBe(
      'Settings for eth0:\n' +
        '\tSupported ports: [ FIBRE\t Backplane ]\n' +
        '\tSupported link modes:   100000baseKR4/Full\n' +
        '\tSupported pause frame use: Symmetric Receive-only\n' +
        '\tSupports auto-negotiation: Yes\n' +
        '\tSupported FEC modes: RS\t BASER\n' +
        '\tAdvertised link modes:  100000baseKR4/Full\n' +
        '\tAdvertised pause frame use: Transmit-only\n' +
        '\tAdvertised auto-negotiation: No\n' +
        '\tAdvertised FEC modes: Not reported\n' +
        '\tLink partner advertised link modes:  100baseT/Half 100baseT/Full\n' +
        '\t                                     1000baseT/Full\n' +
        '\tLink partner advertised pause frame use: Symmetric\n' +
        '\tLink partner advertised auto-negotiation: No\n' +
        '\tLink partner advertised FEC modes: Not reported\n' +
        '\tSpeed: 1000Mb/s\n' +
        '\tLanes: 4\n' +
        '\tDuplex: Full\n' +
        '\tAuto-negotiation: on\n' +
        '\tmaster-slave cfg: preferred slave\n' +
        '\tmaster-slave status: master\n',
    )
  })

  const speeds = [
    [0, 'Unknown!'],
    [0xffff, 'Unknown!'],
    [0xffffffff, 'Unknown!'],
    [25000, '25000Mb/s'],
  ] as const
  for (const [speed, text] of speeds) {
    it(`show speed ${speed} as ${text}`, () => {
      expect(formatSettings('e', { linkmodes: { ...LINK, speed } })).toContain(`\tSpeed: ${text}\n`)
    })
  }

  const crossings = [
    [0, 0, 'Unknown'],
    [1, 0, 'off'],
    [2, 0, 'on'],
    [1, 3, 'off (auto)'],
    [0, 1, 'off (forced)'],
    [0, 2, 'on (forced)'],
  ] as const
  for (const [ethTpMdix, ethTpMdixCtrl, text] of crossings) {
    it(`show crossing ${ethTpMdix}/${ethTpMdixCtrl} as ${text}, on copper only`, () => {
      const linkinfo = { ...LINK, port: Port.TP, ethTpMdix, ethTpMdixCtrl }
      expect(formatSettings('e', { linkinfo })).toContain(`\tMDI-X: ${text}\n`)
      expect(formatSettings('e', { linkinfo: { ...linkinfo, port: Port.FIBRE } })).not.toContain('MDI-X')
    })
  }

  it('show numbers they have no name for', () => {
    const text = formatSettings('e', {
      linkmodes: { ...LINK, duplex: 7 },
      linkinfo: { ...LINK, port: 99, transceiver: 5 },
    })
    expect(text).toContain('\tDuplex: Unknown! (7)\n')
    expect(text).toContain('\tPort: Unknown! (99)\n')
    expect(text).toContain('\tTransceiver: Unknown! (5)\n')
  })

  it('say nothing when there is nothing to say', () => {
    expect(formatSettings('eth0', {})).toBe('')
  })

  it('show a password with magicsecure', () => {
    const wol = {
      supported: Wake.MAGIC | Wake.MAGICSECURE,
      wolopts: Wake.MAGICSECURE,
      sopass: Uint8Array.of(1, 2, 0xab, 4, 5, 6),
    }
    expect(formatWol(wol)).toBe(
      '\tSupports Wake-on: gs\n\tWake-on: s\n        SecureOn password: 01:02:ab:04:05:06\n',
    )
  })

  it('show message classes under their number', () => {
    expect(formatMsglevel(0x2041)).toBe(
      '        Current message level: 0x00002041 (8257)\n                               drv rx_err hw\n',
    )
    expect(formatMsglevel(0)).toBe(
      '        Current message level: 0x00000000 (0)\n                              \n',
    )
  })
})

describe('other listings', () => {
  it('rings', () => {
    const ring: EthtoolRingparam = {
      rxMaxPending: 4096,
      rxMiniMaxPending: 0,
      rxJumboMaxPending: 64,
      txMaxPending: 0,
      rxPending: 0,
      rxMiniPending: 0,
      rxJumboPending: 0,
      txPending: 0,
      rxBufLen: 2048,
      tcpDataSplit: 2,
      cqeSize: 64,
      txPush: true,
    }
    expect(formatRings('eth0', ring)).toBe(
      'Ring parameters for eth0:\nPre-set maximums:\nRX:\t\t4096\nRX Mini:\tn/a\nRX Jumbo:\t64\nTX:\t\tn/a\n' +
        'Current hardware settings:\nRX:\t\t0\nRX Mini:\tn/a\nRX Jumbo:\t0\nTX:\t\tn/a\n' +
        'RX Buf Len:\t\t2048\nCQE Size:\t\t64\nTX Push:\ton\nTCP data split:\ton\n',
    )
  })

  it('channels', () => {
    const none = {
      maxRx: 0,
      maxTx: 0,
      maxOther: 1,
      maxCombined: 8,
      rxCount: 0,
      txCount: 0,
      otherCount: 1,
      combinedCount: 4,
    }
    expect(formatChannels('eth0', none)).toBe(
      'Channel parameters for eth0:\nPre-set maximums:\nRX:\t\tn/a\nTX:\t\tn/a\nOther:\t\t1\nCombined:\t8\n' +
        'Current hardware settings:\nRX:\t\tn/a\nTX:\t\tn/a\nOther:\t\t1\nCombined:\t4\n',
    )
  })

  it('coalescing, n/a for what the driver does not know', () => {
    const coalesce = {
      rxCoalesceUsecs: 50,
      rxMaxCoalescedFrames: 0,
      useAdaptiveRxCoalesce: false,
    } as EthtoolCoalesce
    const shown = new Set(['rxCoalesceUsecs', 'rxMaxCoalescedFrames', 'useAdaptiveRxCoalesce'] as const)
    expect(formatCoalesce('eth0', coalesce, shown)).toBe(
      'Coalesce parameters for eth0:\nAdaptive RX: off  TX: n/a\nstats-block-usecs: n/a\nsample-interval: n/a\n' +
        'pkt-rate-low: n/a\npkt-rate-high: n/a\n\nrx-usecs: 50\nrx-frames: 0\nrx-usecs-irq: n/a\nrx-frames-irq: n/a\n\n' +
        'tx-usecs: n/a\ntx-frames: n/a\ntx-usecs-irq: n/a\ntx-frames-irq: n/a\n\n' +
        'rx-usecs-low: n/a\nrx-frame-low: n/a\ntx-usecs-low: n/a\ntx-frame-low: n/a\n\n' +
        'rx-usecs-high: n/a\nrx-frame-high: n/a\ntx-usecs-high: n/a\ntx-frame-high: n/a\n\nCQE mode RX: n/a  TX: n/a\n\n',
    )
  })

  it('flow control with what was agreed and counted', () => {
    const pause = { autoneg: true, rxPause: false, txPause: true }
    const extras = { negotiated: { rx: true, tx: false }, stats: { txPauseFrames: 2n ** 53n + 1n } }
    expect(formatPause('eth0', pause, extras)).toBe(
      'Pause parameters for eth0:\nAutonegotiate:\ton\nRX:\t\toff\nTX:\t\ton\nRX negotiated: on\nTX negotiated: off\n' +
        'Statistics:\n  tx_pause_frames: 9007199254740993\n\n',
    )
    expect(formatPause('eth0', pause, { stats: {} })).not.toContain('Statistics')
    expect(formatPauseJson('eth0', extras)).toBe(
      '[ {\n        "ifname": "eth0",\n        "autonegotiate": true,\n        "rx": true,\n        "tx": true,\n' +
        '        "negotiated": {\n            "rx": true,\n            "tx": true\n        },\n' +
        '        "statistics": {\n            "tx_pause_frames": 9007199254740993\n        }\n    } ]\n',
    )
  })

  const agreed = [
    [['Pause'], ['Pause'], true, true],
    [['Pause', 'Asym_Pause'], ['Asym_Pause'], true, false],
    [['Asym_Pause'], ['Pause', 'Asym_Pause'], false, true],
    [['Asym_Pause'], ['Asym_Pause'], false, false],
    [['Pause'], [], false, false],
  ] as const
  for (const [ours, peer, rx, tx] of agreed) {
    it(`flow control between [${ours.join()}] and [${peer.join()}]`, () => {
      expect(pauseNegotiated(linkModes(...ours), linkModes(...peer))).toEqual({ rx, tx })
    })
  }

  it('private flags in a column', () => {
    const flags = [
      { name: 'a', value: true },
      { name: 'long-name', value: false },
    ]
    expect(formatPrivFlags('eth0', flags)).toBe('Private flags for eth0:\na        : on\nlong-name: off\n')
  })

  it('the hash table, eight a line', () => {
    const rxfh = { indir: [0, 1, 2, 3, 0, 1, 2, 3, 0, 1], key: Uint8Array.of(0x6d, 0x5a), hfunc: 1 }
    expect(formatRxfh('eth0', 4, rxfh)).toBe(
      'RX flow hash indirection table for eth0 with 4 RX ring(s):\n' +
        '    0:      0     1     2     3     0     1     2     3\n    8:      0     1\n' +
        'RSS hash key:\n6d:5a\nRSS hash function:\n    toeplitz: on\n    xor: off\n    crc32: off\n',
    )
    expect(formatRxfh('eth0', 1, { indir: [], key: new Uint8Array(0), hfunc: 0 })).toBe(
      'RX flow hash indirection table for eth0 with 1 RX ring(s):\nOperation not supported\n' +
        'RSS hash key:\nOperation not supported\nRSS hash function:\n    Operation not supported\n',
    )
  })

  it('a self test with an external plug', () => {
    const report = { offline: true, externalLb: true, externalLbDone: false, failed: false, tests: [] }
    expect(formatSelfTest(report)).toBe(
      'The test result is PASS\nExternal loopback test was not executed\n\n',
    )
  })

  it('time stamps in hardware', () => {
    expect(
      formatTsInfo('eth0', { soTimestamping: 1 | 4 | 64, phcIndex: 0, txTypes: 3, rxFilters: 1 | (1 << 12) }),
    ).toBe(
      'Time stamping parameters for eth0:\nCapabilities:\n\thardware-transmit\n\thardware-receive\n\thardware-raw-clock\n' +
        'PTP Hardware Clock: 0\nHardware Transmit Timestamp Modes:\n\toff\n\ton\n' +
        'Hardware Receive Filter Modes:\n\tnone\n\tptpv2-event\n',
    )
  })

  it('standard statistics with histograms', () => {
    const groups: StdStats[] = [
      { group: 'eth-mac', stats: [['FramesTransmittedOK', 5n]], rxHist: [], txHist: [] },
      { group: 'eth-ctrl', stats: [], rxHist: [], txHist: [] },
      {
        group: 'rmon',
        stats: [],
        rxHist: [
          { low: 0, high: 64, value: 1n },
          { low: 65, high: 127, value: 2n },
          { low: 1024, high: 0, value: 3n },
        ],
        txHist: [],
      },
    ]
    expect(formatStdStats('eth0', groups)).toBe(
      'Standard stats for eth0:\neth-mac-FramesTransmittedOK: 5\nrx-rmon-etherStatsPkts64Octets: 1\n' +
        'rx-rmon-etherStatsPkts65to127Octets: 2\nrx-rmon-etherStatsPkts1024toMaxOctets: 3\n',
    )
    expect(JSON.parse(formatStdStatsJson('eth0', groups))).toEqual([
      {
        ifname: 'eth0',
        'eth-mac': { FramesTransmittedOK: 5 },
        rmon: {
          'rx-pktsNtoM': [
            { low: 0, high: 64, val: 1 },
            { low: 65, high: 127, val: 2 },
            { low: 1024, high: 0, val: 3 },
          ],
        },
      },
    ])
  })

  it('bytes, sixteen a line, from an offset', () => {
    const bytes = Uint8Array.from({ length: 18 }, (_, i) => i)
    expect(formatHexDump(bytes, 0x20)).toBe(
      'Offset\t\tValues\n------\t\t------\n' +
        '0x0020:\t\t00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f \n0x0030:\t\t10 11 \n',
    )
    expect(formatHexDump(new Uint8Array(0))).toBe('Offset\t\tValues\n------\t\t------\n')
  })

  it('JSON escapes as the tool does', () => {
    expect(formatJson([[['k', 'a"b\\c\n\'']]])).toBe('[ {\n        "k": "a\\"b\\\\c\\n\\\'"\n    } ]\n')
    expect(formatJson([])).toBe('[ ]\n')
  })
})
