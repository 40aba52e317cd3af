export type { CarriedSinkOptions } from '../../lib/carriedOptions.js'
export type { Fetch, FetchOptions, RequestHeaders } from './fetching.js'
export { type EndpointTailOptions, type FileTailOptions, ndjsonTail } from './ndjsonTail.js'
export { type Refused, type WebhookOptions, webhookSink } from './webhookSink.js'
