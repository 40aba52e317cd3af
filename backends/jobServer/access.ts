import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Who may ask, and how a request has to look. */
export interface Access {
  readonly token: string
  /** Names under which the server may be asked, without the port. */
  readonly hosts: ReadonlySet<string>
  /** Pages whose scripts may ask. */
  readonly origins: ReadonlySet<string>
}

/** Names of this machine for itself. */
export const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/**
 * Why a request is not answered; undefined where it is.
 *
 * The host is checked, since a page can have its own name resolve to this machine; the origin, since a browser sends requests of any page.
 */
export function refusalOf(
  { headers }: IncomingMessage,
  { token, hosts, origins }: Access,
): { readonly status: number; readonly reason: string } | undefined {
  const host = headers.host?.replace(/:\d+$/, '').toLowerCase()
  if (host === undefined || !hosts.has(host)) return { status: 421, reason: 'the server is not asked under this name' }
  if (headers.origin !== undefined && !origins.has(headers.origin)) return { status: 403, reason: 'scripts of this page may not ask' }
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (given === undefined || !same(given, token)) return { status: 401, reason: 'the token is missing or not the right one' }
  return undefined
}

/** Takes as long for a token that is nearly right as for any other. */
const same = (given: string, token: string): boolean => timingSafeEqual(digest(given), digest(token))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
