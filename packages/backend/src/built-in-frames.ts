import { Rng } from '@vnet/kernel'
import {
  arpRequest,
  csumReplace2,
  csumReplace4,
  ETH_HLEN,
  getUnalignedBe16,
  getUnalignedBe32,
  HELLO_SEQ_OFFSET,
  helloFrame,
  icmpEchoRequest,
  IPV4_HLEN,
  MAC_BROADCAST,
  padFrame,
  putUnalignedBe16,
  putUnalignedBe32,
  UDP_HLEN,
  udpFrame,
} from '@vnet/wire'
import type { FrameSource } from './frame-source.ts'

/**
 * The frames a generator can make by name. Without the frame check sequence `mix` is 7 of 60 bytes, 4 of 590 and 1 of
 * 1,514 in twelve on average: the simple IMIX of 64, 594 and 1,518.
 *
 * @kernel none
 */
export type BuiltInFrame = 'hello' | 'arp' | 'icmp' | 'udp' | 'mix'

/**
 * Who generated frames go to and come from.
 *
 * @kernel none
 */
export interface FrameAddresses {
  /** Default 02:00:00:00:00:01; `hello` and `arp` go to everyone unless it is given. */
  readonly dstMac?: string
  /** Default 02:00:00:00:00:ff. */
  readonly srcMac?: string
  /** Default 10.0.0.1; for `arp` the address asked for. */
  readonly dstIp?: string
  /** Default 10.0.0.2. */
  readonly srcIp?: string
}

const L4 = ETH_HLEN + IPV4_HLEN
const IP_ID = ETH_HLEN + 4
const IP_CHECK = ETH_HLEN + 10
const ICMP_CHECK = L4 + 2
const ICMP_SEQ = L4 + 6
const UDP_CHECK = L4 + 6
const PAYLOAD = L4 + UDP_HLEN
const IMIX_SIZES = [60, 590, 1514] as const

/** One frame, built once; a subclass writes the number into it. */
class Template implements FrameSource {
  readonly mem: Uint8Array
  readonly offset: number
  readonly length: number

  constructor(frame: Uint8Array) {
    this.mem = frame
    this.offset = 0
    this.length = frame.length
  }

  next(_seq: number): boolean {
    return true
  }
}

class HelloTemplate extends Template {
  override next(seq: number): boolean {
    putUnalignedBe32(seq >>> 0, this.mem, HELLO_SEQ_OFFSET)
    return true
  }
}

/** The number is the IP identification and the echo's sequence number, 16 bits each. */
class EchoTemplate extends Template {
  override next(seq: number): boolean {
    patch16(this.mem, IP_ID, seq & 0xffff, IP_CHECK)
    patch16(this.mem, ICMP_SEQ, seq & 0xffff, ICMP_CHECK)
    return true
  }
}

/** The number is the IP identification, 16 bits, and the first four bytes of the payload. */
class UdpTemplate extends Template {
  override next(seq: number): boolean {
    const mem = this.mem
    patch16(mem, IP_ID, seq & 0xffff, IP_CHECK)
    const check = csumReplace4(getUnalignedBe16(mem, UDP_CHECK), getUnalignedBe32(mem, PAYLOAD), seq >>> 0)
    putUnalignedBe32(seq >>> 0, mem, PAYLOAD)
    // 0 would say "no checksum" (RFC 768).
    putUnalignedBe16(check === 0 ? 0xffff : check, mem, UDP_CHECK)
    return true
  }
}

class MixSource implements FrameSource {
  mem: Uint8Array
  readonly offset: number
  length: number
  readonly #sizes: readonly UdpTemplate[]
  readonly #rng: Rng

  constructor(addresses: FrameAddresses, seed: number) {
    this.#sizes = IMIX_SIZES.map((size) => udpTemplate(addresses, size))
    this.#rng = new Rng(seed)
    this.mem = this.#sizes[0]!.mem
    this.offset = 0
    this.length = this.#sizes[0]!.length
  }

  next(seq: number): boolean {
    const draw = this.#rng.below(12)
    const template = this.#sizes[draw < 7 ? 0 : draw < 11 ? 1 : 2]!
    template.next(seq)
    this.mem = template.mem
    this.length = template.length
    return true
  }
}

/**
 * Makes the source of a built-in frame. It is built once and patched in place, checksums too.
 *
 * @param size - of a `udp` frame, in bytes without the frame check sequence
 * @throws RangeError for a bad address
 * @kernel none
 */
export function builtInFrames(
  kind: BuiltInFrame,
  addresses: FrameAddresses,
  seed: number,
  size: number,
): FrameSource {
  const { srcMac = '02:00:00:00:00:ff', srcIp = '10.0.0.2', dstIp = '10.0.0.1' } = addresses
  const everyone = addresses.dstMac ?? MAC_BROADCAST
  switch (kind) {
    case 'hello':
      return new HelloTemplate(helloFrame(0, { dst: everyone, src: srcMac }))
    case 'arp':
      return new Template(
        padFrame(arpRequest({ senderMac: srcMac, senderIp: srcIp, targetIp: dstIp, dst: everyone })),
      )
    case 'icmp':
      return new EchoTemplate(
        icmpEchoRequest({ ...ipFields(addresses), id: 1, seq: 0, payload: new Uint8Array(56) }),
      )
    case 'udp':
      return udpTemplate(addresses, size)
    case 'mix':
      return new MixSource(addresses, seed)
  }
}

function udpTemplate(addresses: FrameAddresses, size: number): UdpTemplate {
  const payload = new Uint8Array(size - PAYLOAD)
  return new UdpTemplate(udpFrame({ ...ipFields(addresses), srcPort: 9, dstPort: 9, payload }))
}

function ipFields(addresses: FrameAddresses) {
  return {
    srcMac: addresses.srcMac ?? '02:00:00:00:00:ff',
    dstMac: addresses.dstMac ?? '02:00:00:00:00:01',
    src: addresses.srcIp ?? '10.0.0.2',
    dst: addresses.dstIp ?? '10.0.0.1',
  }
}

/** Writes a 16-bit field and brings the checksum that covers it up to date. */
function patch16(mem: Uint8Array, at: number, value: number, checkAt: number): void {
  const check = csumReplace2(getUnalignedBe16(mem, checkAt), getUnalignedBe16(mem, at), value)
  putUnalignedBe16(check, mem, checkAt)
  putUnalignedBe16(value, mem, at)
}
