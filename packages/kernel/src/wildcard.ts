/**
 * Says whether a whole text fits a pattern with `*` (any run, also none) and `?` (any one character).
 *
 * Case counts. Time grows with pattern × text at worst, whatever the pattern.
 *
 * @kernel match_wildcard() lib/parser.c
 */
export function matchWildcard(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let retry = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++
      retry = t
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++retry
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
