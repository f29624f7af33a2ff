import type { BitsetChange } from '../bitset.ts'
import { ethtoolGetMsglevel, ethtoolSetMsglevel } from '../debug.ts'
import { formatSettings } from '../format/settings.ts'
import type { EthtoolSettings } from '../format/settings.ts'
import { ethtoolGetLinkKsettings, ethtoolSetLinkinfo, ethtoolSetLinkmodes } from '../ksettings.ts'
import type { EthtoolLinkinfoChange, EthtoolLinkmodesChange } from '../ksettings.ts'
import { REAL_LINK_MODES } from '../link-modes.ts'
import { ethtoolGetLink } from '../link.ts'
import { ethtoolGetWol, ethtoolSetWol } from '../wol.ts'
import type { EthtoolWolChange } from '../wol.ts'
import { asErrno } from './context.ts'
import type { Cli } from './context.ts'
import { RequestLayout } from './layout.ts'
import { parseParams } from './parser.ts'
import { offersAll, SETTINGS_GROUPS, SETTINGS_PARAMS } from './set-params.ts'
import type { SettingsGroup } from './set-params.ts'

/** `ethtool DEV`: five requests; what a device does not offer is passed over in silence. @kernel none */
export function showSettings(cli: Cli): number {
  const settings: EthtoolSettings = {
    linkmodes: quietly(cli, () => ethtoolGetLinkKsettings(cli.netlinkDev())),
    linkinfo: quietly(cli, () => ethtoolGetLinkKsettings(cli.netlinkDev())),
    wol: quietly(cli, () => {
      cli.needAdmin()
      return ethtoolGetWol(cli.netlinkDev())
    }),
    msglevel: quietly(cli, () => ethtoolGetMsglevel(cli.netlinkDev())),
    link: quietly(cli, () => ethtoolGetLink(cli.netlinkDev())),
  }
  const text = formatSettings(cli.devname, settings)
  cli.out(text === '' ? 'No data available\n' : text)
  return text === '' ? 75 : 0
}

function quietly<T>(cli: Cli, get: () => T): T | undefined {
  try {
    return get()
  } catch (error) {
    const errno = asErrno(error)
    if (errno.code !== 'EOPNOTSUPP') cli.netlinkError(errno)
    return undefined
  }
}

/** `ethtool -s`: up to four requests, in the kernel's order; the first refusal ends it. @kernel none */
export function changeSettings(cli: Cli): number {
  const layouts = new Map<SettingsGroup, RequestLayout>()
  const parsed = parseParams(cli, '-s', SETTINGS_PARAMS, (group) => {
    const layout = layouts.get(group) ?? new RequestLayout(cli.devname)
    layouts.set(group, layout)
    return layout
  })
  for (const group of SETTINGS_GROUPS) {
    const change = parsed.get(group)
    if (change === undefined) continue
    const code = cli.netlink(75, () => apply(cli, group, change), layouts.get(group))
    if (code !== 0) return code
  }
  return 0
}

function apply(cli: Cli, group: SettingsGroup, change: Readonly<Record<string, unknown>>): void {
  const full: Readonly<Record<string, unknown>> =
    group === 'linkmodes' ? { ...advertiseAll(cli, change) } : change
  cli.needAdmin()
  const dev = cli.netlinkDev()
  if (group === 'linkinfo') ethtoolSetLinkinfo(dev, full as EthtoolLinkinfoChange)
  else if (group === 'linkmodes') ethtoolSetLinkmodes(dev, full as EthtoolLinkmodesChange)
  else if (group === 'wol') ethtoolSetWol(dev, full as EthtoolWolChange)
  else ethtoolSetMsglevel(dev, full['msgmask'] as BitsetChange)
}

/** `autoneg on` alone offers everything the card can do: so the tool asks first what that is. */
function advertiseAll(cli: Cli, change: EthtoolLinkmodesChange): EthtoolLinkmodesChange {
  if (!offersAll(change)) return change
  const all = ethtoolGetLinkKsettings(cli.netlinkDev()).supported & REAL_LINK_MODES
  return { ...change, advertising: { value: all, mask: all } }
}
