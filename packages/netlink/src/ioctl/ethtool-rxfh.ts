import { ethtoolGetRxRingCount, ethtoolGetRxfh, ethtoolOps, ethtoolSetRxfh } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import { u32Bytes } from './call.ts'
import type { EthtoolCall, EthtoolIoctl } from './call.ts'
import { EthtoolCmd } from './ethtool-cmd.ts'

/** Nothing about the table. @kernel ETH_RXFH_INDIR_NO_CHANGE include/uapi/linux/ethtool.h */
const INDIR_NO_CHANGE = 0xffffffff
const RXFH_LEN = 24

/** @kernel ethtool_get_rxnfc() net/ethtool/ioctl.c */
function getRxRings(call: EthtoolCall): void {
  const info = call.read(16)
  info.view.setBigUint64(8, BigInt(ethtoolGetRxRingCount(call.dev)), true)
  call.write(info)
}

function getRuleCount(call: EthtoolCall): void {
  const ops = ethtoolOps(call.dev)
  if (ops.getRxnfcRules === undefined) throw new Errno('EOPNOTSUPP')
  const info = call.read(188)
  info.view.setBigUint64(8, 0n, true)
  info.setU32(184, ops.getRxnfcRules(call.dev).length)
  call.write(info)
}

/** @kernel ethtool_get_rxfh() net/ethtool/ioctl.c */
function getRxfh(call: EthtoolCall): void {
  const head = call.read(RXFH_LEN)
  if (head.u32(4) !== 0) throw new Errno('EOPNOTSUPP')
  const rss = ethtoolGetRxfh(call.dev)
  const wantIndir = checkSize(head.u32(8), rss.indir.length)
  const wantKey = checkSize(head.u32(12), rss.key.length)
  head.setU32(8, rss.indir.length)
  head.setU32(12, rss.key.length)
  head.bytes[16] = rss.hfunc
  call.write(head)
  if (wantIndir) call.write(u32Bytes(rss.indir), RXFH_LEN)
  if (wantKey) call.write(rss.key, RXFH_LEN + (wantIndir ? rss.indir.length * 4 : 0))
}

/** A size is that of the device, or 0 to ask for it. @throws Errno EINVAL */
function checkSize(asked: number, real: number): boolean {
  if (asked !== 0 && asked !== real) throw new Errno('EINVAL')
  return asked !== 0
}

/** @kernel ethtool_set_rxfh() net/ethtool/ioctl.c */
function setRxfh(call: EthtoolCall): void {
  const head = call.read(RXFH_LEN)
  if (head.u32(4) !== 0) throw new Errno('EOPNOTSUPP')
  const now = ethtoolGetRxfh(call.dev)
  const indirSize = head.u32(8)
  const keySize = head.u32(12)
  const hfunc = head.bytes[16]!
  const table = indirSize !== INDIR_NO_CHANGE && indirSize !== 0
  if ((table && indirSize !== now.indir.length) || (keySize !== 0 && keySize !== now.key.length)) {
    throw new Errno('EINVAL')
  }
  ethtoolSetRxfh(call.dev, {
    indir: table ? readTable(call, RXFH_LEN, indirSize) : indirSize === 0 ? 'default' : undefined,
    key: keySize === 0 ? undefined : call.read(keySize, RXFH_LEN + (table ? indirSize * 4 : 0)).bytes,
    hfunc: hfunc === 0 ? undefined : hfunc,
  })
}

function readTable(call: EthtoolCall, at: number, size: number): number[] {
  const bytes = call.read(size * 4, at)
  return Array.from({ length: size }, (_, i) => bytes.u32(i * 4))
}

/** @kernel ethtool_get_rxfh_indir() net/ethtool/ioctl.c */
function getIndir(call: EthtoolCall): void {
  const head = call.read(8)
  const asked = head.u32(4)
  const { indir } = ethtoolGetRxfh(call.dev)
  head.setU32(4, indir.length)
  call.write(head)
  if (asked === 0) return
  if (asked < indir.length) throw new Errno('EINVAL')
  call.write(u32Bytes(indir), 8)
}

/** @kernel ethtool_set_rxfh_indir() net/ethtool/ioctl.c */
function setIndir(call: EthtoolCall): void {
  const size = call.read(8).u32(4)
  const { indir } = ethtoolGetRxfh(call.dev)
  if (size !== 0 && size !== indir.length) throw new Errno('EINVAL')
  ethtoolSetRxfh(call.dev, { indir: size === 0 ? 'default' : readTable(call, 8, size) })
}

/** How received packets are spread over queues. */
export const RXFH_IOCTLS: readonly (readonly [number, EthtoolIoctl])[] = [
  [EthtoolCmd.GRXRINGS, getRxRings],
  [EthtoolCmd.GRXCLSRLCNT, getRuleCount],
  [EthtoolCmd.GRSSH, getRxfh],
  [EthtoolCmd.SRSSH, setRxfh],
  [EthtoolCmd.GRXFHINDIR, getIndir],
  [EthtoolCmd.SRXFHINDIR, setIndir],
]
