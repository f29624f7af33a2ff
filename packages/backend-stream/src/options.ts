import { Errno } from '@vnet/kernel'

/**
 * Where the other end is.
 *
 * @kernel none
 */
export type StreamAddress =
  | { readonly path: string }
  /** `host` defaults to 127.0.0.1: a cable has no password, so think before it is anything else. */
  | { readonly port: number; readonly host?: string }

/**
 * How a stream cable is made.
 *
 * @kernel none
 */
export interface StreamOptions {
  /** For logs. Default the address. */
  readonly name?: string
  /** Batches of 64 KiB that may be on their way before the card is refused. Default 8. */
  readonly batches?: number
  /** Frames offered before the card's interrupts and softirqs run. Default 64. */
  readonly budget?: number
}

/**
 * How a client behaves when there is nobody.
 *
 * @kernel none
 */
export interface StreamClientOptions extends StreamOptions {
  /** Milliseconds until it tries again; 0: never. Default 1,000. */
  readonly reconnectMs?: number
}

/** The address as text: `unix:/run/x`, `127.0.0.1:5555`. */
export function addressText(address: StreamAddress): string {
  return 'path' in address ? `unix:${address.path}` : `${address.host ?? LOCAL}:${address.port}`
}

/** What `node:net` wants. */
export function netAddress(address: StreamAddress): { path: string } | { port: number; host: string } {
  return 'path' in address ? address : { port: address.port, host: address.host ?? LOCAL }
}

/** @throws Errno EINVAL for what makes no sense anywhere */
export function checkStream(address: StreamAddress, options: StreamClientOptions): void {
  // sun_path has 108 bytes on Linux and 104 elsewhere, the last of them zero.
  if ('path' in address) checkPath(address.path)
  else range('port', address.port, 0, 65_535)
  range('batches', options.batches ?? 8, 2, 1024)
  range('budget', options.budget ?? 64, 1, 4096)
  range('reconnectMs', options.reconnectMs ?? 0, 0, 0x7fffffff)
}

/** @throws Errno EINVAL for a path no socket can have */
export function checkPath(path: string): void {
  const bytes = new TextEncoder().encode(path).length
  if (bytes > 0 && bytes <= 103) return
  throw new Errno('EINVAL', `the path of a socket has 1 to 103 bytes, not ${bytes}: '${path}'`, 'path')
}

function range(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new Errno('EINVAL', `${what} is ${value}, must be from ${least} to ${most}`, what)
}

const LOCAL = '127.0.0.1'
