import { Errno, strerror } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { Iff } from '../constants.ts'
import { devGetByName } from '../lookup.ts'
import { formatIpLink } from './ip-link.ts'
import type { IpLinkOptions } from './ip-link-options.ts'
import { garbage, IpError } from './ip-error.ts'
import { ipLinkSet } from './ip-link-set.ts'
import { linkInfo, linkInfos } from './link-info.ts'

/** What a command printed, and how it ended. @kernel none */
export interface CommandResult {
  stdout: string
  stderr: string
  exitCode: number
}

/**
 * Runs `ip [OPTIONS] link …` and gives what iproute2 6.1 would print.
 *
 * Understood: the options -s, -d, -o, -br, -j, -p; `link [show [[dev] NAME] [up]]`; `link set`, see {@link ipLinkSet}.
 *
 * @param argv - the words after `ip`
 * @kernel none
 */
export function runIpLink(kernel: Kernel, argv: readonly string[]): CommandResult {
  try {
    const { options, words } = parseOptions(argv)
    const [object = 'link', ...rest] = words
    if (!'link'.startsWith(object)) throw new IpError(1, `Object "${object}" is unknown, try "ip help".`)
    return { stdout: runLink(kernel, rest, options), stderr: '', exitCode: 0 }
  } catch (error) {
    return failure(error)
  }
}

function failure(error: unknown): CommandResult {
  if (error instanceof IpError) return { stdout: '', stderr: `${error.message}\n`, exitCode: error.exitCode }
  if (!(error instanceof Errno)) throw error
  const stderr =
    error.extack === undefined ? `RTNETLINK answers: ${strerror(error.code)}\n` : `Error: ${error.extack}.\n`
  return { stdout: '', stderr, exitCode: 2 }
}

function parseOptions(argv: readonly string[]): { options: IpLinkOptions; words: string[] } {
  let stats = 0
  const options: { -readonly [K in keyof IpLinkOptions]: IpLinkOptions[K] } = {}
  const words = [...argv]
  while (words.length > 0 && words[0]!.startsWith('-') && words[0] !== '-') {
    const option = words.shift()!
    const word = option.replace(/^--?/, '')
    if ('statistics'.startsWith(word) || 'stats'.startsWith(word)) stats++
    else if ('details'.startsWith(word)) options.details = true
    else if ('oneline'.startsWith(word)) options.oneline = true
    else if (word.length > 1 && 'brief'.startsWith(word)) options.brief = true
    else if ('json'.startsWith(word)) options.json = true
    else if ('pretty'.startsWith(word)) options.pretty = true
    else throw new IpError(255, `Option "${option}" is unknown, try "ip -help".`)
  }
  options.stats = Math.min(stats, 2) as 0 | 1 | 2
  return { options, words }
}

function runLink(kernel: Kernel, words: readonly string[], options: IpLinkOptions): string {
  const [command = 'show', ...rest] = words
  if (['show', 'list', 'lst'].some((name) => name.startsWith(command))) return show(kernel, rest, options)
  if ('set'.startsWith(command) || 'change'.startsWith(command)) {
    ipLinkSet(kernel, rest)
    return ''
  }
  if ('delete'.startsWith(command)) return remove(kernel, rest)
  throw new IpError(255, `Command "${command}" is unknown, try "ip link help".`)
}

function show(kernel: Kernel, words: readonly string[], options: IpLinkOptions): string {
  let name: string | null = null
  let up = false
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === 'up') up = true
    else if (name !== null) throw new IpError(255, garbage(word))
    else if (word === 'dev') name = needed(words[++i])
    else name = word
  }
  const links = name === null ? linkInfos(kernel) : [linkInfo(device(kernel, name))]
  return formatIpLink(up ? links.filter((link) => (link.flags & Iff.UP) !== 0) : links, options)
}

function device(kernel: Kernel, name: string) {
  const dev = devGetByName(kernel, name)
  if (dev === undefined) throw new IpError(1, `Device "${name}" does not exist.`)
  return dev
}

/** Only links a user can also make can be deleted; that is for rtnetlink's link kinds. */
function remove(kernel: Kernel, words: readonly string[]): string {
  const name = words[0] === 'dev' ? words[1] : words[0]
  if (devGetByName(kernel, needed(name)) === undefined) throw new IpError(1, `Cannot find device "${name}"`)
  throw new Errno('EOPNOTSUPP')
}

function needed(word: string | undefined): string {
  if (word === undefined) throw new IpError(255, 'Command line is not complete. Try option "help"')
  return word
}
