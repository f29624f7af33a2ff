import type { PrivFlag } from '../privflags.ts'
import { RSS_HASH_FUNCS } from '../rxfh.ts'
import type { EthtoolRxfh } from '../rxfh.ts'
import type { SelfTestReport } from '../selftest.ts'
import { hexBytes, onOff } from './text.ts'

/** What `ethtool -P` prints. @kernel none */
export function formatPermAddr(address: Uint8Array | null): string {
  return `Permanent address: ${address === null ? 'not set' : hexBytes(address, ':')}\n`
}

/** What `ethtool --show-priv-flags` prints. @kernel none */
export function formatPrivFlags(ifname: string, flags: readonly PrivFlag[]): string {
  const width = Math.max(0, ...flags.map((flag) => flag.name.length))
  let out = `Private flags for ${ifname}:\n`
  for (const { name, value } of flags) out += `${name.padEnd(width)}: ${onOff(value)}\n`
  return out
}

/** What `ethtool -t` prints. @kernel none */
export function formatSelfTest(report: SelfTestReport): string {
  let out = `The test result is ${report.failed ? 'FAIL' : 'PASS'}\n`
  if (report.externalLb) out += `External loopback test was ${report.externalLbDone ? '' : 'not '}executed\n`
  if (report.tests.length > 0) out += 'The test extra info:\n'
  for (const { name, value } of report.tests) out += `${name}\t ${value | 0}\n`
  return `${out}\n`
}

/** What `ethtool -x` prints. @kernel none */
export function formatRxfh(ifname: string, queues: number, rxfh: EthtoolRxfh): string {
  const { indir, key, hfunc } = rxfh
  let out = `RX flow hash indirection table for ${ifname} with ${queues} RX ring(s):\n`
  if (indir.length === 0) out += 'Operation not supported\n'
  for (const [i, queue] of indir.entries()) {
    if (i % 8 === 0) out += `${String(i).padStart(5)}: `
    out += ` ${String(queue).padStart(5)}`
    if (i % 8 === 7 || i === indir.length - 1) out += '\n'
  }
  out += `RSS hash key:\n${key.length === 0 ? 'Operation not supported' : hexBytes(key, ':')}\n`
  out += 'RSS hash function:\n'
  if (hfunc === 0) return `${out}    Operation not supported\n`
  return out + RSS_HASH_FUNCS.map((name, i) => `    ${name}: ${onOff(((hfunc >> i) & 1) === 1)}\n`).join('')
}
