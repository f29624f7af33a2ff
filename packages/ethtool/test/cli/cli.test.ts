import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ethtoolOpGetLink, ethtoolRxfhIndirDefault, runEthtool, Wake } from '../../src/index.ts'
import type { EthtoolCoalesce, EthtoolLinkKsettings, EthtoolOps, EthtoolWolinfo } from '../../src/index.ts'
import { makeDev } from '../devices.ts'
import type { Rig } from '../devices.ts'

/** A card that can nearly everything. */
function rich(over: EthtoolOps<any> = {}): Rig {
  const ring = { rxMaxPending: 4096, txMaxPending: 4096, rxPending: 256, txPending: 256, txPush: false }
  const channels = { maxCombined: 8, combinedCount: 4 }
  const rxfh = {
    indir: ethtoolRxfhIndirDefault(16, 4) as readonly number[],
    key: new Uint8Array(4),
    hfunc: 1,
  }
  let coalesce: Partial<EthtoolCoalesce> = { rxCoalesceUsecs: 3 }
  let wol: EthtoolWolinfo = { supported: Wake.MAGIC | Wake.PHY | Wake.MAGICSECURE, wolopts: 0 }
  let link: Partial<EthtoolLinkKsettings> = { speed: 1000, duplex: 1 }
  let flags = 0
  return makeDev('eth0', {
    getLink: ethtoolOpGetLink,
    supportedRingParams: new Set(['txPush'] as const),
    getRingparam: () => ({ ...ring }),
    setRingparam: (_d, next) => Object.assign(ring, next),
    getChannels: () => ({ ...channels }),
    setChannels: (_d, next) => Object.assign(channels, next),
    supportedCoalesceParams: new Set(['rxCoalesceUsecs', 'useAdaptiveRxCoalesce'] as const),
    getCoalesce: () => coalesce,
    setCoalesce: (_d, next) => void (coalesce = next),
    getRxRingCount: () => 4,
    getRxfh: () => ({ ...rxfh }),
    setRxfh: (_d, change) => Object.assign(rxfh, change),
    getWol: () => wol,
    setWol: (_d, next) => void (wol = next),
    getMsglevel: (d) => d.msgEnable,
    setMsglevel: (d, level) => void (d.msgEnable = level),
    getLinkKsettings: () => link,
    setLinkKsettings: (_d, next) => void (link = next),
    getStrings: (_d, set) =>
      ({ stats: ['a'], 'priv-flags': ['turbo', 'slow'], test: [], 'phy-stats': [] })[set],
    getEthtoolStats: () => [1n],
    getPrivFlags: () => flags,
    setPrivFlags: (_d, next) => void (flags = next),
    ...over,
  })
}

const run = (rig: { kernel: Rig['kernel'] }, line: string, capNetAdmin = true) =>
  runEthtool(rig.kernel, line === '' ? [] : line.split(' '), { capNetAdmin })

const BAD = 'ethtool: bad command line argument(s)\nFor more information run ethtool -h\n'

describe('a device that does not exist', () => {
  const kernel = createKernel()
  const none = 'netlink error: no device matches name (offset 24)\nnetlink error: No such device\n'
  const table: readonly (readonly [string, number, string, string?])[] = [
    ['nosuch', 75, none.repeat(5), 'No data available\n'],
    ['-g nosuch', 1, none],
    ['-k nosuch', 1, none],
    ['--json -k nosuch', 1, none, '[ ]\n'],
    ['-G nosuch rx 1', 81, none],
    ['-s nosuch msglvl 1', 75, none],
    ['-K nosuch gro on', 92, none],
    ['-P nosuch', 1, 'netlink error: No such device\n'],
    ['-i nosuch', 71, 'Cannot get driver information: No such device\n'],
    ['-S nosuch', 96, 'Cannot get stats strings information: No such device\n'],
    ['-d nosuch', 72, 'Cannot get driver information: No such device\n'],
    ['-e nosuch', 74, 'Cannot get driver information: No such device\n'],
    ['-t nosuch', 74, 'Cannot get strings: No such device\n'],
    ['-i a-name-of-17-chars', 1, 'Device name longer than 15 characters\n' + BAD],
  ]
  for (const [line, exitCode, stderr, stdout = ''] of table) {
    it(`ethtool ${line} (${exitCode})`, () => {
      expect(run({ kernel }, line)).toEqual({ stdout, stderr, exitCode })
    })
  }
})

describe('what is on the command line', () => {
  const table: readonly (readonly [string, number, string])[] = [
    ['', 1, BAD],
    ['-k', 1, BAD],
    ['--nosuch eth0', 1, BAD],
    ['--json', 1, BAD],
    ['--debug', 1, BAD],
    ['--debug x eth0', 1, BAD],
    ['-i eth0 more', 1, BAD],
    ['-S eth0 more', 1, "ethtool (-S): unknown parameter 'more'\n"],
    ['-S eth0 --groups', 1, "ethtool (-S): no value for parameter '--groups'\n"],
    [
      '-S eth0 --groups nosuch',
      1,
      'netlink error: bit name not found (offset 52)\nnetlink error: Operation not supported\n',
    ],
    ['-g eth0 more', 1, "ethtool: unexpected parameter 'more'\n"],
    ['-G eth0 nosuch 1', 1, "ethtool (-G): unknown parameter 'nosuch'\n"],
    ['-G eth0 rx', 1, "ethtool (-G): no value for parameter 'rx'\n"],
    ['-G eth0 rx abc', 1, "ethtool (-G): invalid value 'abc' for parameter 'rx'\n"],
    ['-G eth0 rx -1', 1, "ethtool (-G): invalid value '-1' for parameter 'rx'\n"],
    ['-G eth0 rx 4294967296', 1, "ethtool (-G): invalid value '4294967296' for parameter 'rx'\n"],
    ['-G eth0 rx 1 rx 2', 1, "ethtool (-G): duplicate parameter 'rx'\n"],
    ['-C eth0 adaptive-rx yes', 1, "ethtool (-C): invalid value 'yes' for parameter 'adaptive-rx'\n"],
    ['-s eth0 duplex both', 1, "ethtool (-s): invalid value 'both' for parameter 'duplex'\n"],
    ['-s eth0 phyad 256', 1, "ethtool (-s): invalid value '256' for parameter 'phyad'\n"],
    ['-s eth0 xcvr internal', 1, "ethtool (-s): deprecated parameter 'xcvr' not supported by kernel\n"],
    ['-s eth0 sopass 1:2', 1, "ethtool (-s): invalid value '1:2' for parameter 'sopass'\n"],
    ['-s eth0 wol xyz', 1, "ethtool (-s): invalid char 'x' in 'xyz' for parameter 'wol'\n"],
    [
      '-s eth0 msglvl drv',
      1,
      "ethtool (-s): flag 'drv' for parameter 'msglvl' is not followed by 'on' or 'off'\n",
    ],
    [
      '-K eth0 gro',
      1,
      "ethtool (-K): flag '(null)' for parameter '(null)' is not followed by 'on' or 'off'\n",
    ],
    [
      '-K eth0 gro maybe',
      1,
      "ethtool (-K): flag 'maybe' for parameter '(null)' is not followed by 'on' or 'off'\n",
    ],
    ['-t eth0 sideways', 1, BAD],
    ['-p eth0 abc', 1, BAD],
    ['--reset eth0', 1, BAD],
    ['--reset eth0 nosuch', 1, BAD],
    ['-X eth0', 1, BAD],
    ['-X eth0 equal 0', 1, BAD],
    ['-X eth0 equal 2 weight 1 1', 1, 'Equal and weight options are mutually exclusive\n'],
    ['-X eth0 start 1', 1, 'Start must be used with equal or weight options\n'],
    ['-X eth0 hfunc md5', 1, 'Unknown hash function: md5\n'],
    ['-n eth0 rx-flow-hash ipx', 1, BAD],
    ['--get-phy-tunable eth0 nosuch', 1, BAD],
    ['--set-eee eth0', 1, 'ethtool (--set-eee): parameters missing\n'],
    ['--cable-test eth0', 1, "ethtool: '--cable-test' is not implemented here\n"],
  ]
  for (const [line, exitCode, stderr] of table) {
    it(`ethtool ${line} (${exitCode})`, () => {
      expect(run(rich(), line)).toEqual({ stdout: '', stderr, exitCode })
    })
  }

  it('--version and --help', () => {
    const rig = rich()
    expect(run(rig, '--version')).toEqual({ stdout: 'ethtool version 6.1\n', stderr: '', exitCode: 0 })
    expect(run(rig, '-h')).toMatchObject({ stderr: '', exitCode: 0 })
  })
})

describe('settings', () => {
  it('ETH-05 a refusal shows where in the request it was', () => {
    const rig = rich()
    const max = 'netlink error: requested ring size exceeds maximum'
    const tail = '\nnetlink error: Invalid argument\n'
    expect(run(rig, '-G eth0 rx 5000').stderr).toBe(`${max} (offset 36)${tail}`)
    expect(run(rig, '-G eth0 rx 128 tx 5000').stderr).toBe(`${max} (offset 44)${tail}`)
    expect(run(rig, '-L eth0 combined 9')).toEqual({
      stdout: '',
      stderr: `netlink error: requested channel count exceeds maximum (offset 36)${tail}`,
      exitCode: 1,
    })
    expect(run(rig, '-C eth0 rx-usecs 1 tx-usecs 2').stderr).toBe(
      `netlink error: cannot modify an unsupported parameter (offset 44)${tail}`,
    )
    // The attribute at fault is not in the request: no offset.
    expect(run(rig, '-L eth0 combined 0 tx 0').stderr).toContain('being configured (offset 36)')
  })

  it('ETH-02 ETH-09 what is set is what is shown', () => {
    const rig = rich()
    expect(run(rig, '-G eth0 rx 0x80 tx-push on').exitCode).toBe(0)
    expect(run(rig, '-g eth0').stdout).toContain('RX:\t\t128\n')
    expect(run(rig, '-g eth0').stdout).toContain('TX Push:\ton\n')
    expect(run(rig, '-L eth0 combined 2').exitCode).toBe(0)
    expect(run(rig, '-l eth0').stdout).toMatch(/Combined:\t2\n$/)
    expect(run(rig, '-C eth0 rx-usecs 50 adaptive-rx on').exitCode).toBe(0)
    expect(run(rig, '-c eth0').stdout).toContain('Adaptive RX: on  TX: n/a\n')
    expect(run(rig, '-c eth0').stdout).toContain('rx-usecs: 50\nrx-frames: n/a\n')
    expect(run(rig, '--set-priv-flags eth0 slow on').exitCode).toBe(0)
    expect(run(rig, '--show-priv-flags eth0').stdout).toBe('Private flags for eth0:\nturbo: off\nslow : on\n')
    expect(run(rig, '-s eth0 msglvl drv on hw on -- wol pg').exitCode).toBe(0)
    const shown = run(rig, 'eth0').stdout
    expect(shown).toContain(
      'Current message level: 0x00002001 (8193)\n                               drv hw\n',
    )
    expect(shown).toContain('\tSupports Wake-on: pgs\n\tWake-on: pg\n')
    expect(run(rig, '-s eth0 wol +s-p').exitCode).toBe(0)
    expect(run(rig, 'eth0').stdout).toContain('\tWake-on: gs\n')
    expect(run(rig, '-s eth0 wol d').exitCode).toBe(0)
    expect(run(rig, 'eth0').stdout).toContain('\tWake-on: d\n')
    expect(run(rig, '-s eth0 msglvl 4/5').exitCode).toBe(0)
    expect(run(rig, 'eth0').stdout).toContain('0x00002004 (8196)')
    expect(run(rig, '-s eth0 speed 100 duplex half port fibre').exitCode).toBe(0)
    expect(run(rig, 'eth0').stdout).toContain('\tSpeed: 100Mb/s\n\tDuplex: Half\n')
    expect(rig.kernel.violations).toEqual([])
  })

  it('ETH-03 setting what is set already is no error', () => {
    expect(run(rich(), '-G eth0 rx 256')).toEqual({ stdout: '', stderr: '', exitCode: 0 })
    expect(run(rich(), '-G eth0')).toEqual({ stdout: '', stderr: '', exitCode: 0 })
  })

  it('-s sends its requests in order and stops at the first refusal', () => {
    const rig = rich()
    const result = run(rig, '-s eth0 msglvl 7 wol a')
    expect(result).toEqual({
      stdout: '',
      stderr:
        'netlink error: cannot enable unsupported WoL mode (offset 36)\nnetlink error: Invalid argument\n',
      exitCode: 75,
    })
    expect(run(rig, 'eth0').stdout).toContain('Current message level: 0x00000000')
  })

  it('-X spreads evenly, by weight, and back to the default', () => {
    const rig = rich()
    const table = () => run(rig, '-x eth0').stdout.split('\n').slice(1, 3)
    expect(run(rig, '-X eth0 equal 2 start 1').exitCode).toBe(0)
    expect(table()).toEqual([
      '    0:      1     2     1     2     1     2     1     2',
      '    8:      1     2     1     2     1     2     1     2',
    ])
    expect(run(rig, '-X eth0 weight 3 1').exitCode).toBe(0)
    expect(table()).toEqual([
      '    0:      0     0     0     0     0     0     0     0',
      '    8:      0     0     0     0     1     1     1     1',
    ])
    expect(run(rig, '-X eth0 hkey 01:02:03:04 hfunc xor').exitCode).toBe(0)
    expect(run(rig, '-x eth0').stdout).toContain(
      'RSS hash key:\n01:02:03:04\nRSS hash function:\n    toeplitz: off\n    xor: on\n',
    )
    expect(run(rig, '-X eth0 default').exitCode).toBe(0)
    expect(table()[0]).toBe('    0:      0     1     2     3     0     1     2     3')
    expect(run(rig, '-X eth0 equal 5')).toMatchObject({
      stderr: 'Cannot set RX flow hash configuration: Invalid argument\n',
      exitCode: 1,
    })
    expect(run(rig, '-X eth0 weight 0')).toMatchObject({
      stderr: 'At least one weight must be non-zero\n',
      exitCode: 1,
    })
  })

  it('--reset says what was and what was not reset', () => {
    const onlyIrq = rich({ reset: (_d, bits) => bits & ~2 })
    expect(run(onlyIrq, '--reset eth0 mgmt irq').stdout).toBe(
      'ETHTOOL_RESET 0x3\nComponents reset:     0x2\nComponents not reset: 0x1\n',
    )
    const all = rich({ reset: () => 0 })
    expect(run(all, '--reset eth0 mgmt irq-shared flags 4').stdout).toBe(
      'ETHTOOL_RESET 0x20005\nComponents reset:     0x20005\n',
    )
    expect(run(all, '--reset eth0 all').stdout).toContain('Components reset:     0xffffffff\n')
  })
})

describe('an ordinary user', () => {
  const DENIED = 'netlink error: Operation not permitted\n'
  const gets = ['-i', '-S', '-g', '-l', '-c', '-k', '-T', '-P', '-x', '--show-priv-flags']
  for (const option of gets) {
    it(`ETH-16 may ask ${option}`, () => {
      const rig = rich({ getDrvinfo: () => ({ driver: 'rich' }) })
      expect(run(rig, `${option} eth0`, false)).toEqual(run(rig, `${option} eth0`, true))
      expect(run(rig, `${option} eth0`, false).exitCode).toBe(0)
    })
  }

  const sets: readonly (readonly [string, string, number])[] = [
    ['-G eth0 rx 128', DENIED, 81],
    ['-L eth0 combined 2', DENIED, 1],
    ['-C eth0 rx-usecs 9', DENIED, 1],
    ['-A eth0 rx on', DENIED, 76],
    ['-K eth0 gro off', DENIED, 92],
    ['-s eth0 msglvl 1', DENIED, 75],
    ['--set-priv-flags eth0 turbo on', DENIED, 1],
    ['-m eth0', DENIED, 1],
    ['-X eth0 equal 2', 'Cannot set RX flow hash configuration: Operation not permitted\n', 1],
    ['-r eth0', 'Cannot restart autonegotiation: Operation not permitted\n', 255],
    ['-p eth0 1', 'Cannot identify NIC: Operation not permitted\n', 255],
    ['-t eth0', 'Cannot test: Operation not permitted\n', 74],
  ]
  for (const [line, stderr, exitCode] of sets) {
    it(`ETH-16 may not ${line}`, () => {
      const rig = rich()
      const before = run(rig, 'eth0').stdout + run(rig, '-g eth0').stdout + run(rig, '-k eth0').stdout
      expect(run(rig, line, false)).toEqual({ stdout: '', stderr, exitCode })
      expect(run(rig, 'eth0').stdout + run(rig, '-g eth0').stdout + run(rig, '-k eth0').stdout).toBe(before)
    })
  }

  it('ETH-16 does not see what wakes the machine, which may hold a password', () => {
    const result = run(rich(), 'eth0', false)
    expect(result.stderr).toBe(DENIED)
    expect(result.stdout).not.toContain('Wake-on')
    expect(result.exitCode).toBe(0)
  })
})

describe('any command line', () => {
  it('is answered with text and an exit code, and leaves rtnl free', () => {
    const options = [
      '-s',
      '-a',
      '-A',
      '-c',
      '-C',
      '-g',
      '-G',
      '-k',
      '-K',
      '-i',
      '-d',
      '-e',
      '-r',
      '-t',
      '-S',
      '-n',
      '-N',
      '-T',
      '-x',
      '-X',
      '-P',
      '-w',
      '-l',
      '-L',
      '-m',
      '--reset',
      '--set-priv-flags',
      '--set-eee',
      '--json',
      '-I',
      '--debug',
      '--show-module',
    ]
    const words = [
      'eth0',
      'nosuch',
      'rx',
      'tx',
      'on',
      'off',
      '1',
      '0x10',
      '-1',
      'all',
      'wol',
      'pg',
      'msglvl',
      'drv',
      '7/7',
      'gro',
      'tso',
      'autoneg',
      'speed',
      'advertise',
      'equal',
      'weight',
      'hkey',
      '--groups',
      'rmon',
      '--',
      '',
    ]
    const word = fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 5 }))
    const line = fc.tuple(fc.constantFrom(...options), fc.array(word, { maxLength: 6 }))
    const rig = rich()
    fc.assert(
      fc.property(line, fc.boolean(), ([option, rest], admin) => {
        const result = runEthtool(rig.kernel, [option, 'eth0', ...rest], { capNetAdmin: admin })
        expect(result.exitCode).toBeGreaterThanOrEqual(0)
        expect(result.exitCode).toBeLessThan(256)
        expect(typeof result.stdout + typeof result.stderr).toBe('stringstring')
        expect(result.exitCode === 0 || result.stderr + result.stdout !== '').toBe(true)
        expect(rig.kernel.rtnl.held).toBe(false)
      }),
      { numRuns: 2000 },
    )
    expect(rig.kernel.violations).toEqual([])
  })
})
