import { ETH_P_802_3_MIN, ETH_P_8021Q, type SkBuff } from '@vnet/netdev'

const NAMES: ReadonlyMap<number, string> = new Map([
  [0x0800, 'IPv4'],
  [0x0806, 'ARP'],
  [0x86dd, 'IPv6'],
  [0x8100, 'VLAN'],
  [0x88cc, 'LLDP'],
  [0x88b5, 'experimental 1'],
  [0x88b6, 'experimental 2'],
])

/** Frames by EtherType, counted as the stack gets them. */
export class Tally {
  frames = 0
  bytes = 0
  private readonly types = new Map<number, number>()

  /** Counts a frame; a tap calls it, so the skb's headers stand as they were received. */
  add(skb: SkBuff): void {
    this.frames++
    this.bytes += skb.data + skb.len - skb.macHeader + (skb.vlanPresent ? 4 : 0)
    const type = etherType(skb)
    this.types.set(type, (this.types.get(type) ?? 0) + 1)
  }

  /** Most frequent first; frames of 802.3, whose field is a length, under one name. */
  rows(): { type: string; name: string; frames: number }[] {
    const sorted = [...this.types].sort(([a, x], [b, y]) => y - x || a - b)
    return sorted.map(([type, frames]) => ({
      type: type === 0 ? '802.3' : `0x${type.toString(16).padStart(4, '0')}`,
      name: type === 0 ? 'length' : (NAMES.get(type) ?? ''),
      frames,
    }))
  }
}

/** The EtherType on the wire; the tag's when there was one, 0 when the field was a length. */
function etherType(skb: SkBuff): number {
  if (skb.vlanPresent) return ETH_P_8021Q
  const type = (skb.mem[skb.macHeader + 12]! << 8) | skb.mem[skb.macHeader + 13]!
  return type < ETH_P_802_3_MIN ? 0 : type
}
