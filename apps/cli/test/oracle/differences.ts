interface Difference {
  /** Only in this transcript. */
  readonly of?: string
  readonly command: RegExp
  readonly why: string
}

/**
 * Commands whose answer differs from the real kernel's after masking, and why. A test fails when one that stands here
 * does not differ any more.
 */
export const DIFFERENCES: readonly Difference[] = [
  {
    command: /^modinfo /,
    why: 'a module of ours has no compiled code: no srcversion, retpoline and vermagic',
  },
  {
    command: /^dmesg -t$|^cat \/proc\/sys\/kernel\/tainted$/,
    why: 'modules are not signed here, so the kernel neither misses a signature nor is tainted by that (E, 8192)',
  },
  {
    command: /^ethtool --debug 255/,
    why: "the real ethtool's dump of its netlink messages: our ethtool has no --debug, and the real one's has port ids and newer operations",
  },
  {
    of: '11-vnet6',
    command: /^ip -j .*-s/,
    why: 'RX-01: the original hands "Hello from vnet RX" to IPv4 as if it were an IPv4 packet, where it is a header error; here it is a frame that no protocol takes, and counts as dropped',
  },
  {
    command: /^cat \/proc\/interrupts$/,
    why: 'other hardware: no timer, no serial line, no disk; the original driver has no interrupt',
  },
]

/** Equal at times: while the line about the signature is not in the ring, while no frame has come. */
export const ALSO_EQUAL = /^dmesg -t$|^ip -j -s link show vnet0$/
