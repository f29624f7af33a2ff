/**
 * Receive queue of a frame: the same flow always lands in the same queue.
 *
 * Addresses and ports of IPv4 and IPv6 are mixed; anything else goes by its Ethernet addresses.
 *
 * @kernel none
 * @rule MQ-03
 */
export function steer(mem: Uint8Array, offset: number, length: number, queues: number): number {
  const type = (mem[offset + 12]! << 8) | mem[offset + 13]!
  let hash = 0x811c9dc5
  if (type === 0x0800 && length >= 34) hash = mix(mem, offset + 26, flowEnd4(mem, offset, length), hash)
  else if (type === 0x86dd && length >= 58) hash = mix(mem, offset + 22, offset + Math.min(58, length), hash)
  else hash = mix(mem, offset, offset + 12, hash)
  return (hash >>> 0) % queues
}

/** Where the flow's bytes end: addresses, and ports too when TCP or UDP stands unfragmented behind them. */
function flowEnd4(mem: Uint8Array, offset: number, length: number): number {
  const protocol = mem[offset + 23]
  const fragment = ((mem[offset + 20]! << 8) | mem[offset + 21]!) & 0x3fff
  const plain = mem[offset + 14] === 0x45 && fragment === 0 && (protocol === 6 || protocol === 17)
  return offset + (plain && length >= 38 ? 38 : 34)
}

function mix(mem: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ mem[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}
