import type { Machine } from '@vnet/machine'
import { runMachine } from '../boot/machine-process.ts'
import { machinePaths } from '../boot/runtime.ts'
import { LAB_IFNAME } from './lab.ts'
import { labModule } from './lab-module.ts'
import { ip, LabNamespaces } from './namespaces.ts'
import { DEFAULT_LAB, dropRecord, namespacesPath, writeRecord } from './record.ts'

/** What `vnet lab up` was asked for. */
export interface NamespaceLabOptions {
  readonly name: string
  /** As `parseFaults` takes them. */
  readonly faults: string
  readonly delayNs: number
}

/** The addresses of a side, with the length of their network. */
const ADDRESSES = [
  ['10.78.0.1/24', 'fd78::1/64'],
  ['10.78.0.2/24', 'fd78::2/64'],
] as const

/** The namespaces of a lab. */
export function namespacesOf(name: string): [string, string] {
  return [`${name}-a`, `${name}-b`]
}

/** Is the machine of a lab, until it is powered off. @returns the exit code @throws CommandError */
export async function runNamespaceLab(options: NamespaceLabOptions, ready: () => void): Promise<number> {
  const { name } = options
  const spaces = new LabNamespaces(namespacesPath(name))
  let ours = false
  const setUp = (machine: Machine): void => {
    // The name of the machine is ours by now.
    ours = true
    const namespaces = namespacesOf(name)
    writeRecord({ name, machines: [name], namespaces })
    spaces.make(namespaces)
    // The stacks are those of the namespaces: ours above the devices is to be silent.
    machine.vfs.write('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1')
    machine.kernel.modules.insmod(labModule({ ...options, namespaces, cable: name }))
    for (const [i, namespace] of namespaces.entries()) configure(namespace, ADDRESSES[i]!)
  }
  try {
    return await runMachine(machinePaths(name), { seed: 1, console: () => {}, ready, setUp })
  } finally {
    if (ours) {
      spaces.remove()
      dropRecord(name)
    }
  }
}

function configure(namespace: string, [v4, v6]: readonly [string, string]): void {
  ip('-n', namespace, 'addr', 'add', v4, 'dev', LAB_IFNAME)
  ip('-n', namespace, 'addr', 'add', v6, 'dev', LAB_IFNAME, 'nodad')
  ip('-n', namespace, 'link', 'set', LAB_IFNAME, 'up')
}

/** What to type next. */
export function nextSteps(name: string): string {
  const [a, b] = namespacesOf(name)
  const machine = name === 'default' ? 'vnet' : `vnet --machine ${name}`
  const steps = [
    [`ip netns exec ${a} ping 10.78.0.2`, 'through both drivers'],
    [`${machine} ip -s link`, 'the drivers, and their counters'],
    [`${machine} tcpdump -i vnet0`, 'what passes'],
    [`${machine} cable plug vnet0 patch:${name} drop=5%`, 'a worse cable'],
    [`vnet lab down${name === DEFAULT_LAB ? '' : ` ${name}`}`, 'the end'],
  ] as const
  const width = Math.max(...steps.map(([command]) => command.length))
  return `${a} (10.78.0.1, fd78::1) -- vnet0 == cable == vnet1 -- ${b} (10.78.0.2, fd78::2)

${steps.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`).join('\n')}
`
}
