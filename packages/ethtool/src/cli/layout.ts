/**
 * Where each attribute would stand in the netlink message of a request: what "(offset N)" in an error counts.
 *
 * Only positions are computed; no message is built.
 *
 * @kernel none
 */
export class RequestLayout {
  readonly #offsets = new Map<string, number>()
  #at: number

  /** `flags`: the header carries a word of flags. */
  constructor(devname: string, flags = false) {
    // 16 bytes of netlink header, 4 of generic netlink header, 4 of the nest around the device name.
    this.#at = 24
    this.put('header/dev-name', devname.length + 1)
    if (flags) this.put('header/flags', 4)
  }

  /** Adds an attribute with so many bytes of payload; what follows is aligned to 4. */
  put(path: string, bytes: number): void {
    this.#offsets.set(path, this.#at)
    this.#at += 4 + ((bytes + 3) & ~3)
  }

  /** Begins a nest: what is added next stands inside. */
  nest(path: string): void {
    this.put(path, 0)
  }

  /** Where an attribute stands; undefined when the request has none of that name. */
  offset(path: string): number | undefined {
    return this.#offsets.get(path)
  }

  /** Adds named bits as a list, the way the tool sends them; returns nothing that can fail. */
  putBits(
    path: string,
    bits: readonly { readonly name: string; readonly value: boolean }[],
    nomask = false,
  ): void {
    this.nest(path)
    if (nomask) this.put(`${path}/nomask`, 0)
    this.nest(`${path}/bits`)
    for (const [at, bit] of bits.entries()) {
      this.nest(`${path}/bits/${at}`)
      this.put(`${path}/bits/${at}/name`, bit.name.length + 1)
      if (bit.value && !nomask) this.put(`${path}/bits/${at}/value`, 0)
    }
  }

  /** Adds bits as numbers. */
  putNumeric(path: string, words: number, mask: boolean): void {
    this.nest(path)
    if (!mask) this.put(`${path}/nomask`, 0)
    this.put(`${path}/size`, 4)
    this.put(`${path}/value`, words * 4)
    if (mask) this.put(`${path}/mask`, words * 4)
  }
}
