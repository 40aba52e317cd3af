import { json } from '../codec.js'
import type { Key } from '../key.js'
import { mapState } from '../state/mapState.js'
import type { TimeDomain } from '../state/timers.js'
import { newRows, type StatePart } from './statePart.js'

/** A timer to begin with. */
export interface NewTimer {
  readonly key: Key
  readonly namespace?: Key
  /** In ms since 1970. */
  readonly at: number
}

const timers = mapState<number, null, ReturnType<typeof json<number>>, ReturnType<typeof json<null>>>(json<number>(), json<null>())

/**
 * Timers to begin with: those that are overdue fire before the first record (processing time), or with the first watermark (event time).
 *
 * @category checkpoints
 * @since 0.2.0
 */
export const newTimers = (uid: string, domain: TimeDomain, due: Iterable<NewTimer> | AsyncIterable<NewTimer>): StatePart =>
  newRows(uid, domain === 'event' ? 'eventTimers' : 'processingTimers', timers, rowsOf(due))

async function* rowsOf(due: Iterable<NewTimer> | AsyncIterable<NewTimer>) {
  for await (const { key, namespace, at } of due) yield { key, namespace, entry: at, value: null }
}
