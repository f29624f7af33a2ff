import { IpProto } from '@vnet/wire'
import type { FrameInfo } from '@vnet/wire'

/** Makes a line short, as -q: no type in numbers, of TCP only how much it carries. */
export function quietLine(line: string, info: FrameInfo): string {
  const out = line
    .replaceAll(/ethertype Unknown \((0x[0-9a-f]{4})\)/g, 'Unknown Ethertype ($1)')
    .replaceAll(/ethertype (\S+) \(0x[0-9a-f]{4}\)/g, '$1')
  const isTcp = info.protocol === IpProto.TCP && info.l4 === 'tcp'
  return isTcp ? out.replace(/: Flags \[.*$/, `: tcp ${info.payloadLength}`) : out
}
