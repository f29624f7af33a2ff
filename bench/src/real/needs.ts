import { closeSync, openSync } from 'node:fs'
import { firstLine } from '../machine.ts'
import type { Need } from './groups.ts'

const has = (program: string, ...args: string[]): boolean => firstLine(program, ...args) !== null

/** What is missing here, and what to do about it; null when it is there. */
const problems: Readonly<Record<Need, () => string | null>> = {
  root: () =>
    process.platform !== 'linux'
      ? `namespaces are of Linux, this is ${process.platform}`
      : firstLine('unshare', '-n', 'ip', '-V') === null
        ? 'making network namespaces needs root, and unshare and ip; without root: unshare -Urn npm run bench:real'
        : null,
  tun: () => {
    try {
      closeSync(openSync('/dev/net/tun', 'r+'))
      return null
    } catch (error) {
      return `no /dev/net/tun (${(error as NodeJS.ErrnoException).code}): modprobe tun, or give the container the device`
    }
  },
  iperf3: () =>
    has('iperf3', '--version') && has('setpriv', '--version') ? null : 'no iperf3 or no setpriv',
  ping: () => (has('ping', '-V') ? null : 'no ping (iputils)'),
}

/** The first reason why something that needs these cannot be measured here, or null. */
export function whyNot(needs: readonly Need[]): string | null {
  for (const need of needs) {
    const problem = problems[need]()
    if (problem !== null) return problem
  }
  return null
}
