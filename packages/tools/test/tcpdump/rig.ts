import { createKernel, Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import {
  allocEtherdevMqs,
  devChangeFlags,
  Iff,
  NETDEV_TX_OK,
  netifTxStartAllQueues,
  registerNetdev,
} from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { SockAf, sockRegister, syscallServer } from '@vnet/netlink'
import type { Sock, SockReceived } from '@vnet/netlink'
import { localTransport } from '../../src/proc/transport.ts'
import { newProcess } from '../../src/proc/new-process.ts'
import { runProgram } from '../../src/proc/run.ts'
import { tcpdumpWith } from '../../src/tcpdump/index.ts'
import type { CreateFile } from '../../src/tcpdump/index.ts'

/** A packet for the program. */
export interface FakePacket {
  readonly bytes: Uint8Array
  readonly sec?: number
  readonly nsec?: number
  readonly pkttype?: number
  readonly hatype?: number
  readonly ifindex?: number
  /** What the kernel took off: type and TCI. */
  readonly tag?: readonly [number, number]
}

/** A packet socket whose packets the test gives. */
export class FakePacketSock implements Sock {
  readonly family = SockAf.PACKET
  readonly type = 3
  readonly protocol = 0
  readonly queue: FakePacket[] = []
  readonly calls: string[] = []
  onReadable: (() => void) | null = null
  error: 'ENETDOWN' | null = null
  drops = 0
  closed = false

  get readable(): boolean {
    return this.queue.length > 0 || this.error !== null
  }

  arrive(...packets: FakePacket[]): void {
    this.queue.push(...packets)
    this.onReadable?.()
  }

  fail(): void {
    this.error = 'ENETDOWN'
    this.onReadable?.()
  }

  bind(address: Uint8Array): void {
    this.calls.push(`bind ${new DataView(address.buffer, address.byteOffset).getInt32(4, true)}`)
  }

  connect(): void {
    throw new Errno('EOPNOTSUPP')
  }

  getsockname(): Uint8Array {
    return new Uint8Array(20)
  }

  setsockopt(level: number, name: number): void {
    this.calls.push(`set ${level} ${name}`)
  }

  getsockopt(level: number, name: number): Uint8Array {
    if (level === 263 && name === 6) return words(this.queue.length + this.drops, this.drops)
    const error = this.error === null ? 0 : 100
    this.error = null
    return words(error)
  }

  sendmsg(): number {
    throw new Errno('EOPNOTSUPP')
  }

  recvmsg(max: number, flags: number): SockReceived | null {
    if (this.error !== null) {
      const code = this.error
      this.error = null
      throw new Errno(code)
    }
    const packet = this.queue.shift()
    if (packet === undefined) return null
    const address = new DataView(new ArrayBuffer(20))
    address.setUint16(0, 17, true)
    address.setInt32(4, packet.ifindex ?? 1, true)
    address.setUint16(8, packet.hatype ?? 1, true)
    address.setUint8(10, packet.pkttype ?? 0)
    return {
      bytes: packet.bytes.subarray(0, max),
      address: new Uint8Array(address.buffer),
      control: control(packet),
      fullLength: packet.bytes.length,
      flags: flags & 0,
    }
  }

  close(): void {
    this.closed = true
  }
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}

function control({ sec, nsec, tag }: FakePacket): Uint8Array {
  const view = new DataView(new ArrayBuffer(32 + (tag === undefined ? 0 : 40)))
  view.setBigUint64(0, 32n, true)
  view.setInt32(8, 1, true)
  view.setInt32(12, 35, true)
  view.setBigInt64(16, BigInt(sec ?? 0), true)
  view.setBigInt64(24, BigInt(nsec ?? 0), true)
  if (tag !== undefined) {
    view.setBigUint64(32, 36n, true)
    view.setInt32(40, 263, true)
    view.setInt32(44, 8, true)
    view.setUint32(48, 1 | (1 << 4) | (1 << 6), true)
    view.setUint16(64, tag[1], true)
    view.setUint16(66, tag[0], true)
  }
  return new Uint8Array(view.buffer)
}

function addDev(kernel: Kernel, name: string): NetDevice<any> {
  const dev = allocEtherdevMqs(kernel, {
    name,
    ops: { ndoStartXmit: () => NETDEV_TX_OK, ndoOpen: (d) => netifTxStartAllQueues(d) },
    priv: () => ({}),
  })
  dev.devAddr.set([2, 0, 0, 0, 0, 1])
  registerNetdev(dev)
  return dev
}

/** A `tcpdump` that runs, and what it has said. */
export function start(line: string, create: CreateFile | null = null) {
  const kernel = createKernel()
  const dev = addDev(kernel, 'vnet0')
  addDev(kernel, 'down0')
  kernel.rtnl.run(() => devChangeFlags(dev, Iff.UP))
  const sock = new FakePacketSock()
  sockRegister(kernel, SockAf.PACKET, {
    create: (_type, _protocol, who) => {
      if (!who.capNetAdmin) throw new Errno('EPERM')
      return sock
    },
  })
  const server = syscallServer(kernel)
  const said = { stdout: '', stderr: '', bytes: [] as number[], exitCode: null as number | null }
  const unprivileged = line.startsWith('user$ ')
  const process = newProcess(split(line.replace('user$ ', '')), {
    stdout: (text) => {
      if (typeof text === 'string') said.stdout += text
      else said.bytes.push(...text)
    },
    stderr: (text) => (said.stderr += text),
    capNetAdmin: !unprivileged,
  })
  const running = runProgram(
    tcpdumpWith(create),
    process,
    localTransport(server),
    (code) => (said.exitCode = code),
  )
  const settle = (): void => kernel.runFor(0)
  const interrupt = (): void => {
    running.interrupt()
    settle()
  }
  return { kernel, dev, server, sock, said, interrupt, settle }
}

/** Words, of which those in quotes are one. */
function split(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}
