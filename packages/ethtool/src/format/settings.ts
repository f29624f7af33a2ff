import { bitNames } from '../bitset.ts'
import { MSG_CLASSES } from '../debug.ts'
import { Duplex, EthTpMdi, Port, SPEED_UNKNOWN } from '../ksettings.ts'
import type { EthtoolLinkKsettings } from '../ksettings.ts'
import { hasLinkMode, LINK_MODES } from '../link-modes.ts'
import type { LinkMode } from '../link-modes.ts'
import { Wake } from '../wol.ts'
import type { EthtoolWolinfo } from '../wol.ts'
import { hexBytes, onOff } from './text.ts'

/** The parts of what `ethtool DEV` prints; a part that is not there is left out. */
export interface EthtoolSettings {
  readonly linkmodes?: EthtoolLinkKsettings | undefined
  readonly linkinfo?: EthtoolLinkKsettings | undefined
  readonly wol?: EthtoolWolinfo | undefined
  readonly msglevel?: number | undefined
  readonly link?: boolean | undefined
}

/** What `ethtool DEV` prints; an empty string when there is nothing to tell. @kernel none */
export function formatSettings(ifname: string, settings: EthtoolSettings): string {
  const { linkmodes, linkinfo, wol, msglevel, link } = settings
  let body = ''
  if (linkmodes !== undefined) body += formatLinkmodes(linkmodes)
  if (linkinfo !== undefined) body += formatLinkinfo(linkinfo)
  if (wol !== undefined) body += formatWol(wol)
  if (msglevel !== undefined) body += formatMsglevel(msglevel)
  if (link !== undefined) body += `\tLink detected: ${link ? 'yes' : 'no'}\n`
  return body === '' ? '' : `Settings for ${ifname}:\n${body}`
}

const MASTER_SLAVE_CFG: Readonly<Record<number, string>> = {
  1: 'unknown',
  2: 'preferred master',
  3: 'preferred slave',
  4: 'forced master',
  5: 'forced slave',
}

const MASTER_SLAVE_STATE: Readonly<Record<number, string>> = {
  1: 'unknown',
  2: 'master',
  3: 'slave',
  4: 'resolution error',
}

/** The lines about modes, speed and duplex. @kernel none */
export function formatLinkmodes(settings: EthtoolLinkKsettings): string {
  const { supported, advertising, lpAdvertising, speed } = settings
  let out = `\tSupported ports: [ ${spread(supported, 'port')} ]\n`
  out += modes(
    supported,
    'Supported link modes:   ',
    'Supported pause frame use: ',
    'Supports auto-negotiation: ',
  )
  out += fec(supported, 'Supported FEC modes: ')
  out += ours(advertising, 'Advertised')
  if (lpAdvertising !== 0n) out += ours(lpAdvertising, 'Link partner advertised')
  const unknown = speed === 0 || speed === 0xffff || speed === SPEED_UNKNOWN
  out += `\tSpeed: ${unknown ? 'Unknown!' : `${speed}Mb/s`}\n`
  if (settings.lanes > 0) out += `\tLanes: ${settings.lanes}\n`
  out += named('Duplex', settings.duplex, { [Duplex.HALF]: 'Half', [Duplex.FULL]: 'Full' })
  out += `\tAuto-negotiation: ${onOff(settings.autoneg)}\n`
  if (settings.masterSlaveCfg > 0) out += named('master-slave cfg', settings.masterSlaveCfg, MASTER_SLAVE_CFG)
  if (settings.masterSlaveState > 0) {
    out += named('master-slave status', settings.masterSlaveState, MASTER_SLAVE_STATE)
  }
  return out
}

function ours(bits: bigint, who: string): string {
  return (
    modes(bits, `${who} link modes:  `, `${who} pause frame use: `, `${who} auto-negotiation: `) +
    fec(bits, `${who} FEC modes: `)
  )
}

function modes(bits: bigint, link: string, pause: string, autoneg: string): string {
  return (
    `\t${link}${realModes(bits, link.length)}\n` +
    `\t${pause}${pauseUse(bits)}\n` +
    `\t${autoneg}${hasLinkMode(bits, 'Autoneg') ? 'Yes' : 'No'}\n`
  )
}

/** One a line, but a full-duplex mode stands beside the half-duplex mode before it. */
function realModes(bits: bigint, indent: number): string {
  let out = ''
  let previous = -2
  for (const [index, mode] of LINK_MODES.entries()) {
    if (mode.kind !== 'real' || !hasLinkMode(bits, mode.name)) continue
    const beside = index === previous + 1 && LINK_MODES[previous]?.duplex === 'half'
    if (out !== '') out += beside ? ' ' : `\n\t${' '.repeat(indent)}`
    out += mode.name
    previous = index
  }
  return out === '' ? 'Not reported' : out
}

function spread(bits: bigint, kind: LinkMode['kind']): string {
  const names = LINK_MODES.filter((mode) => mode.kind === kind && hasLinkMode(bits, mode.name))
  return names.map((mode) => mode.name).join('\t ')
}

function fec(bits: bigint, label: string): string {
  return `\t${label}${spread(bits, 'fec') || 'Not reported'}\n`
}

function pauseUse(bits: bigint): string {
  const asym = hasLinkMode(bits, 'Asym_Pause')
  if (hasLinkMode(bits, 'Pause')) return asym ? 'Symmetric Receive-only' : 'Symmetric'
  return asym ? 'Transmit-only' : 'No'
}

function named(label: string, value: number, names: Readonly<Record<number, string>>): string {
  return `\t${label}: ${names[value] ?? `Unknown! (${value})`}\n`
}

const PORTS: Readonly<Record<number, string>> = {
  [Port.TP]: 'Twisted Pair',
  [Port.AUI]: 'AUI',
  [Port.BNC]: 'BNC',
  [Port.MII]: 'MII',
  [Port.FIBRE]: 'FIBRE',
  [Port.DA]: 'Direct Attach Copper',
  [Port.NONE]: 'None',
  [Port.OTHER]: 'Other',
}

/** The lines about the plug. @kernel none */
export function formatLinkinfo(settings: EthtoolLinkKsettings): string {
  let out = named('Port', settings.port, PORTS)
  out += `\tPHYAD: ${settings.phyAddress}\n`
  out += named('Transceiver', settings.transceiver, { 0: 'internal', 1: 'external' })
  if (settings.port === Port.TP) out += `\tMDI-X: ${mdix(settings.ethTpMdix, settings.ethTpMdixCtrl)}\n`
  return out
}

function mdix(state: number, control: number): string {
  if (control === EthTpMdi.MDI) return 'off (forced)'
  if (control === EthTpMdi.MDI_X) return 'on (forced)'
  const text = state === EthTpMdi.MDI ? 'off' : state === EthTpMdi.MDI_X ? 'on' : 'Unknown'
  return control === EthTpMdi.AUTO ? `${text} (auto)` : text
}

/** The letters of the wake-on modes, lowest bit first. @kernel none */
export const WOL_LETTERS = 'pumbagsf'

/** The lines about waking the machine. @kernel none */
export function formatWol(wol: EthtoolWolinfo): string {
  let out = `\tSupports Wake-on: ${letters(wol.supported)}\n\tWake-on: ${letters(wol.wolopts)}\n`
  if ((wol.supported & Wake.MAGICSECURE) !== 0) {
    out += `        SecureOn password: ${hexBytes(wol.sopass ?? new Uint8Array(6), ':')}\n`
  }
  return out
}

function letters(bits: number): string {
  return [...WOL_LETTERS].filter((_, i) => ((bits >> i) & 1) === 1).join('') || 'd'
}

/** The lines about message classes. @kernel none */
export function formatMsglevel(level: number): string {
  const hex = level.toString(16).padStart(8, '0')
  const names = bitNames(BigInt(level), MSG_CLASSES).filter((name) => MSG_CLASSES.includes(name))
  const list = names.map((name) => ` ${name}`).join('')
  return `        Current message level: 0x${hex} (${level})\n${' '.repeat(30)}${list}\n`
}
