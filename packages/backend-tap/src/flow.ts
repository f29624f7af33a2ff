/**
 * Chooses a queue for a frame: those of one IPv4 or IPv6 flow go the same way, in both directions.
 *
 * @param queues - how many there are
 */
export function queueOf(mem: Uint8Array, offset: number, length: number, queues: number): number {
  if (length < 34) return 0
  const type = (mem[offset + 12]! << 8) | mem[offset + 13]!
  if (type === 0x0800) return mix(mem, offset + 26, 8, transport(mem, offset, length)) % queues
  if (type === 0x86dd && length >= 58) return mix(mem, offset + 22, 32, offset + 54) % queues
  return 0
}

/** Where the ports are, or 0 when there are none: a fragment, another protocol. */
function transport(mem: Uint8Array, offset: number, length: number): number {
  const protocol = mem[offset + 23]!
  const at = 14 + ((mem[offset + 14]! & 15) << 2)
  const fragment = ((mem[offset + 20]! & 0x3f) | mem[offset + 21]!) !== 0
  return (protocol === 6 || protocol === 17) && !fragment && at + 4 <= length ? offset + at : 0
}

function mix(mem: Uint8Array, at: number, bytes: number, ports: number): number {
  let sum = 0
  // Addition does not care who is source and who is destination.
  for (let i = 0; i < bytes; i += 2) sum += (mem[at + i]! << 8) | mem[at + i + 1]!
  if (ports !== 0) for (let i = 0; i < 4; i += 2) sum += (mem[ports + i]! << 8) | mem[ports + i + 1]!
  return Math.imul(sum, 0x9e3779b1) >>> 16
}
