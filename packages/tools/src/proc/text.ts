import { textOf } from '@vnet/netlink'

/** Bytes as text, zero bytes included. @kernel none */
export function textFrom(bytes: Uint8Array): string {
  let text = ''
  let start = 0
  for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, start)) {
    text += `${textOf(bytes, start, end)}\0`
    start = end + 1
  }
  return text + textOf(bytes, start, bytes.length)
}
