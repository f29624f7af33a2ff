import {
  closeFd,
  E,
  hostErrno,
  Ifreq,
  ifIndex,
  O,
  setIfHwaddr,
  setIfMtu,
  setIfUp,
  sys,
  withBytes,
} from '@vnet/linux'
import { Errno } from '@vnet/kernel'
import { VIRTIO_NET_HDR_BYTES } from './virtio-net-hdr.ts'
import { explainTapRefusal } from './refusals.ts'
import type { TapStep } from './refusals.ts'
import type { TapSettings } from './options.ts'

const TUNSETIFF = 0x400454ca
const TUNSETPERSIST = 0x400454cb
const TUNSETOWNER = 0x400454cc
const TUNSETGROUP = 0x400454ce
const TUNSETOFFLOAD = 0x400454d0
const TUNSETVNETHDRSZ = 0x400454d8
const TUNSETCARRIER = 0x400454e2

const IFF_TAP = 0x0002
const IFF_MULTI_QUEUE = 0x0100
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
const IFF_TUN_EXCL = 0x8000

/** Checksum, TSO for both families with ECN, USO for both; and what kernels before 6.2 know of that. */
const OFFLOADS = [0x6f, 0x0f] as const

/** A TAP that is open. */
export interface OpenTap {
  readonly name: string
  readonly index: number
  /** One descriptor for each queue. */
  readonly fds: readonly number[]
}

/** Makes or finds a TAP and opens its queues, in the namespace asked for. @throws Errno with what to do */
export function openTap(settings: TapSettings): OpenTap {
  const open = (): OpenTap => openHere(settings)
  return settings.netns === undefined ? open() : settings.netns.run(open)
}

function openHere(settings: TapSettings): OpenTap {
  const found = ifIndex(settings.name) !== 0
  if (settings.mode === 'attach' && !found) {
    throw new Errno('ENODEV', explainTapRefusal(E.NODEV, settings.name), 'name')
  }
  const fds: number[] = []
  try {
    const name = openQueues(settings, fds)
    configure(settings, name, fds, !found)
    return { name, index: ifIndex(name), fds }
  } catch (error) {
    fds.forEach(closeFd)
    throw error
  }
}

function openQueues(settings: TapSettings, fds: number[]): string {
  let name = settings.name
  for (let i = 0; i < settings.queues; i++) {
    const fd = sys('open', ['/dev/net/tun', O.RDWR | O.NONBLOCK | O.CLOEXEC, 0], (number) =>
      explainTapRefusal(number, name, 'open'),
    )
    fds.push(fd)
    const request = new Ifreq(name)
    request.flags =
      IFF_TAP |
      IFF_NO_PI |
      (settings.queues > 1 ? IFF_MULTI_QUEUE : 0) |
      (settings.offload ? IFF_VNET_HDR : 0) |
      (settings.mode === 'new' && i === 0 ? IFF_TUN_EXCL : 0)
    tunIoctl(fd, TUNSETIFF, request.address, name, i === 0 ? 'create' : 'queue')
    name = request.name
  }
  return name
}

function configure(settings: TapSettings, name: string, fds: readonly number[], made: boolean): void {
  const { persistent, owner, group, mtu, macAddress, up = made } = settings
  const first = fds[0]!
  if (settings.offload) fds.forEach((fd) => setOffload(fd, name))
  if (owner !== undefined) tunIoctl(first, TUNSETOWNER, owner, name, 'configure')
  if (group !== undefined) tunIoctl(first, TUNSETGROUP, group, name, 'configure')
  if (persistent !== undefined) tunIoctl(first, TUNSETPERSIST, persistent ? 1 : 0, name, 'configure')
  explained(name, () => {
    if (macAddress !== undefined) setIfHwaddr(name, macAddress)
    if (mtu !== undefined) setIfMtu(name, mtu)
    if (up) setIfUp(name, true)
  })
}

function setOffload(fd: number, name: string): void {
  withInt(VIRTIO_NET_HDR_BYTES, (at) => tunIoctl(fd, TUNSETVNETHDRSZ, at, name, 'configure'))
  try {
    tunIoctl(fd, TUNSETOFFLOAD, OFFLOADS[0], name, 'configure')
  } catch {
    tunIoctl(fd, TUNSETOFFLOAD, OFFLOADS[1], name, 'configure')
  }
}

/** Tells the host whether a card is plugged in. Kernels before 5.0 cannot be told. */
export function setTapCarrier(fd: number, on: boolean): void {
  try {
    withInt(on ? 1 : 0, (at) => sys('ioctl', [fd, TUNSETCARRIER, at]))
  } catch {
    // The host then believes the cable is always in.
  }
}

function tunIoctl(fd: number, request: number, argument: number, name: string, step: TapStep): void {
  sys('ioctl', [fd, request, argument], (number) => explainTapRefusal(number, name, step))
}

function explained(name: string, configure: () => void): void {
  try {
    configure()
  } catch (error) {
    const number = error instanceof Errno ? -error.errno : 0
    const sentence = number === E.PERM ? explainTapRefusal(number, name, 'configure') : undefined
    throw sentence === undefined ? error : hostErrno(number, sentence)
  }
}

function withInt(value: number, use: (address: number) => void): void {
  withBytes(new Uint8Array(Int32Array.of(value).buffer), use)
}
