import { NlAttrs, textOf } from '@vnet/netlink'

interface Span {
  readonly data: number
  readonly length: number
}

/**
 * The attributes of an answer by type; of one that is there twice, the last counts. Nothing a kernel could send makes
 * it throw: what is too short for what is asked is not there.
 *
 * @kernel parse_rtattr() none
 */
export class AttrMap {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #spans = new Map<number, Span>()
  readonly #start: number
  readonly #end: number

  constructor(bytes: Uint8Array, start: number, end: number = bytes.length) {
    this.bytes = bytes
    this.#start = start
    this.#end = end
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const walk = new NlAttrs(bytes, start, end)
    while (walk.next()) this.#spans.set(walk.type, { data: walk.data, length: walk.length })
  }

  has(type: number): boolean {
    return this.#spans.has(type)
  }

  /** Types in the order they came. */
  get types(): readonly number[] {
    return [...this.#spans.keys()]
  }

  /** Bytes of the payload; 0 when it is not there. */
  length(type: number): number {
    return this.#spans.get(type)?.length ?? 0
  }

  #at(type: number, needed: number): number {
    const span = this.#spans.get(type)
    return span === undefined || span.length < needed ? -1 : span.data
  }

  u8(type: number): number | undefined {
    const at = this.#at(type, 1)
    return at < 0 ? undefined : this.#view.getUint8(at)
  }

  u16(type: number): number | undefined {
    const at = this.#at(type, 2)
    return at < 0 ? undefined : this.#view.getUint16(at, true)
  }

  u32(type: number): number | undefined {
    const at = this.#at(type, 4)
    return at < 0 ? undefined : this.#view.getUint32(at, true)
  }

  s32(type: number): number | undefined {
    const at = this.#at(type, 4)
    return at < 0 ? undefined : this.#view.getInt32(at, true)
  }

  u64(type: number): bigint | undefined {
    const at = this.#at(type, 8)
    return at < 0 ? undefined : this.#view.getBigUint64(at, true)
  }

  text(type: number): string | undefined {
    const span = this.#spans.get(type)
    return span === undefined ? undefined : textOf(this.bytes, span.data, span.data + span.length)
  }

  /** A copy of the payload. */
  binary(type: number): Uint8Array | undefined {
    const span = this.#spans.get(type)
    return span === undefined ? undefined : this.bytes.slice(span.data, span.data + span.length)
  }

  /** The attributes inside; none when it is not there. */
  nest(type: number): AttrMap {
    const span = this.#spans.get(type) ?? { data: 0, length: 0 }
    return new AttrMap(this.bytes, span.data, span.data + span.length)
  }

  /** Every attribute of one type that may come several times. */
  nests(type: number): AttrMap[] {
    const walk = new NlAttrs(this.bytes, this.#start, this.#end)
    const out: AttrMap[] = []
    while (walk.next()) {
      if (walk.type === type) out.push(new AttrMap(this.bytes, walk.data, walk.data + walk.length))
    }
    return out
  }

  /** The text of every attribute inside. */
  texts(type: number): string[] {
    const span = this.#spans.get(type) ?? { data: 0, length: 0 }
    const walk = new NlAttrs(this.bytes, span.data, span.data + span.length)
    const out: string[] = []
    while (walk.next()) out.push(walk.text())
    return out
  }

  /** Every attribute inside, also several of one type: an array. */
  list(type: number): AttrMap[] {
    const span = this.#spans.get(type) ?? { data: 0, length: 0 }
    const walk = new NlAttrs(this.bytes, span.data, span.data + span.length)
    const out: AttrMap[] = []
    while (walk.next()) out.push(new AttrMap(this.bytes, walk.data, walk.data + walk.length))
    return out
  }
}
