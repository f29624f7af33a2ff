import { checksumOf, getBe16, IpLayout, putBe16, sumWords } from './checksum.ts'

const TCP = 6
const CWR = 0x80
const FIN_PSH = 0x09
const MAX_SEGMENT = 65_536 + 256

/**
 * Cuts a TCP frame the host did not cut into frames of one MTU each, as the card it was meant for would have.
 *
 * The segments are made one by one in one place, `mem`; the checksums are right whatever the frame's were.
 *
 * @kernel tcp_gso_segment() net/ipv4/tcp_offload.c
 */
export class TcpSegmenter {
  /** The segment of the last `next()`, from its start on. */
  readonly mem: Uint8Array = new Uint8Array(MAX_SEGMENT)
  readonly #layout = new IpLayout()
  #from = this.mem
  #offset = 0
  #headers = 0
  #sequence = 0
  #id = 0
  #done = 0
  #payload = 0
  #mss = 0

  /** Begins with a frame. False: it is no TCP over IP, or cannot be cut for this MTU. */
  begin(mem: Uint8Array, offset: number, length: number, mtu: number): boolean {
    const layout = this.#layout
    if (!layout.read(mem, offset, length) || layout.protocol !== TCP) return false
    const { network, transport, end, version } = layout
    if (transport + 20 > end) return false
    const payloadAt = transport + ((mem[transport + 12]! >> 4) << 2)
    this.#mss = mtu - (payloadAt - network)
    if (payloadAt > end || payloadAt < transport + 20 || this.#mss < 1) return false
    this.#from = mem
    this.#offset = offset
    this.#headers = payloadAt - offset
    this.#payload = end - payloadAt
    this.#done = 0
    this.#id = version === 4 ? getBe16(mem, network + 4) : 0
    this.#sequence = ((getBe16(mem, transport + 4) << 16) | getBe16(mem, transport + 6)) >>> 0
    return this.#payload > 0
  }

  /** Makes the next segment. Returns its length, or 0 when there is none left. */
  next(): number {
    const bytes = Math.min(this.#mss, this.#payload - this.#done)
    if (bytes <= 0) return 0
    const { mem } = this
    const from = this.#offset
    const payloadAt = from + this.#headers + this.#done
    mem.set(this.#from.subarray(from, from + this.#headers))
    mem.set(this.#from.subarray(payloadAt, payloadAt + bytes), this.#headers)
    this.#fix(this.#headers + bytes)
    this.#done += bytes
    return this.#headers + bytes
  }

  #fix(length: number): void {
    const { mem } = this
    const network = this.#layout.network - this.#offset
    const transport = this.#layout.transport - this.#offset
    if (this.#layout.version === 4) this.#fixFour(network, transport, length)
    else putBe16(length - transport, mem, network + 4)
    const sequence = (this.#sequence + this.#done) >>> 0
    putBe16(sequence >>> 16, mem, transport + 4)
    putBe16(sequence & 0xffff, mem, transport + 6)
    if (this.#done > 0) mem[transport + 13] = mem[transport + 13]! & ~CWR
    if (this.#done + this.#mss < this.#payload) {
      mem[transport + 13] = mem[transport + 13]! & ~FIN_PSH
    }
    putBe16(0, mem, transport + 16)
    const addresses = this.#layout.version === 4 ? network + 12 : network + 8
    const pseudo =
      sumWords(mem, addresses, addresses + (this.#layout.version === 4 ? 8 : 32)) + TCP + length - transport
    putBe16(checksumOf(pseudo + sumWords(mem, transport, length)), mem, transport + 16)
  }

  #fixFour(network: number, transport: number, length: number): void {
    const { mem } = this
    putBe16(length - network, mem, network + 2)
    putBe16((this.#id + Math.floor(this.#done / this.#mss)) & 0xffff, mem, network + 4)
    putBe16(0, mem, network + 10)
    putBe16(checksumOf(sumWords(mem, network, transport)), mem, network + 10)
  }
}
