/** What the contestants make on the host: namespaces, which go with their process, and who sends into them. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { AF, bindSock, HostMemory, ifIndex, libc, Netns, SOCK, sys } from '@vnet/linux'

const PROTO = [0x88, 0xb5] as const

/** A namespace without a name: nothing but what is measured is in it, and it is gone with this process. */
export function ownNamespace(): Netns {
  const netns = Netns.create()
  netns.run(() => {
    try {
      writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1\n')
    } catch {
      // A host without IPv6.
    }
  })
  return netns
}

/** Runs `ip` inside. */
export function ip(netns: Netns, ...words: string[]): void {
  netns.run(() => execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] }))
}

/** Two ends of a cable: frames sent on `va` arrive at `vb`. */
export function vethPair(netns: Netns): void {
  ip(netns, 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb')
  for (const end of ['va', 'vb']) ip(netns, 'link', 'set', end, 'up')
}

/** Sends one frame again and again on an interface: a broadcast of a type nobody wants. */
export class Sender {
  readonly frame: HostMemory
  readonly #fd: number
  readonly #libc = libc()

  constructor(netns: Netns, ifname: string, length: number) {
    this.frame = new HostMemory(length)
    this.frame.bytes.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 0, ...PROTO])
    this.#fd = netns.run(() => {
      const fd = sys('socket', [AF.PACKET, SOCK.RAW | SOCK.CLOEXEC, 0])
      const at = new DataView(new ArrayBuffer(20))
      at.setUint16(0, AF.PACKET, true)
      at.setInt32(4, ifIndex(ifname), true)
      bindSock(fd, new Uint8Array(at.buffer))
      return fd
    })
  }

  send(count: number): void {
    const { address, bytes } = this.frame
    for (let i = 0; i < count; i++) {
      if (this.#libc.send(this.#fd, address, bytes.length, 0) < 0)
        throw new Error(`send: error ${this.#libc.errno()}`)
    }
  }
}

const nobody = new Int32Array(new SharedArrayBuffer(4))

/** Stops this thread, so that Node's loop sees nothing of what the host does meanwhile. */
export function sleep(ms: number): void {
  Atomics.wait(nobody, 0, 0, ms)
}

/** Lets Node's loop turn until it is so. */
export async function until(done: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (done()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${what}: not within 5 seconds`)
}
