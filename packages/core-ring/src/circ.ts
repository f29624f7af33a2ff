/**
 * Returns how many entries are waiting between `tail` and `head`.
 *
 * `size` is a power of two. One slot always stays empty, so that "full" and "empty" differ: the capacity is `size - 1`.
 *
 * @kernel CIRC_CNT() include/linux/circ_buf.h
 * @rule RING-02
 */
export function circCnt(head: number, tail: number, size: number): number {
  return (head - tail) & (size - 1)
}

/**
 * Returns how many entries can still be put in: `size - 1 - circCnt(head, tail, size)`.
 *
 * @kernel CIRC_SPACE() include/linux/circ_buf.h
 * @rule RING-02
 */
export function circSpace(head: number, tail: number, size: number): number {
  return (tail - head - 1) & (size - 1)
}

/**
 * Returns how many waiting entries can be read from `tail` on without crossing the end of the buffer.
 *
 * @kernel CIRC_CNT_TO_END() include/linux/circ_buf.h
 * @rule RING-08
 */
export function circCntToEnd(head: number, tail: number, size: number): number {
  const mask = size - 1
  return Math.min((head - tail) & mask, size - (tail & mask))
}

/**
 * Returns how many entries can be written from `head` on without crossing the end of the buffer.
 *
 * @kernel CIRC_SPACE_TO_END() include/linux/circ_buf.h
 * @rule RING-08
 */
export function circSpaceToEnd(head: number, tail: number, size: number): number {
  const mask = size - 1
  return Math.min((tail - head - 1) & mask, size - (head & mask))
}
