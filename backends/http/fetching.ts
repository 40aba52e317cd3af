import { ConfigurationError } from '../../lib/errors.js'
import { kindOf } from '../../lib/kindOf.js'
import { atLeast } from '../../lib/limits.js'

/** As much of `fetch` as is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Headers of a request: as they are, or made for each request, such as a token that expires. */
export type RequestHeaders =
  | { readonly [name: string]: string }
  | (() => { readonly [name: string]: string } | Promise<{ readonly [name: string]: string }>)

export interface FetchOptions {
  readonly headers?: RequestHeaders
  /** A request without an answer for so long has failed. Default 30,000; `Infinity` for ever. */
  readonly timeoutMs?: number
  /** So many failures in a row end it: no connection, 5xx, 408, 425, 429. Between them it waits from 0.2 up to 30 s. Default 8. */
  readonly attemptsMax?: number
  /** The longest wait that a `Retry-After` of the server is granted. Default 10 minutes. */
  readonly retryAfterMsMax?: number
  /** Default: that of the platform. */
  readonly fetch?: Fetch
}

export type Fetching = Required<FetchOptions>

export function fetchingOf(options: FetchOptions): Fetching {
  const { headers = {}, timeoutMs = 30_000, attemptsMax = 8, retryAfterMsMax = 600_000 } = options
  atLeast('timeoutMs', timeoutMs, 1)
  atLeast('attemptsMax', attemptsMax, 1)
  atLeast('retryAfterMsMax', retryAfterMsMax, 0)
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init))
  if (typeof fetch !== 'function') throw new ConfigurationError('OPTION_INVALID', { option: 'fetch', found: kindOf(fetch), expected: 'a function' })
  return { headers, timeoutMs, attemptsMax, retryAfterMsMax, fetch }
}

/** The headers of one request, names in lower case. */
export async function headersOf(headers: RequestHeaders, more: { readonly [name: string]: string }): Promise<Headers> {
  const all = new Headers(typeof headers === 'function' ? await headers() : headers)
  for (const [name, value] of Object.entries(more)) all.set(name, value)
  return all
}
