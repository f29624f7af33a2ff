/** `'epoch'`: seconds since 1970, as tcpdump -tt. `'day'`: the time of day, UTC. */
export type TimeStyle = 'epoch' | 'day'

/**
 * Prints a capture's time as tcpdump does: `1795338157.993854`, or `09:02:37.993854`.
 *
 * @param digits - after the point; 6 or 9.
 * @kernel none
 */
export function formatTime(
  tsSec: number,
  tsNsec: number,
  style: TimeStyle = 'epoch',
  digits: 6 | 9 = 6,
): string {
  const below = digits === 9 ? tsNsec : Math.floor(tsNsec / 1000)
  const fraction = String(below).padStart(digits, '0')
  if (style === 'epoch') return `${tsSec}.${fraction}`
  const parts = [Math.floor(tsSec / 3600) % 24, Math.floor(tsSec / 60) % 60, tsSec % 60]
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${fraction}`
}
