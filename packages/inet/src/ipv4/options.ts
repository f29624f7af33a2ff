const IPOPT_END = 0
const IPOPT_NOOP = 1
const IPOPT_LSRR = 131
const IPOPT_SSRR = 137

/** A look at the options of a header. @kernel none */
export interface OptionCheck {
  /** Where the first broken byte is, from the start of the header; 0: none. */
  readonly bad: number
  readonly sourceRoute: boolean
}

const NONE: OptionCheck = { bad: 0, sourceRoute: false }

/** Looks at the options between 20 and `hlen`: they are not followed, but must be whole. @kernel __ip_options_compile() net/ipv4/ip_options.c */
export function checkOptions(mem: Uint8Array, off: number, hlen: number): OptionCheck {
  if (hlen === 20) return NONE
  let sourceRoute = false
  for (let at = 20; at < hlen;) {
    const type = mem[off + at]!
    if (type === IPOPT_END) break
    if (type === IPOPT_NOOP) {
      at++
      continue
    }
    const len = at + 1 < hlen ? mem[off + at + 1]! : 0
    if (len < 2 || at + len > hlen) return { bad: at, sourceRoute }
    if (type === IPOPT_LSRR || type === IPOPT_SSRR) sourceRoute = true
    at += len
  }
  return { bad: 0, sourceRoute }
}

/** Blanks the options that only the first fragment carries. @kernel ip_options_fragment() net/ipv4/ip_options.c */
export function optionsFragment(mem: Uint8Array, off: number, hlen: number): void {
  for (let at = 20; at < hlen;) {
    const type = mem[off + at]!
    if (type === IPOPT_END) return
    const len = type === IPOPT_NOOP || at + 1 >= hlen ? 1 : Math.max(mem[off + at + 1]!, 1)
    // The top bit of the type says: copy me.
    if ((type & 0x80) === 0) mem.fill(IPOPT_NOOP, off + at, Math.min(off + at + len, off + hlen))
    at += len
  }
}
