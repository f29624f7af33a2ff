import type { EthtoolDrvinfo } from '../drvinfo.ts'

/** What `ethtool -i` prints. @kernel none */
export function formatDrvinfo(info: EthtoolDrvinfo): string {
  const yes = (count: number) => (count > 0 ? 'yes' : 'no')
  return (
    `driver: ${info.driver}\n` +
    `version: ${info.version}\n` +
    `firmware-version: ${info.fwVersion}\n` +
    `expansion-rom-version: ${info.eromVersion}\n` +
    `bus-info: ${info.busInfo}\n` +
    `supports-statistics: ${yes(info.nStats)}\n` +
    `supports-test: ${yes(info.testinfoLen)}\n` +
    `supports-eeprom-access: ${yes(info.eedumpLen)}\n` +
    `supports-register-dump: ${yes(info.regdumpLen)}\n` +
    `supports-priv-flags: ${yes(info.nPrivFlags)}\n`
  )
}
