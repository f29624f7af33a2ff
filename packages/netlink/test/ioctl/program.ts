import type { EthtoolOps } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import { Sioc, sockIoctl } from '../../src/index.ts'
import { C_VNET7, makeRig } from '../rig.ts'

const BASE = 0x10000n

/** A program with one page of memory, at BASE. */
export function program(ops: EthtoolOps<any> | null = C_VNET7, capNetAdmin = true) {
  const rig = makeRig(ops)
  const page = new Uint8Array(4096)
  const view = new DataView(page.buffer)
  const at = (address: bigint, length: number): number => {
    const offset = Number(address - BASE)
    if (offset < 0 || offset + length > page.length) throw new Errno('EFAULT')
    return offset
  }
  const memory = {
    copyFromUser: (address: bigint, length: number) =>
      page.slice(at(address, length), at(address, length) + length),
    copyToUser: (address: bigint, bytes: Uint8Array) => page.set(bytes, at(address, bytes.length)),
  }
  const call = (request: number): number => {
    try {
      sockIoctl({ kernel: rig.kernel, memory, capNetAdmin }, request, BASE)
      return 0
    } catch (error) {
      if (error instanceof Errno) return error.errno
      throw error
    }
  }
  const name = (text: string): void => {
    page.fill(0, 0, 40)
    page.set(new TextEncoder().encode(text))
  }
  name('vnet0')
  const text = (from: number): string =>
    new TextDecoder().decode(page.subarray(from, from + 32)).replace(/\0.*$/s, '')
  const ethtool = (cmd: number, ...words: number[]): number => {
    name('vnet0')
    view.setBigUint64(16, BASE + 256n, true)
    page.fill(0, 256)
    for (const [i, word] of [cmd, ...words].entries()) view.setUint32(256 + i * 4, word >>> 0, true)
    return call(Sioc.ETHTOOL)
  }
  return {
    ...rig,
    page,
    view,
    call,
    name,
    text,
    ethtool,
    word: (i: number) => view.getUint32(256 + i * 4, true),
  }
}
