import { closeFd, hostErrno, libc, withBytes, E } from '@vnet/linux'
import { Errno } from '@vnet/kernel'

/** The number of `bpf()`, which the C library does not wrap. @kernel __NR_bpf include/uapi/asm-generic/unistd.h */
const NR_BPF: Readonly<Record<string, number>> = { x64: 321, arm64: 280 }

/** @kernel enum bpf_cmd include/uapi/linux/bpf.h */
const Cmd = { MAP_CREATE: 0, MAP_UPDATE_ELEM: 2, PROG_LOAD: 5, LINK_CREATE: 28 } as const
/** @kernel BPF_MAP_TYPE_XSKMAP include/uapi/linux/bpf.h */
const MAP_TYPE_XSKMAP = 17
/** @kernel BPF_PROG_TYPE_XDP include/uapi/linux/bpf.h */
const PROG_TYPE_XDP = 6
/** @kernel BPF_XDP include/uapi/linux/bpf.h */
const ATTACH_XDP = 37
const ATTR_BYTES = 128

/** Where the program is run: `native` in the driver, `generic` in the stack, which every device can. */
export type XdpMode = 'native' | 'generic'
/** @kernel XDP_FLAGS_SKB_MODE include/uapi/linux/if_link.h */
const MODE_FLAGS: Readonly<Record<XdpMode, number>> = { generic: 1 << 1, native: 1 << 2 }

/** `bpf()` with its attributes as 64- and 32-bit words written into 128 bytes. @throws Errno what the kernel said */
function bpf(cmd: number, fill: (view: DataView) => void): number {
  const nr = NR_BPF[process.arch]
  if (nr === undefined)
    throw new Errno('EOPNOTSUPP', `bpf() is not known on ${process.arch}; AF_XDP runs on x64 and arm64`)
  const attr = new Uint8Array(new ArrayBuffer(ATTR_BYTES))
  fill(new DataView(attr.buffer))
  const { koffi, errno } = libc()
  const syscall = koffi
    .load(null)
    .func('int64_t syscall(int64_t nr, int64_t cmd, int64_t attr, int64_t size)')
  const result = withBytes(attr, (address) => syscall(nr, cmd, address, ATTR_BYTES))
  if (result < 0) throw hostErrno(errno(), refusal(cmd, errno()))
  return result
}

function refusal(cmd: number, number: number): string | undefined {
  if (number === E.PERM)
    return 'loading an XDP program needs root (CAP_NET_ADMIN and CAP_BPF); a user namespace is not enough'
  if (cmd === Cmd.LINK_CREATE && number === E.BUSY)
    return 'another XDP program is attached to this interface: take it off first'
  return undefined
}

/** One instruction: opcode, registers, offset, immediate. @kernel struct bpf_insn include/uapi/linux/bpf.h */
const insn = (view: DataView, at: number, code: number, regs: number, off: number, imm: number): void => {
  view.setUint8(at, code)
  view.setUint8(at + 1, regs)
  view.setInt16(at + 2, off, true)
  view.setInt32(at + 4, imm, true)
}

/** Sends each frame to the socket that the map has for its queue, and past it when there is none. */
function redirectProgram(mapFd: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(48))
  const view = new DataView(bytes.buffer)
  const [r0, r1, r2, r3] = [0, 1, 2, 3]
  const XDP_PASS = 2
  const RX_QUEUE_INDEX = 16
  const PSEUDO_MAP_FD = 1
  const REDIRECT_MAP = 51
  // r2 = ctx->rx_queue_index; r1 = map; r3 = what to do when nobody is there; return bpf_redirect_map(r1, r2, r3)
  insn(view, 0, 0x61, (r1 << 4) | r2, RX_QUEUE_INDEX, 0)
  insn(view, 8, 0x18, (PSEUDO_MAP_FD << 4) | r1, 0, mapFd)
  insn(view, 16, 0, r0, 0, 0)
  insn(view, 24, 0xb7, r3, 0, XDP_PASS)
  insn(view, 32, 0x85, 0, 0, REDIRECT_MAP)
  insn(view, 40, 0x95, 0, 0, 0)
  return bytes
}

/**
 * A program that hands the frames of an interface's queue to a socket. It is held by descriptors only: when this
 * process ends, however that comes, the kernel takes it off the interface.
 *
 * @kernel bpf_xdp_link_attach() net/core/dev.c
 */
export class XdpProgram {
  readonly #fds: number[] = []

  /**
   * Loads and attaches it.
   *
   * @throws Errno EPERM, EBUSY when another program is there, EOPNOTSUPP when the driver cannot (native)
   */
  constructor(ifindex: number, queue: number, xskFd: number, mode: XdpMode) {
    try {
      const map = this.#keep(createXskMap(queue + 1))
      const program = this.#keep(loadProgram(map))
      updateMap(map, queue, xskFd)
      this.#keep(attach(program, ifindex, mode))
    } catch (error) {
      this.close()
      throw error
    }
  }

  #keep(fd: number): number {
    this.#fds.push(fd)
    return fd
  }

  /** Takes it off: the link first, then what it held. */
  close(): void {
    for (const fd of this.#fds.splice(0).reverse()) closeFd(fd)
  }
}

function createXskMap(entries: number): number {
  return bpf(Cmd.MAP_CREATE, (view) => {
    for (const [i, word] of [MAP_TYPE_XSKMAP, 4, 4, entries].entries()) view.setUint32(i * 4, word, true)
  })
}

function updateMap(map: number, key: number, value: number): void {
  const cells = new Uint8Array(Uint32Array.of(key, value).buffer)
  withBytes(cells, (address) =>
    bpf(Cmd.MAP_UPDATE_ELEM, (view) => {
      view.setUint32(0, map, true)
      view.setBigUint64(8, BigInt(address), true)
      view.setBigUint64(16, BigInt(address + 4), true)
    }),
  )
}

function loadProgram(map: number): number {
  const instructions = redirectProgram(map)
  const licence = new TextEncoder().encode('Dual MIT/GPL\0')
  return withBytes(instructions, (code) =>
    withBytes(licence, (text) =>
      bpf(Cmd.PROG_LOAD, (view) => {
        view.setUint32(0, PROG_TYPE_XDP, true)
        view.setUint32(4, instructions.length / 8, true)
        view.setBigUint64(8, BigInt(code), true)
        view.setBigUint64(16, BigInt(text), true)
      }),
    ),
  )
}

function attach(program: number, ifindex: number, mode: XdpMode): number {
  return bpf(Cmd.LINK_CREATE, (view) => {
    for (const [i, word] of [program, ifindex, ATTACH_XDP, MODE_FLAGS[mode]].entries())
      view.setUint32(i * 4, word, true)
  })
}
