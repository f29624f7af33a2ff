import { buildEth, buildIpv4, ETH_HLEN, IPV4_HLEN, inetChecksum, putUnalignedBe16 } from '@vnet/wire'
import { MAC_A, MAC_B } from './helpers.ts'

export interface Piece {
  readonly src?: string
  readonly dst?: string
  readonly id?: number
  readonly protocol?: number
  /** In bytes. */
  readonly offset?: number
  readonly more?: boolean
  readonly ttl?: number
  readonly df?: boolean
  readonly payload: Uint8Array
}

/** An IPv4 frame from the peer to the host under test. */
export function ipFrame(piece: Piece): Uint8Array {
  const { payload } = piece
  const frame = new Uint8Array(ETH_HLEN + IPV4_HLEN + payload.length)
  buildEth(frame, 0, { dst: MAC_A, src: MAC_B, proto: 0x0800 })
  buildIpv4(frame, ETH_HLEN, {
    src: piece.src ?? '10.0.0.2',
    dst: piece.dst ?? '10.0.0.1',
    protocol: piece.protocol ?? 17,
    payloadLength: payload.length,
    ttl: piece.ttl ?? 64,
    tos: 0,
    id: piece.id ?? 1,
    dontFragment: piece.df ?? false,
  })
  const field =
    ((piece.offset ?? 0) >> 3) | (piece.more === true ? 0x2000 : 0) | (piece.df === true ? 0x4000 : 0)
  putUnalignedBe16(field, frame, ETH_HLEN + 6)
  fixHeader(frame)
  frame.set(payload, ETH_HLEN + IPV4_HLEN)
  return frame
}

/** Works out the header's checksum anew. */
export function fixHeader(frame: Uint8Array): void {
  const len = (frame[ETH_HLEN]! & 15) * 4
  putUnalignedBe16(0, frame, ETH_HLEN + 10)
  putUnalignedBe16(inetChecksum(frame, ETH_HLEN, len), frame, ETH_HLEN + 10)
}
