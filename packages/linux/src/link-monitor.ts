import { AF, E, SOCK } from './consts.ts'
import { ifFlags } from './ifreq.ts'
import { libc } from './libc.ts'
import { HostMemory } from './memory.ts'
import type { Netns } from './netns.ts'
import { bindSock, closeFd, sys } from './sys.ts'
import { watchFd } from './watch.ts'
import type { FdWatcher } from './watch.ts'

const NETLINK_ROUTE = 0
const RTMGRP_LINK = 1
const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const NLMSG_HDRLEN = 16
const IFINFO_LEN = 16
const IFLA_IFNAME = 3

/**
 * What the host says about one of its interfaces.
 *
 * @kernel struct ifinfomsg include/uapi/linux/rtnetlink.h
 */
export interface LinkEvent {
  /** `gone` is deleted, or moved to another namespace. */
  readonly kind: 'link' | 'gone'
  readonly index: number
  readonly name: string
  /** IFF_ flags: in a message as they were, from a `LinkMonitor` as they are now. */
  readonly flags: number
}

/**
 * Reads the interfaces out of a batch of route netlink messages; what is malformed ends it.
 *
 * @kernel none
 */
export function parseLinkEvents(bytes: Uint8Array): LinkEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const events: LinkEvent[] = []
  for (let at = 0; at + NLMSG_HDRLEN <= bytes.length;) {
    const length = view.getUint32(at, true)
    if (length < NLMSG_HDRLEN || at + length > bytes.length) break
    const event = linkEvent(view, at, length)
    if (event !== null) events.push(event)
    at += (length + 3) & ~3
  }
  return events
}

function linkEvent(view: DataView, at: number, length: number): LinkEvent | null {
  const type = view.getUint16(at + 4, true)
  if ((type !== RTM_NEWLINK && type !== RTM_DELLINK) || length < NLMSG_HDRLEN + IFINFO_LEN) return null
  const info = at + NLMSG_HDRLEN
  const name = attributeText(view, info + IFINFO_LEN, at + length, IFLA_IFNAME)
  return {
    kind: type === RTM_DELLINK ? 'gone' : 'link',
    index: view.getInt32(info + 4, true),
    name,
    flags: view.getUint32(info + 8, true),
  }
}

function attributeText(view: DataView, from: number, end: number, wanted: number): string {
  for (let at = from; at + 4 <= end;) {
    const length = view.getUint16(at, true)
    if (length < 4 || at + length > end) break
    if ((view.getUint16(at + 2, true) & 0x3fff) === wanted) {
      const text = new Uint8Array(view.buffer, view.byteOffset + at + 4, Math.max(0, length - 5))
      return new TextDecoder().decode(text)
    }
    at += (length + 3) & ~3
  }
  return ''
}

/**
 * Hears what happens to the interfaces of a namespace. Anybody may.
 *
 * @kernel RTNLGRP_LINK include/uapi/linux/rtnetlink.h
 */
export class LinkMonitor {
  readonly #memory: HostMemory
  readonly #fd: number
  readonly #watcher: FdWatcher
  readonly #heard: (event: LinkEvent) => void
  readonly #lost: () => void
  readonly #netns: Netns | undefined
  #closed = false

  /**
   * Starts to listen.
   *
   * @param heard - called from the host’s loop
   * @param lost - so much happened that some was not heard: look yourself
   */
  constructor(heard: (event: LinkEvent) => void, lost: () => void, netns?: Netns) {
    this.#heard = heard
    this.#netns = netns
    this.#lost = lost
    this.#memory = new HostMemory(32_768)
    const open = (): number =>
      sys('socket', [AF.NETLINK, SOCK.RAW | SOCK.NONBLOCK | SOCK.CLOEXEC, NETLINK_ROUTE])
    this.#fd = netns === undefined ? open() : netns.run(open)
    try {
      const address = new DataView(new ArrayBuffer(12))
      address.setUint16(0, AF.NETLINK, true)
      address.setUint32(8, RTMGRP_LINK, true)
      bindSock(this.#fd, new Uint8Array(address.buffer))
      this.#watcher = watchFd(this.#fd, { readable: () => this.#read(), failed: () => this.#failed() })
      this.#watcher.unref()
      this.#watcher.start()
    } catch (error) {
      closeFd(this.#fd)
      throw error
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#watcher.close()
    closeFd(this.#fd)
  }

  /** An overflow is reported as an error, once; the watcher has stopped. */
  #failed(): void {
    this.#read()
    if (!this.#closed) this.#watcher.start()
  }

  #read(): void {
    const c = libc()
    const { bytes, address } = this.#memory
    while (!this.#closed) {
      const length = c.recv(this.#fd, address, bytes.length, 0)
      if (length > 0) for (const event of parseLinkEvents(bytes.subarray(0, length))) this.#tell(event)
      else if (length === 0) return
      else if (c.errno() === E.NOBUFS) this.#lost()
      else if (c.errno() !== E.INTR) return
    }
  }

  #tell(event: LinkEvent): void {
    if (!this.#closed) this.#heard(event.kind === 'link' ? { ...event, flags: this.#flagsNow(event) } : event)
  }

  /** A message tells of the past: who looked since then knows better, and must not hear of it as news. */
  #flagsNow({ name, flags }: LinkEvent): number {
    try {
      return this.#netns === undefined ? ifFlags(name) : this.#netns.run(() => ifFlags(name))
    } catch {
      // Renamed or deleted since: another message says so.
      return flags
    }
  }
}
