import type { Output } from './records.ts'

/**
 * What two runs of the same machine never have alike: counters, times, and what chance decides. Each rule says which
 * commands it is for; everything else is compared byte for byte.
 */
const RULES: readonly { readonly of: RegExp; readonly what: RegExp; readonly by: string }[] = [
  // Counters: their places stay, and so does what stands around them.
  { of: /^ip .*-s|^ip stats/, what: /^ +\d+( +\d+)+ *$/gm, by: ' # ' },
  { of: /^ip .*-j/, what: /"(bytes|packets)":( ?)\d+/g, by: '"$1":$2#' },
  { of: /^ethtool -S/, what: /: \d+$/gm, by: ': #' },
  { of: /^tc -s/, what: /Sent \d+ bytes \d+ pkt/g, by: 'Sent # bytes # pkt' },
  { of: /statistics|^cat \/proc\/net\/(dev|dev_snmp6.*|snmp|softnet_stat)$/, what: /\b\d+\b/g, by: '#' },
  { of: /^cat \/proc\/net\/(dev|softnet_stat|snmp)$/, what: / +/g, by: ' ' },
  { of: /^cat \/proc\/net\/softnet_stat/, what: /[0-9a-f]{8}/g, by: '#' },
  { of: /^cat \/proc\/softirqs/, what: /\d+$/gm, by: '#' },
  { of: /^cat \/proc\/softirqs/, what: / +/g, by: ' ' },
  // Times.
  { of: /ping/, what: /time \d+ms/g, by: 'time #ms' },
  { of: /ping/, what: /time=[\d.]+ ms/g, by: 'time=# ms' },
  { of: /ping/, what: /rtt .*\n/g, by: 'rtt #\n' },
  { of: /ping/, what: /(, )?(pipe \d+|ipg\/ewma .*)\n/g, by: '' },
  { of: /^dmesg(?! -t)/, what: /^\[ *\d+\.\d+\]/gm, by: '[#]' },
  { of: /tcpdump/, what: /^\d\d:\d\d:\d\d\.\d+/gm, by: '#' },
  { of: /tcpdump/, what: /\d+ packets received by filter/g, by: '# packets received by filter' },
  // When a router solicitation goes, chance decides.
  { of: /^dmesg/, what: /^(\[#\] )?vnet: TX vnet0 proto=0x86dd .*\n/gm, by: '' },
  // When duplicate address detection ends and when a group's last report goes, chance decides: anywhere among the rest.
  { of: /monitor/, what: /^\[.*\] \d+: vnet0 +inet6 fe80::.* scope link \n +valid_lft.*\n/gm, by: '' },
  { of: /monitor/, what: /^\[.*\] local fe80::.*\n/gm, by: '' },
  { of: /monitor/, what: /^\[.*\] Deleted ff02::\S+ dev vnet0 .*NOARP \n/gm, by: '' },
  // How often a neighbour that was tried again fails depends on when.
  { of: /monitor/, what: /^\[.*\] 10\.0\.0\.2 dev vnet0 FAILED \n/gm, by: '' },
  { of: /monitor/, what: /^\[[-\dT:.]+\]/gm, by: '[#]' },
  // Other hardware's modules, and the size of another compiler's code.
  { of: /^lsmod/, what: /^virtio\w* .*\n/gm, by: '' },
  { of: /^lsmod/, what: /^(\w+) +\d+ /gm, by: '$1 # ' },
  // The line of another source.
  { of: /dynamic_debug/, what: /^\S+:\d+ /gm, by: '# ' },
  // Chosen by chance, between half and three halves of 30 s.
  { of: /^ip ntable/, what: /refcnt \d+ reachable \d+/g, by: 'refcnt # reachable #' },
]

/** Lines whose order is of no meaning: a hash table's, or which of two senders came first. */
const UNORDERED = /if_inet6|^\( sleep/

/** A command's output with what may differ taken out. */
export function masked(command: string, output: Output): Output {
  const { stderr, exitCode } = output
  let { stdout } = output
  if (UNORDERED.test(command))
    stdout = [...new Set(stdout.split('\n').map((line) => line.replace(/^[\d:.]+ /, '')))].sort().join('\n')
  const of = RULES.filter((rule) => rule.of.test(command))
  const take = (text: string): string => of.reduce((rest, { what, by }) => rest.replace(what, by), text)
  return { stdout: take(stdout), stderr: take(stderr), exitCode }
}
