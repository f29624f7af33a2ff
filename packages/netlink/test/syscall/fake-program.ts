import {
  decodeHead,
  encodeRequest,
  Sys,
  SYS_HEAD_LEN,
  SysAnswer,
  syscallServer,
  type SyscallConnection,
  type SyscallServer,
} from '../../src/index.ts'
import type { Kernel } from '@vnet/kernel'

/** Where the memory of a fake program begins. */
export const BASE = 0x7f00_0000_0000n

/** A program with a megabyte of memory. */
export class FakeProgram {
  readonly server: SyscallServer
  readonly memory: Uint8Array
  readonly view: DataView
  #free = 0
  /** Bytes of each push: 1 is the hardest. 0: all at once. */
  split = 0

  constructor(kernel: Kernel, size = 1 << 20) {
    this.server = syscallServer(kernel)
    this.memory = new Uint8Array(size)
    this.view = new DataView(this.memory.buffer)
  }

  alloc(length: number): bigint {
    const at = this.#free
    this.#free += (length + 15) & ~15
    if (this.#free > this.memory.length) throw new Error('the fake program has no more memory')
    return BASE + BigInt(at)
  }

  put(bytes: Uint8Array): bigint {
    const at = this.alloc(bytes.length)
    this.memory.set(bytes, this.offset(at, bytes.length)!)
    return at
  }

  get(address: bigint, length: number): Uint8Array {
    const at = this.offset(address, length)
    if (at === null) throw new Error('read outside of the fake program')
    return this.memory.slice(at, at + length)
  }

  u32(address: bigint): number {
    return this.view.getUint32(this.offset(address, 4)!, true)
  }

  offset(address: bigint, length: number): number | null {
    const at = address - BASE
    return at < 0n || at + BigInt(length) > BigInt(this.memory.length) ? null : Number(at)
  }

  open(): FakeFd {
    return new FakeFd(this)
  }

  /** A descriptor that is a socket already. */
  socket(family: number, type: number, protocol = 0, pid = 0, flags = 0): FakeFd {
    const fd = this.open()
    const result = fd.call(Sys.socket, family, type, protocol, pid, flags)
    if (result !== 0) throw new Error(`socket: ${String(result)}`)
    return fd
  }
}

/** One descriptor: what came back, and what was seen on the way. */
export class FakeFd {
  readonly program: FakeProgram
  readonly connection: SyscallConnection
  results: number[] = []
  wakes = 0
  copiesIn = 0
  closed = false
  /** Called at each thing the server says: the program may die there. */
  onHead: ((what: number) => void) | null = null
  #input = new Uint8Array(0)
  #fault = false

  constructor(program: FakeProgram) {
    this.program = program
    this.connection = program.server.connect({
      send: (bytes) => this.#receive(bytes),
      close: () => (this.closed = true),
    })
  }

  /** Makes a call; undefined: it waits. */
  call(op: number, ...args: (number | bigint)[]): number | undefined {
    this.results = []
    this.push(encodeRequest(op, args))
    return this.results.at(-1)
  }

  push(bytes: Uint8Array): void {
    const step = this.program.split === 0 ? bytes.length : this.program.split
    for (let at = 0; at < bytes.length; at += step) this.connection.push(bytes.subarray(at, at + step))
  }

  die(): void {
    this.connection.end()
  }

  #receive(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#input.length + bytes.length)
    joined.set(this.#input)
    joined.set(bytes, this.#input.length)
    this.#input = joined
    while (this.#head());
  }

  #head(): boolean {
    if (this.#input.length < SYS_HEAD_LEN) return false
    const { what, length, value } = decodeHead(this.#input)
    const size = SYS_HEAD_LEN + (what === SysAnswer.COPYOUT ? length : 0)
    if (this.#input.length < size) return false
    const body = this.#input.slice(SYS_HEAD_LEN, size)
    this.#input = this.#input.slice(size)
    this.onHead?.(what)
    if (what === SysAnswer.WAKE) this.wakes++
    else if (what === SysAnswer.COPYIN) this.#copyIn(BigInt.asUintN(64, value), length)
    else if (what === SysAnswer.COPYOUT) this.#copyOut(BigInt.asUintN(64, value), body)
    else this.#return(Number(value))
    return true
  }

  #copyIn(address: bigint, length: number): void {
    this.copiesIn++
    const at = this.program.offset(address, length)
    const answer = new Uint8Array(8 + (at === null ? 0 : length))
    new DataView(answer.buffer).setBigInt64(0, at === null ? -14n : 0n, true)
    if (at !== null) answer.set(this.program.memory.subarray(at, at + length), 8)
    this.push(answer)
  }

  #copyOut(address: bigint, bytes: Uint8Array): void {
    const at = this.program.offset(address, bytes.length)
    if (at === null) this.#fault = true
    else this.program.memory.set(bytes, at)
  }

  #return(value: number): void {
    this.results.push(this.#fault ? -14 : value)
    this.#fault = false
  }
}

/** `struct msghdr` with its pieces, in the memory of a program. */
export function putMsghdr(
  program: FakeProgram,
  what: {
    name?: bigint
    nameLength?: number
    iov?: readonly (readonly [bigint, number | bigint])[]
    control?: bigint
    controlLength?: number
    count?: bigint
  },
): bigint {
  const iov = what.iov ?? []
  const vectors = new DataView(new ArrayBuffer(iov.length * 16))
  for (const [i, [base, length]] of iov.entries()) {
    vectors.setBigUint64(i * 16, base, true)
    vectors.setBigUint64(i * 16 + 8, BigInt.asUintN(64, BigInt(length)), true)
  }
  const head = new DataView(new ArrayBuffer(56))
  head.setBigUint64(0, what.name ?? 0n, true)
  head.setInt32(8, what.nameLength ?? 0, true)
  head.setBigUint64(16, program.put(new Uint8Array(vectors.buffer)), true)
  head.setBigUint64(24, what.count ?? BigInt(iov.length), true)
  head.setBigUint64(32, what.control ?? 0n, true)
  head.setBigUint64(40, BigInt(what.controlLength ?? 0), true)
  return program.put(new Uint8Array(head.buffer))
}

/** `struct sockaddr_nl`. */
export function sockaddrNl(portid: number, groups: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(12))
  view.setUint16(0, 16, true)
  view.setUint32(4, portid, true)
  view.setUint32(8, groups, true)
  return new Uint8Array(view.buffer)
}
