import { setFlagsFromString } from 'node:v8'

/** Releases of Node whose V8 knows the flag; from others it would complain on the standard error. */
const KNOWN = [20, 22, 24]

/**
 * Lets V8 inline four times as many bytecodes into a function as usual.
 *
 * The way of a packet is a chain of many small calls, which the usual limit cuts into pieces (docs/hot-path.md). For a
 * process that is a machine; what runs for a moment gains nothing.
 */
export function inlineMore(): void {
  if (KNOWN.includes(Number.parseInt(process.versions.node, 10)))
    setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000')
}
