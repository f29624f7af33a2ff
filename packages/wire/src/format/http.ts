import type { Printer } from './printer.ts'

const METHODS: readonly string[] =
  'GET PUT COPY HEAD LOCK MOVE POLL POST BCOPY BMOVE MKCOL TRACE LABEL MERGE DELETE SEARCH UNLOCK REPORT UPDATE NOTIFY BDELETE CONNECT OPTIONS CHECKIN PROPFIND CHECKOUT CCM_POST SUBSCRIBE PROPPATCH BPROPFIND BPROPPATCH UNCHECKOUT MKACTIVITY MKWORKSPACE UNSUBSCRIBE RPC_CONNECT VERSION-CONTROL BASELINE-CONTROL'.split(
    ' ',
  )

/** Longer lines are cut in the search for their first words only. */
const MAX_TOKEN = 128

/** Prints `: HTTP`, and the first line when it is a request or a response and not the middle of a body. */
export function printHttp(p: Printer, at: number, length: number): void {
  p.protocol = 'http'
  p.add(': HTTP')
  const first = word(p, at, at + length)
  const second = first === null ? null : word(p, first.next, at + length)
  const request = first !== null && METHODS.includes(first.text.toUpperCase())
  const response = second !== null && /^[0-9]{3}$/.test(second.text)
  if (request || response) printLine(p, at, at + length)
}

/** The word at `at`, and where the next one begins; null when there is none, or something that is no text. */
function word(p: Printer, at: number, end: number): { readonly text: string; readonly next: number } | null {
  let text = ''
  for (; at < end; at++) {
    if (!p.has(at, 1)) return null
    const byte = p.u8(at)
    if (byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a) break
    if (byte < 0x20 || byte > 0x7e || text.length >= MAX_TOKEN - 1) return null
    text += String.fromCharCode(byte)
  }
  if (text === '') return null
  while (at < end && p.has(at, 1) && p.u8(at) === 0x20) at++
  return { text, next: at }
}

/** Prints text up to the end of the line; nothing when it is no text. */
function printLine(p: Printer, at: number, end: number): void {
  let text = ''
  for (; at < end; at++) {
    const byte = p.u8(at)
    if (byte === 0x0a || (byte === 0x0d && at + 1 < end && p.u8(at + 1) === 0x0a)) {
      p.add(`: ${text}`)
      return
    }
    if (byte !== 0x09 && (byte < 0x20 || byte > 0x7e)) return
    text += String.fromCharCode(byte)
  }
  p.add(`: ${text}`)
  p.cutShort()
}
