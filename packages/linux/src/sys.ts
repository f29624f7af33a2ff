import { E } from './consts.ts'
import { hostErrno } from './errno.ts'
import { libc } from './libc.ts'
import type { LibcFunctions } from './libc.ts'

/**
 * Makes a system call that is not on a hot path: what C answers with -1 is thrown.
 *
 * @param sentence - what to say when it is refused: what, and what to do
 * @throws Errno what the kernel said
 * @kernel none
 */
export function sys(
  name: keyof LibcFunctions,
  args: readonly (number | string | null)[],
  sentence?: (number: number) => string | undefined,
): number {
  const c = libc()
  for (;;) {
    const result = c[name](...args)
    if (result !== -1) return result
    const number = c.errno()
    if (number !== E.INTR) throw hostErrno(number, sentence?.(number))
  }
}

/**
 * Closes a descriptor. An error of it is of no use to anybody: the descriptor is gone either way.
 *
 * @kernel none
 */
export function closeFd(fd: number): void {
  libc().close(fd)
}

/**
 * Sets a socket option that is a C int.
 *
 * @throws Errno what the kernel said
 * @kernel none
 */
export function setSockInt(fd: number, level: number, name: number, value: number): void {
  setSockBytes(fd, level, name, Uint8Array.from(new Uint8Array(Int32Array.of(value).buffer)))
}

/**
 * Sets a socket option that is a structure.
 *
 * @throws Errno what the kernel said
 * @kernel none
 */
export function setSockBytes(fd: number, level: number, name: number, value: Uint8Array): void {
  withBytes(value, (address) => sys('setsockopt', [fd, level, name, address, value.length]))
}

/**
 * Reads a socket option into bytes of the size given.
 *
 * @throws Errno what the kernel said
 * @kernel none
 */
export function getSockBytes(fd: number, level: number, name: number, size: number): Uint8Array {
  const value = new Uint8Array(new ArrayBuffer(size))
  const length = Uint32Array.of(size)
  withBytes(value, (address) => {
    withBytes(new Uint8Array(length.buffer), (at) => sys('getsockopt', [fd, level, name, address, at]))
  })
  return value
}

/**
 * Binds a socket to an address given as bytes of a `sockaddr`.
 *
 * @throws Errno what the kernel said
 * @kernel none
 */
export function bindSock(fd: number, address: Uint8Array, sentence?: (number: number) => string): void {
  withBytes(address, (at) => sys('bind', [fd, at, address.length], sentence))
}

/**
 * Lends bytes to a system call by their address. They are alive until `use` returns.
 *
 * @kernel none
 */
export function withBytes<T>(bytes: Uint8Array, use: (address: number, bytes: Uint8Array) => T): T {
  return use(Number(libc().koffi.address(bytes)), bytes)
}
