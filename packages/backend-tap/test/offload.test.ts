import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { joinTaps } from '../src/offload-wire.ts'
import { tapBackend } from '../src/tap-backend.ts'
import {
  completeChecksum,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  VIRTIO_NET_HDR_GSO,
  VirtioNetHdr,
} from '../src/virtio-net-hdr.ts'
import { hashOf, host, namespace, skipReason, transfer, until } from './host.ts'

const BYTES = 20_000_000

describe.skipIf(skipReason())('two TAPs with offloads, joined', () => {
  it('carry a TCP stream unharmed in frames larger than the MTU', async () => {
    const kernel = createKernel({ clock: 'real' })
    const spaces = [namespace(), namespace()] as const
    const [a, b] = spaces.map((netns) => tapBackend(kernel, { name: 'vt0', netns, offload: true })) as [
      ReturnType<typeof tapBackend>,
      ReturnType<typeof tapBackend>,
    ]
    spaces.forEach((netns, i) => host(netns, `ip addr add 10.9.0.${i + 1}/24 dev vt0`))
    const part = joinTaps(a, b)
    try {
      await until(() => a.linkUp && b.linkUp, 'both links')
      expect(await transfer(spaces[0], spaces[1], BYTES)).toBe(hashOf(BYTES))
      const frames = a.counters.rxFrames + b.counters.rxFrames
      expect(BYTES / frames).toBeGreaterThan(1500)
      expect(a.counters.rxMissed + b.counters.rxMissed).toBe(0)
    } finally {
      part()
      a.close()
      b.close()
      spaces.forEach((netns) => netns.close())
      kernel.shutdown()
    }
  })
})

describe('completeChecksum', () => {
  const header = (start: number, offset: number): VirtioNetHdr => {
    const made = new VirtioNetHdr()
    made.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM
    made.csumStart = start
    made.csumOffset = offset
    return made
  }

  it('finishes a sum over an odd number of bytes', () => {
    const frame = Uint8Array.of(9, 9, 0x12, 0x34, 0, 0, 0x56, 9)
    const missing = header(2, 2)
    expect(completeChecksum(missing, frame, 0, 7)).toBe(true)
    // 0x1234 + 0x5600 = 0x6834; the byte after the frame does not count
    expect([...frame]).toEqual([9, 9, 0x12, 0x34, 0x97, 0xcb, 0x56, 9])
    expect(missing.flags).toBe(0)
  })

  it('stores a zero in its other form', () => {
    const frame = Uint8Array.of(0xff, 0xff, 0, 0)
    completeChecksum(header(0, 2), frame, 0, 4)
    expect([...frame]).toEqual([0xff, 0xff, 0xff, 0xff])
  })

  it('refuses a header that points outside, and leaves the frame alone', () => {
    const frame = Uint8Array.of(1, 2, 3, 4)
    expect(completeChecksum(header(2, 1), frame, 0, 4)).toBe(false)
    expect([...frame]).toEqual([1, 2, 3, 4])
  })

  it('does nothing when nothing is missing', () => {
    const frame = Uint8Array.of(1, 2, 3, 4)
    expect(completeChecksum(new VirtioNetHdr(), frame, 0, 4)).toBe(true)
    expect([...frame]).toEqual([1, 2, 3, 4])
  })
})

describe('VirtioNetHdr', () => {
  it('has its fields where the host puts them', () => {
    const bytes = Uint8Array.of(0, 0, 1, 4, 0x42, 0, 0xa0, 5, 0x22, 0, 0x10, 0, 0, 0)
    const header = new VirtioNetHdr(bytes.buffer, 2)
    expect(header.flags).toBe(VIRTIO_NET_HDR_F_NEEDS_CSUM)
    expect(header.gsoType).toBe(VIRTIO_NET_HDR_GSO.TCPV6)
    expect([header.hdrLen, header.gsoSize, header.csumStart, header.csumOffset]).toEqual([66, 1440, 34, 16])
    const copy = new VirtioNetHdr()
    copy.copyFrom(header)
    expect(copy.gsoSize).toBe(1440)
    copy.clear()
    expect([copy.flags, copy.gsoType, copy.gsoSize, copy.csumStart]).toEqual([0, 0, 0, 0])
  })
})
