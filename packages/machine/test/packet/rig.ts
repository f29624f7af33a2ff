import { createKernel, localBhDisable, localBhEnable } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import {
  allocEtherdevMqs,
  allocSkb,
  consumeSkb,
  devChangeFlags,
  devGetFlags,
  ethTypeTrans,
  Iff,
  NETDEV_TX_OK,
  netifReceiveSkb,
  netifTxStartAllQueues,
  registerNetdev,
  skbBytes,
  skbPut,
  skbReserve,
} from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { SockAf, sockCreate, type Sock, type SockReceived } from '@vnet/netlink'
import { packetFamily } from '../../src/packet/index.ts'
import type { RingFile } from '../../src/packet/ring.ts'

export const MAC = Uint8Array.from([2, 0, 0, 0, 0, 1])
export const PEER = Uint8Array.from([2, 0, 0, 0, 0, 2])
/** 2023-11-14 22:13:20 UTC. */
export const WALL_CLOCK = 1_700_000_000_000_000_000n

export interface Rig {
  readonly kernel: Kernel
  readonly dev: NetDevice<any>
  /** What left through the device. */
  readonly sent: Uint8Array[]
  readonly files: FakeFile[]
  readonly stop: () => void
}

/** Memory that is a file, as far as anyone can tell. */
export class FakeFile implements RingFile {
  readonly path = '/dev/shm/ring'
  readonly bytes: Uint8Array
  flushed = 0
  released = false

  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes)
  }

  flush(_offset: number, length: number): void {
    this.flushed += length
  }

  release(): void {
    this.released = true
  }
}

export function makeRig(withFiles = true): Rig {
  const kernel = createKernel()
  const files: FakeFile[] = []
  const sharedFile = (bytes: number): FakeFile => {
    const file = new FakeFile(bytes)
    files.push(file)
    return file
  }
  const stop = packetFamily(kernel, withFiles ? { sharedFile } : {}, WALL_CLOCK)
  const sent: Uint8Array[] = []
  return { kernel, dev: addDev(kernel, 'vnet0', sent), sent, files, stop }
}

export function addDev(kernel: Kernel, name: string, sent: Uint8Array[] = []): NetDevice<any> {
  const dev = allocEtherdevMqs(kernel, {
    name,
    ops: {
      ndoStartXmit: (skb) => {
        sent.push(skbBytes(skb))
        consumeSkb(skb)
        return NETDEV_TX_OK
      },
      ndoOpen: (d) => netifTxStartAllQueues(d),
    },
    priv: () => ({}),
  })
  dev.devAddr.set(MAC)
  dev.permAddr.set(MAC)
  registerNetdev(dev)
  up(dev)
  return dev
}

export function up(dev: NetDevice<any>): void {
  dev.kernel.rtnl.run(() => devChangeFlags(dev, devGetFlags(dev) | Iff.UP))
}

export function down(dev: NetDevice<any>): void {
  dev.kernel.rtnl.run(() => devChangeFlags(dev, devGetFlags(dev) & ~Iff.UP))
}

/** A frame: to, from, type, payload. */
export function frame(to: Uint8Array, from: Uint8Array, type: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(14 + payload.length)
  out.set(to)
  out.set(from, 6)
  out[12] = type >> 8
  out[13] = type & 0xff
  out.set(payload, 14)
  return out
}

/** A frame arrives at a device. */
export function arrive(dev: NetDevice<any>, bytes: Uint8Array): void {
  const { kernel } = dev
  const skb = allocSkb(kernel, bytes.length + 66)!
  skbReserve(skb, 66)
  skb.mem.set(bytes, skbPut(skb, bytes.length))
  skb.protocol = ethTypeTrans(skb, dev)
  localBhDisable(kernel)
  netifReceiveSkb(skb)
  localBhEnable(kernel)
}

export function open(kernel: Kernel, type = 3, protocol = 0): Sock {
  return sockCreate(kernel, SockAf.PACKET, type, protocol, { pid: 1, capNetAdmin: true })
}

/** `struct sockaddr_ll`. */
export function sll(ifindex: number, protocol: number, addr: Uint8Array = new Uint8Array(0)): Uint8Array {
  const view = new DataView(new ArrayBuffer(20))
  view.setUint16(0, 17, true)
  view.setUint16(2, protocol, false)
  view.setInt32(4, ifindex, true)
  view.setUint8(11, addr.length)
  const bytes = new Uint8Array(view.buffer)
  bytes.set(addr, 12)
  return bytes
}

export function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values, (value) => value >>> 0).buffer)
}

export function readWords(bytes: Uint8Array): number[] {
  return [...new Uint32Array(bytes.slice().buffer)]
}

/** All packets that wait. */
export function drain(sock: Sock): SockReceived[] {
  const out: SockReceived[] = []
  for (let got = sock.recvmsg(65536, 0); got !== null; got = sock.recvmsg(65536, 0)) out.push(got)
  return out
}
