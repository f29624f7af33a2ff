const DAY = 86_400
const DAYS: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS: readonly string[] = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** A moment in parts, in UTC. */
interface Parts {
  readonly year: number
  /** 1 is January. */
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly time: string
}

/** Seconds since 1970 as a date, without the host's clock. */
function parts(seconds: number): Parts {
  const days = Math.floor(seconds / DAY)
  const rest = seconds - days * DAY
  // Eras of 400 years, counted from the first of March of year 0, so that a leap day is the last of its year.
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const ofEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const dayOfYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    weekday: (((days + 4) % 7) + 7) % 7,
    time: [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, Math.floor(rest) % 60].map(two).join(':'),
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** `2026-11-22T08:54:59`, UTC. @kernel none */
export function shortTime(seconds: number): string {
  const { year, month, day, time } = parts(seconds)
  return `${year}-${two(month)}-${two(day)}T${time}`
}

/** `Sun Nov 22 08:54:59 2026`, UTC. @kernel none */
export function longTime(seconds: number): string {
  const { year, month, day, weekday, time } = parts(seconds)
  return `${DAYS[weekday]!} ${MONTHS[month - 1]!} ${String(day).padStart(2)} ${time} ${year}`
}
