import { Iff } from '../constants.ts'

const ORDER: readonly (keyof typeof Iff)[] = [
  'LOOPBACK',
  'BROADCAST',
  'POINTOPOINT',
  'MULTICAST',
  'NOARP',
  'ALLMULTI',
  'PROMISC',
  'MASTER',
  'SLAVE',
  'DEBUG',
  'DYNAMIC',
  'AUTOMEDIA',
  'PORTSEL',
  'NOTRAILERS',
  'UP',
  'LOWER_UP',
  'DORMANT',
  'ECHO',
]

/**
 * The words between the angle brackets. RUNNING is not shown: its absence on a device that is up shows as NO-CARRIER.
 *
 * @param lowerDown - the device below is down: M-DOWN
 * @kernel none
 */
export function linkFlagNames(flags: number, lowerDown: boolean): string[] {
  const names: string[] = []
  if ((flags & Iff.UP) !== 0 && (flags & Iff.RUNNING) === 0) names.push('NO-CARRIER')
  let rest = flags & ~Iff.RUNNING
  for (const name of ORDER) {
    if ((rest & Iff[name]) === 0) continue
    names.push(name)
    rest &= ~Iff[name]
  }
  if (rest !== 0) names.push((rest >>> 0).toString(16))
  if (lowerDown) names.push('M-DOWN')
  return names
}
