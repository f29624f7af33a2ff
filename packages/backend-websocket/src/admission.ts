import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * Who may connect.
 *
 * @kernel none
 */
export interface Admission {
  /** The only path that is served. Default `/`. */
  readonly path?: string
  /**
   * Pages that may connect, as browsers name them: `https://example.org`. `*`: all. Programs that are no browser name
   * none and are not asked. Default: pages served by this machine to itself (localhost, 127.0.0.1, [::1]).
   */
  readonly origins?: readonly string[] | '*'
  /** What a client must show, as query parameter `token` or as `Authorization: Bearer`. Default: nothing. */
  readonly token?: string
}

/**
 * Decides about a request to connect.
 *
 * @returns the HTTP status to refuse it with, or 0 for yes
 * @kernel none
 */
export function admit(request: IncomingMessage, admission: Admission): 0 | 401 | 403 | 404 {
  const url = parse(request.url ?? '/')
  if (url === null || url.pathname !== (admission.path ?? '/')) return 404
  if (!originMay(request.headers.origin, admission.origins)) return 403
  if (admission.token !== undefined && !same(shown(request, url), admission.token)) return 401
  return 0
}

function parse(url: string): URL | null {
  try {
    return new URL(url, 'ws://here')
  } catch {
    return null
  }
}

function originMay(origin: string | undefined, origins: Admission['origins']): boolean {
  if (origin === undefined || origins === '*') return true
  return origins === undefined ? isLocal(origin) : origins.includes(origin)
}

function isLocal(origin: string): boolean {
  const url = parse(origin)
  return (
    url !== null &&
    ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname) &&
    /^https?:$/.test(url.protocol)
  )
}

function shown(request: IncomingMessage, url: URL): string {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')
  return bearer?.[1] ?? url.searchParams.get('token') ?? ''
}

/** Takes the same time whatever is wrong. */
function same(shown: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(shown), digest(wanted))
}
