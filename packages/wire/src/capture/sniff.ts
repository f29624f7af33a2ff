import type { Chunks } from './chunks.ts'
import { CaptureError } from './error.ts'

/** How other files begin, and what to do with them. */
const COMPRESSED: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], 'this is gzip: gunzip first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'this is zstd: unzstd first'],
  [[0xfd, 0x37, 0x7a, 0x58], 'this is xz: unxz first'],
  [[0x42, 0x5a, 0x68], 'this is bzip2: bunzip2 first'],
  [[0x04, 0x22, 0x4d, 0x18], 'this is lz4: unlz4 first'],
  [[0x50, 0x4b, 0x03, 0x04], 'this is a zip archive: unzip first'],
]

const OTHER_CAPTURES: readonly (readonly [readonly number[], string])[] = [
  [
    [0x34, 0xcd, 0xb2, 0xa1],
    'this is a pcap file with patched record headers: convert it with editcap -F pcapng',
  ],
  [
    [0xa1, 0xb2, 0xcd, 0x34],
    'this is a pcap file with patched record headers: convert it with editcap -F pcapng',
  ],
  [[0x73, 0x6e, 0x6f, 0x6f], 'this is a snoop capture: convert it with editcap -F pcapng'],
  [[0x47, 0x4d, 0x42, 0x55], 'this is a Network Monitor capture: convert it with editcap -F pcapng'],
  [[0x54, 0x52, 0x43, 0x4d], 'this is a Sniffer capture: convert it with editcap -F pcapng'],
]

/** A magic number, whichever end comes first. */
const MAGICS: readonly (readonly [number, FileKind])[] = [
  [0xa1b2c3d4, { format: 'pcap', little: false, nanoseconds: false }],
  [0xd4c3b2a1, { format: 'pcap', little: true, nanoseconds: false }],
  [0xa1b23c4d, { format: 'pcap', little: false, nanoseconds: true }],
  [0x4d3cb2a1, { format: 'pcap', little: true, nanoseconds: true }],
  [0x0a0d0d0a, { format: 'pcapng', little: false, nanoseconds: false }],
]

/** What the first four bytes say. */
export interface FileKind {
  readonly format: 'pcap' | 'pcapng'
  readonly little: boolean
  readonly nanoseconds: boolean
}

/** Tells the format from the first four bytes; null while there are fewer. */
export function sniff(chunks: Chunks, ended: boolean): FileKind | null {
  const count = chunks.available
  if (count < 4) {
    if (!ended) return null
    if (count === 0) throw new CaptureError('empty', 0, 'the file is empty: there is nothing to read')
    // Two bytes are enough to know gzip.
    refuse(chunks, COMPRESSED, 'compressed')
    throw new CaptureError(
      'truncated',
      0,
      `the file has only ${count} bytes: a capture begins with at least 24`,
    )
  }
  const magic = chunks.u32(0, false)
  for (const [value, kind] of MAGICS) if (value === magic) return kind
  refuse(chunks, COMPRESSED, 'compressed')
  refuse(chunks, OTHER_CAPTURES, 'unsupported')
  const shown = '0x' + magic.toString(16).padStart(8, '0')
  throw new CaptureError(
    'foreign',
    0,
    `this is neither pcap nor pcapng (it begins with ${shown}): give a file that tcpdump -w or Wireshark wrote`,
  )
}

function refuse(
  chunks: Chunks,
  list: readonly (readonly [readonly number[], string])[],
  reason: 'compressed' | 'unsupported',
): void {
  for (const [start, sentence] of list) {
    const same = start.length <= chunks.available && start.every((byte, i) => chunks.u8(i) === byte)
    if (same) throw new CaptureError(reason, 0, sentence)
  }
}
