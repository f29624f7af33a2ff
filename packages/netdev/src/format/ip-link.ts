import { linkFlagNames } from './ip-link-flags.ts'
import { groupName, type IpLinkOptions } from './ip-link-options.ts'
import { briefJson, jsonText, linkJson } from './ip-link-json.ts'
import type { LinkInfo } from './link-info.ts'
import { statsText } from './ip-link-stats.ts'

/**
 * The output of `ip link show`, byte for byte as iproute2 6.1 prints it.
 *
 * @kernel none
 */
export function formatIpLink(links: readonly LinkInfo[], options: IpLinkOptions = {}): string {
  if (options.json === true) {
    const record = options.brief === true ? briefJson : (link: LinkInfo) => linkJson(link, options)
    return jsonText(links.map(record), options.pretty === true)
  }
  const format = options.brief === true ? briefText : (link: LinkInfo) => linkText(link, options)
  return links.map((link) => format(link)).join('')
}

function briefText(link: LinkInfo): string {
  return `${nameOf(link).padEnd(16)} ${link.operstate.padEnd(14)} ${link.address} ${flagText(link)} \n`
}

/**
 * One link as `ip link`, `ip addr` and `ip monitor` begin it.
 *
 * @kernel none
 */
export function linkText(link: LinkInfo, options: IpLinkOptions): string {
  const nl = options.oneline === true ? '\\' : '\n'
  let text = headText(link, options.view ?? 'link')
  if (options.noAddress !== true || options.details === true) text += nl + addressText(link)
  if (options.details === true) text += detailText(link, nl)
  for (const name of link.altnames ?? []) text += `${nl}    altname ${name}`
  if (link.ifalias !== '' && (options.details === true || (options.view ?? 'link') === 'link'))
    text += `${nl}    alias ${link.ifalias}`
  const stats = options.stats ?? 0
  if (stats > 0) text += nl + statsText(link.stats, link.carrierChanges, stats > 1, nl, options.human)
  return `${text}\n`
}

function headText(link: LinkInfo, view: 'link' | 'addr' | 'monitor'): string {
  const words = [`${link.ifindex}: ${nameOf(link)}: ${flagText(link)} mtu ${link.mtu}`, `qdisc ${link.qdisc}`]
  if (link.master !== undefined) words.push(`master ${link.master}`)
  words.push(`state ${link.operstate}`)
  if (view === 'link') words.push(`mode ${link.linkmode}`)
  words.push(`group ${groupName(link.group)}`)
  // With a queue length of 0 the last word is missing, and the blank before it stays.
  const qlen = view === 'monitor' || link.txqlen === 0 ? '' : `qlen ${link.txqlen}`
  return `${words.join(' ')} ${qlen}${link.event === undefined ? '' : `event ${link.event} `}`
}

function addressText(link: LinkInfo): string {
  const permaddr =
    link.permaddr === null || link.permaddr === link.address ? '' : ` permaddr ${link.permaddr}`
  return `    link/${link.linkType} ${link.address} brd ${link.broadcast}${permaddr}`
}

function detailText(link: LinkInfo, nl: string): string {
  const kind = link.kind === null ? '' : `${nl}    ${link.kind} `
  const mode = link.addrGenMode === null ? '' : `addrgenmode ${link.addrGenMode} `
  const limits =
    `numtxqueues ${link.numTxQueues} numrxqueues ${link.numRxQueues} ` +
    `gso_max_size ${link.gsoMaxSize} gso_max_segs ${link.gsoMaxSegs} ` +
    `tso_max_size ${link.tsoMaxSize} tso_max_segs ${link.tsoMaxSegs} gro_max_size ${link.groMaxSize} `
  const parent =
    (link.parentBus === null ? '' : `parentbus ${link.parentBus} `) +
    (link.parentDev === null ? '' : `parentdev ${link.parentDev} `)
  const counts = ` promiscuity ${link.promiscuity}  allmulti ${link.allmulti} minmtu ${link.minMtu} maxmtu ${link.maxMtu} `
  return counts + kind + mode + limits + parent
}

function nameOf(link: LinkInfo): string {
  return link.link === null ? link.ifname : `${link.ifname}@${link.link}`
}

function flagText(link: LinkInfo): string {
  return `<${linkFlagNames(link.flags, link.linkDown).join(',')}>`
}
