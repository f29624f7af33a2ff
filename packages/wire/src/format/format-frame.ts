import { clampEnd } from '../bytes.ts'
import { printEther } from './ether.ts'
import type { TcpFlows } from './flows.ts'
import { CUT_SHORT, Printer } from './printer.ts'

/** How to print a frame. */
export interface FormatOptions {
  /** What the frame had on the wire, when the capture kept less. */
  readonly wireLength?: number
  /** Begin with the Ethernet addresses and type, as tcpdump -e; true unless given. */
  readonly link?: boolean
  /** Follow with a hex dump when the protocol is unknown, as tcpdump does; without it there is always one line. */
  readonly dump?: boolean
  /** Print TCP numbers relative to the conversation's start; without it as they are, as tcpdump -S. */
  readonly flows?: TcpFlows
}

/**
 * Prints a frame as one line, as `tcpdump -e -n` (4.99) does, without the time.
 *
 * Any bytes at all give a line. DNS and other applications over UDP and TCP are not read, HTTP's first line is.
 *
 * @kernel none
 */
export function formatFrame(
  bytes: Uint8Array,
  off = 0,
  len = bytes.length - off,
  options: FormatOptions = {},
): string {
  const end = clampEnd(bytes, off, len)
  const wireLength = Math.max(options.wireLength ?? end - off, end - off)
  const printer = new Printer(bytes, end, options.link ?? true, options.dump ?? false, options.flows ?? null)
  try {
    printEther(printer, off, wireLength)
  } catch (error) {
    if (error !== CUT_SHORT) throw error
    printer.cutShort()
  }
  return printer.text
}
