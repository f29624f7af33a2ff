/**
 * Which broken rules follow from which: a driver that frees an skb twice also breaks every promise about living skbs.
 *
 * Only for rules whose sentences overlap; the reason stands beside each.
 *
 * @kernel none
 */
export const EXPLAINS: Readonly<Record<string, readonly string[]>> = {
  // Counters that opening clears go back (STAT-05), do not survive down and up (STAT-06), in a thousand rounds too (STOP-06).
  'OPEN-06': ['STAT-05', 'STAT-06', 'STOP-06'],
  // What each stop leaves behind adds up in a thousand stops.
  'STOP-01': ['STOP-06'],
  'STOP-04': ['STOP-06', 'SKB-06'],
  // Bytes that a stop leaves in flight hold the queue back: it stalls after many stops.
  'BQL-03': ['STOP-06'],
  // What is never freed is not freed in bounded time either.
  'TXQ-03': ['TXQ-04'],
  // A carrier that never goes off is on at an opening without a cable (OPEN-07) and after a stop (STOP-03), never changes
  // (LINK-03, LINK-04), and no interrupt tells of it (IRQ-04).
  'LINK-01': ['OPEN-07', 'STOP-03', 'LINK-03', 'LINK-04', 'IRQ-04'],
  // Resizing "keeps what fits in order": without the order of RING-04 there is none to keep.
  'RING-04': ['RING-09'],
  // Frames that come up outside the poll know no budget.
  'CTX-04': ['NAPI-04'],
  // What netifRx queues goes up when the poll is over.
  'RX-04': ['CTX-04'],
  // A completion can come in that gap as well as a frame.
  'NAPI-13': ['TXQ-06'],
  // Both of these leave interrupts on that a busy polling application wants off.
  'NAPI-11': ['COAL-06'],
  'COAL-03': ['COAL-06'],
  // What is on and not what the core found possible changes again at every look.
  'FEAT-04': ['FEAT-05'],
}
