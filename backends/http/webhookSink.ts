import { callWithin } from '../../lib/callWithin.js'
import type { CarriedSinkOptions } from '../../lib/carriedOptions.js'
import { carriedSink } from '../../lib/carriedSink.js'
import type { Delivery } from '../../lib/delivery.js'
import { ConfigurationError, type ErrorDetails, SinkError } from '../../lib/errors.js'
import { jsonOf } from '../../lib/jsonOf.js'
import { atLeast } from '../../lib/limits.js'
import type { SinkContext, TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { dropBody, isPassing, passing, shownUrl } from './answers.js'
import { Backoff } from './backoff.js'
import { type Fetching, type FetchOptions, fetchingOf, headersOf } from './fetching.js'

/** What the server would not take, and never will. */
export interface Refused {
  readonly status: number
  /** The `Idempotency-Key` of the request. */
  readonly key: string
  /** What would have been sent of each record. */
  readonly records: readonly unknown[]
}

export interface WebhookOptions<T> extends CarriedSinkOptions, FetchOptions {
  readonly url: string | URL
  /** Default `POST`. */
  readonly method?: 'POST' | 'PUT' | 'PATCH'
  /** What is sent of a value: `JSON.stringify` of what this returns. Default: the value. */
  readonly encode?: (value: T) => unknown
  /** Sends so many records at most in one request, as an array. Without it each record is a request of its own, and its body. */
  readonly batchMax?: number
  /** Takes what the server refuses for good, and the run goes on when it has resolved; without it the run ends. */
  readonly refused?: (refused: Refused) => unknown
}

/**
 * Posts records as JSON, behind the checkpoint.
 *
 * A request is made when the checkpoint that holds its records is complete, in order, one after the other, and again until the
 * server answers with 2xx. Its header `Idempotency-Key` is the same whenever it is made again, after a crash too: at least
 * once across a crash, once by key. The key of a batch names its first and its last record; leave `batchMax` as it is.
 *
 * 5xx, 408, 425, 429 and no answer are tried again, `Retry-After` is honoured; every other status is final, redirections too: a
 * request that a server sends elsewhere can arrive without its body. When `attemptsMax` are used up the commit has failed: a running
 * job reports it and begins anew, a starting one ends with `SINK_IO`.
 *
 * **When to use** to tell another service, which knows the key or does not mind.
 * **State** the records that are not delivered, in the checkpoint, up to `recordsMax` and `charactersMax`.
 * **Laws** commit-idempotent, uncommitted-invisible and commit-survives-reopen, counted by key; sink-remembers with `committedUpTo`
 *
 * @throws ConfigurationError `OPTION_INVALID` when a limit is out of its range or the address is none
 * @throws SinkError `SINK_REFUSED` at a final status when there is no `refused`
 * @throws StreamError `VALUE_NOT_ENCODABLE` at a record that is no JSON
 * @example Posting totals to a service that stands in for one
 * ```ts
 * const keys: (string | null)[] = []
 * const fetch = async (_url: string, { headers }: RequestInit) => {
 *   keys.push(new Headers(headers).get('idempotency-key'))
 *   return new Response(null, { status: 204 })
 * }
 * const hook = webhookSink({ url: 'https://example.org/totals', fetch })
 * await defineJob('bills', { storage: memory() }, ({ source, sink }) => source('sums', memorySource([7, 8])).pipe(sink('hook', hook))).run().done
 * keys // => ['bills/hook/1-1/0', 'bills/hook/1-1/1']
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function webhookSink<T = unknown>(options: WebhookOptions<T>): TransactionalSink<T> {
  const { batchMax, encode = (value) => value } = options
  if (batchMax !== undefined) atLeast('batchMax', batchMax, 1)
  if (!URL.canParse(String(options.url))) throw new ConfigurationError('OPTION_INVALID', { option: 'url', expected: 'an absolute address' })
  if (options.keyPrefix !== undefined && !headerText.test(options.keyPrefix))
    throw new ConfigurationError('OPTION_INVALID', { option: 'keyPrefix', expected: 'characters that a header can hold, without spaces' })
  const fetching = fetchingOf(options)
  return carriedSink<T, string>({
    ...options,
    form: (where) => ({ version: 1, toText: (value) => jsonOf(encode(value), where), fromText: (text) => text }),
    open: (context) => ({ deliver: (deliveries, confirmed, signal) => posted(options, fetching, context, deliveries, confirmed, signal) }),
  })
}

/** ASCII without controls. */
const headerText = /^[\x21-\x7e]*$/

async function posted<T>(
  { url, method = 'POST', batchMax, refused }: WebhookOptions<T>,
  { headers, timeoutMs, attemptsMax, retryAfterMsMax, fetch }: Fetching,
  { uid, clock }: SinkContext,
  deliveries: readonly Delivery<string>[],
  confirmed: (count: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const shown = shownUrl(url)
  const giveUp = (details: ErrorDetails, cause: unknown): SinkError => new SinkError('SINK_IO', { uid, url: shown, ...details }, { cause })
  const backoff = new Backoff({ clock, signal, attemptsMax, retryAfterMsMax, giveUp })
  for (let from = 0; from < deliveries.length; ) {
    const batch = deliveries.slice(from, from + (batchMax ?? 1))
    const key = keyOf(batch, batchMax !== undefined)
    const request = async (own: AbortSignal): Promise<Response> =>
      fetch(String(url), {
        method,
        headers: await headersOf(headers, { 'content-type': 'application/json', 'idempotency-key': key }),
        body: batchMax === undefined ? (batch[0] as Delivery<string>).value : `[${batch.map(({ value }) => value).join(',')}]`,
        redirect: 'manual',
        signal: own,
      })
    let response: Response
    try {
      response = await callWithin({ clock, timeoutMs, signal }, request)
    } catch (cause) {
      if (signal.aborted) throw giveUp({ reason: 'the writer was closed' }, cause)
      await backoff.failed({ reason: 'no answer', cause })
      continue
    }
    await dropBody(response)
    if (isPassing(response.status)) {
      await backoff.failed(passing(response, clock))
      continue
    }
    if (!response.ok) {
      const { status } = response
      if (refused === undefined) throw new SinkError('SINK_REFUSED', { uid, url: shown, status, key })
      await refused({ status, key, records: batch.map(({ value }) => JSON.parse(value) as unknown) })
    }
    backoff.succeeded()
    from += batch.length
    confirmed(from)
  }
}

/** A record's own key, or that of the first record of a batch and the place of the last. */
const keyOf = (batch: readonly Delivery<string>[], inBatches: boolean): string => {
  const first = batch[0] as Delivery<string>
  return inBatches ? `${first.key}-${first.index + batch.length - 1}` : first.key
}
