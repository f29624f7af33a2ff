/**
 * What driver and card agree on: the words of a descriptor and the bits of the interrupt cause.
 *
 * A descriptor is four 32-bit words, the same for both rings:
 *
 * | word | transmit: written by the driver | receive: written by the driver | receive: written back by the card |
 * | --- | --- | --- | --- |
 * | 0 | byte offset of the frame | byte offset of the buffer | |
 * | 1 | memory region of the frame | memory region of the buffer | |
 * | 2 | length of the frame | room in the buffer | length of the frame |
 * | 3 | command, then status written back | 0 | status |
 */

/** Words in a descriptor; 16 bytes. @kernel none */
export const DESC_WORDS = 4
/** Word of the byte offset within the region. @kernel none */
export const DESC_OFFSET = 0
/** Word of the memory region's id. @kernel none */
export const DESC_REGION = 1
/** Word of the length in bytes. @kernel none */
export const DESC_LENGTH = 2
/** Word of the command (to the card) and status (from the card). @kernel none */
export const DESC_STATUS = 3

/** Status: the card is done with this descriptor. @kernel none */
export const STATUS_DONE = 1
/** Status: the frame was not sent, or was received with an error. @kernel none */
export const STATUS_ERROR = 2

/** Cause: frames were received. @kernel none */
export const CAUSE_RX = 1
/** Cause: frames were sent. @kernel none */
export const CAUSE_TX = 2
/** Cause: the link went up or down. Raised on vector 0, or on the first of a thread's where a card has several. @kernel none */
export const CAUSE_LINK = 4
/** Every cause. @kernel none */
export const CAUSE_ALL = CAUSE_RX | CAUSE_TX | CAUSE_LINK

/** What a read of any register of an unplugged card returns, as on PCI. @kernel none */
export const ALL_ONES = 0xffff_ffff
