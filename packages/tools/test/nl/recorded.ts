import { readFileSync } from 'node:fs'
import {
  decodeRequest,
  NlMessages,
  putHead,
  Sys,
  SYS_HEAD_LEN,
  SYS_REQUEST_LEN,
  SysAnswer,
} from '@vnet/netlink'
import type { Channel, Transport } from '../../src/index.ts'

/** A request of a real program and what the kernel answered. */
export interface Exchange {
  readonly request: Uint8Array
  readonly answers: readonly Uint8Array[]
}

const NLM_F_REQUEST = 1

/** Exchanges of a capture of nlmon: pcap, a header of 16 bytes before each datagram. */
export function readExchanges(name: string): Exchange[] {
  const file = readFileSync(new URL(`../fixtures/40-nlmon-${name}.pcap`, import.meta.url))
  const out: { request: Uint8Array; answers: Uint8Array[] }[] = []
  for (let at = 24; at + 16 <= file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const bytes = Uint8Array.from(file.subarray(at + 32, at + 16 + file.readUInt32LE(at + 8)))
    const message = new NlMessages(bytes)
    if (!message.next()) continue
    if (message.portid === 0 && (message.flags & NLM_F_REQUEST) !== 0) {
      // iproute2 sends its whole structure, also what is behind the message.
      out.push({ request: bytes.slice(0, message.end), answers: [] })
    } else out.at(-1)?.answers.push(bytes)
  }
  return out.filter(({ request }) => !isProbe(request))
}

/** iproute2 6.1 asks first whether links can be made at all; 6.15 and this `ip` do not. */
function isProbe(request: Uint8Array): boolean {
  return request[4] === 16 && request.length === 32 && request.slice(16).every((byte) => byte === 0)
}

const PORT = 1234

/**
 * A kernel that knows only recorded answers, whatever the numbers of socket and request. What was asked is kept in
 * `asked`, with those numbers cleared.
 */
export class RecordedKernel implements Transport {
  readonly #exchanges: readonly Exchange[]
  readonly asked: Uint8Array[] = []
  #next = 0

  constructor(exchanges: readonly Exchange[]) {
    this.#exchanges = exchanges
  }

  open(onBytes: (bytes: Uint8Array) => void): Channel {
    const queue: Uint8Array[] = []
    const head = (what: number, length: number, value: bigint): void => {
      const bytes = new Uint8Array(SYS_HEAD_LEN)
      putHead(bytes, 0, { what, length, value })
      onBytes(bytes)
    }
    const copyOut = (address: bigint, bytes: Uint8Array): void => {
      head(SysAnswer.COPYOUT, bytes.length, address)
      onBytes(bytes)
    }
    const answer = (bytes: Uint8Array): void => {
      if (bytes.length !== SYS_REQUEST_LEN) {
        queue.push(...this.#answersTo(bytes.slice(8)))
        head(SysAnswer.RET, 0, BigInt(bytes.length - 8))
        return
      }
      const { op, args } = decodeRequest(bytes)
      if (op === Sys.sendto) return head(SysAnswer.COPYIN, Number(args[1]), args[0]!)
      if (op === Sys.getsockname) {
        copyOut(args[0]!, sockaddr(PORT))
        copyOut(args[1]!, Uint8Array.of(12, 0, 0, 0))
      }
      const datagram = op === Sys.recvfrom ? queue.shift() : undefined
      if (op === Sys.recvfrom && datagram === undefined) return head(SysAnswer.RET, 0, -11n)
      if (datagram !== undefined) {
        copyOut(args[0]!, datagram)
        copyOut(args[3]!, sockaddr(0))
        copyOut(args[4]!, Uint8Array.of(12, 0, 0, 0))
      }
      head(SysAnswer.RET, 0, BigInt(datagram?.length ?? 0))
    }
    return { send: answer, close: () => {} }
  }

  #answersTo(request: Uint8Array): Uint8Array[] {
    const seq = new DataView(request.buffer).getUint32(8, true)
    this.asked.push(cleared(request))
    const exchange = this.#exchanges[this.#next++]
    return (exchange?.answers ?? []).map((bytes) => addressed(bytes, seq))
  }
}

function sockaddr(port: number): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 16, true)
  view.setUint32(4, port, true)
  return bytes
}

/** The request without its number. */
export function cleared(request: Uint8Array): Uint8Array {
  return request.slice().fill(0, 8, 16)
}

/** Every message of a datagram as an answer to this request. */
function addressed(bytes: Uint8Array, seq: number): Uint8Array {
  const out = bytes.slice()
  const view = new DataView(out.buffer)
  const messages = new NlMessages(bytes)
  while (messages.next()) {
    view.setUint32(messages.start + 8, seq, true)
    view.setUint32(messages.start + 12, PORT, true)
  }
  return out
}
