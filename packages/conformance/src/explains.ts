/**
 * Which broken rules follow from which: a driver that frees an skb twice also breaks every promise about living skbs.
 *
 * Only for rules whose sentences overlap; the reason stands beside each.
 *
 * @kernel none
 */
export const EXPLAINS: Readonly<Record<string, readonly string[]>> = {}
