import { Errno } from '@vnet/kernel'
import { Iff } from '@vnet/netdev'
import { Ifla, NetlinkProtocolNr, Rtm, Sioc, textOf } from '@vnet/netlink'
import { openNetlink } from '../nl/client.ts'
import { ioctl, scoped } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'

/** A device that can be captured on. */
export interface CaptureDevice {
  readonly ifindex: number
  readonly name: string
  readonly flags: number
}

/** Bytes of `struct ifreq`, and where its second part begins. @kernel struct ifreq include/uapi/linux/if.h */
const IFREQ_LEN = 40
const IFR_DATA = 16
const IFINFOMSG = 16

/** Every device of the machine. @throws Errno @kernel pcap_findalldevs() none */
export function* devices(process: Process): Syscalls<CaptureDevice[]> {
  const client = yield* openNetlink(process, NetlinkProtocolNr.ROUTE)
  try {
    const replies = yield* client.dump(Rtm.GETLINK, (w) => {
      for (let i = 0; i < IFINFOMSG / 4; i++) w.u32(0)
    })
    return replies.map((reply) => ({
      ifindex: reply.s32(4),
      flags: reply.u32(8),
      name: reply.attrs(IFINFOMSG).text(Ifla.IFNAME) ?? '',
    }))
  } finally {
    yield* client.close()
  }
}

/** Those that are up first, `lo` behind them, those that are down last. */
export function sorted(list: readonly CaptureDevice[]): CaptureDevice[] {
  return [...list].sort((a, b) => merit(a) - merit(b) || a.ifindex - b.ifindex)
}

function merit({ flags }: CaptureDevice): number {
  const up = (flags & Iff.UP) !== 0 && (flags & Iff.RUNNING) !== 0
  return (up ? 0 : 2) + ((flags & Iff.LOOPBACK) === 0 ? 0 : 1)
}

/** The lines of `tcpdump -D`. */
export function deviceList(list: readonly CaptureDevice[]): string {
  const order = sorted(list)
  const running = order.filter((dev) => merit(dev) === 0)
  const rest = order.filter((dev) => merit(dev) !== 0)
  const lines = [
    ...running.map(describe),
    'any (Pseudo-device that captures on all interfaces) [Up, Running]',
    ...rest.map(describe),
  ]
  return lines.map((line, i) => `${i + 1}.${line}\n`).join('')
}

function describe({ name, flags }: CaptureDevice): string {
  const words: string[] = []
  if ((flags & Iff.UP) !== 0) words.push('Up')
  if ((flags & Iff.UP) !== 0 && (flags & Iff.RUNNING) !== 0) words.push('Running')
  if ((flags & Iff.LOOPBACK) !== 0) words.push('Loopback')
  if (words.length === 0) words.push('none')
  if ((flags & Iff.LOOPBACK) === 0) words.push((flags & Iff.RUNNING) === 0 ? 'Disconnected' : 'Connected')
  return `${name} [${words.join(', ')}]`
}

/** The number of a device. @throws Errno ENODEV @kernel SIOCGIFINDEX net/core/dev_ioctl.c */
export function indexOf(process: Process, fd: number, name: string): Syscalls<number> {
  return scoped(process, function* () {
    const ifr = new Uint8Array(IFREQ_LEN)
    if (name.length >= IFR_DATA) throw new Errno('ENODEV')
    for (let i = 0; i < name.length; i++) ifr[i] = name.charCodeAt(i)
    const at = process.memory.put(ifr)
    yield* ioctl(process, fd, Sioc.GIFINDEX, at)
    return new DataView(process.memory.get(at, IFREQ_LEN).buffer).getInt32(IFR_DATA, true)
  })
}

/** The name of a device; null when it is gone. @kernel SIOCGIFNAME net/core/dev_ioctl.c */
export function nameOf(process: Process, fd: number, ifindex: number): Syscalls<string | null> {
  return scoped(process, function* () {
    const at = process.memory.put(new Uint8Array(IFREQ_LEN))
    const index = new Uint8Array(Int32Array.of(ifindex).buffer)
    process.memory.copyToUser(at + BigInt(IFR_DATA), index)
    try {
      yield* ioctl(process, fd, Sioc.GIFNAME, at)
    } catch (error) {
      if (error instanceof Errno) return null
      throw error
    }
    return textOf(process.memory.get(at, IFR_DATA), 0, IFR_DATA)
  })
}
