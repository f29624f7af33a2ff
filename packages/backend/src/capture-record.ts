/** The largest record header: an enhanced packet block before its data, and the length after it. @kernel none */
export const RECORD_ROOM = 36

/** Writes one frame's record into a buffer that has room for it, and gives the number of bytes written. @kernel none */
export type RecordWriter = (
  out: DataView,
  at: number,
  length: number,
  wireLength: number,
  tsSec: number,
  tsNsec: number,
) => number

/** Bytes before the frame's data in each format. @kernel none */
export const DATA_AT = { pcap: 16, pcapng: 28 } as const

/** A pcap record's header, little-endian, with nanoseconds. @kernel none */
export const pcapRecord: RecordWriter = (out, at, length, wireLength, tsSec, tsNsec) => {
  out.setUint32(at, tsSec, true)
  out.setUint32(at + 4, tsNsec, true)
  out.setUint32(at + 8, length, true)
  out.setUint32(at + 12, wireLength, true)
  return DATA_AT.pcap + length
}

/** An enhanced packet block around the data, little-endian, in nanoseconds, on interface 0. @kernel none */
export const pcapngRecord: RecordWriter = (out, at, length, wireLength, tsSec, tsNsec) => {
  const padded = (length + 3) & ~3
  const size = DATA_AT.pcapng + padded + 4
  out.setUint32(at, 6, true)
  out.setUint32(at + 4, size, true)
  out.setUint32(at + 8, 0, true)
  // Nanoseconds since 1970 have more than 53 bits: seconds times 10^9 in two halves of 16 bits.
  const upper = Math.floor(tsSec / 0x10000) * 1e9
  const lower = (upper % 0x10000) * 0x10000 + (tsSec % 0x10000) * 1e9 + tsNsec
  out.setUint32(at + 12, Math.floor(upper / 0x10000) + Math.floor(lower / 0x1_0000_0000), true)
  out.setUint32(at + 16, lower % 0x1_0000_0000, true)
  out.setUint32(at + 20, length, true)
  out.setUint32(at + 24, wireLength, true)
  for (let i = length; i < padded; i++) out.setUint8(at + DATA_AT.pcapng + i, 0)
  out.setUint32(at + size - 4, size, true)
  return size
}
