import type { OperatorFunction } from 'rxjs'
import type { StreamElement, Unkeyed } from '../lib/element.js'
import { openRecords } from '../lib/operate.js'
import type { RecordsOptions } from '../lib/recordsStage.js'

export type { RecordsOptions } from '../lib/recordsStage.js'

/**
 * Opens a stream of plain values as a stream of records.
 *
 * **When to use** outside a job: to try operators, in tests, and where nothing has to survive. A job opens its inputs with
 * `source(...)`, which can be read again after a crash.
 *
 * @param options - `timestamp`: the event time of a value, in ms since 1970; `clock`: such as that of a `TestScheduler`
 * @example From values to records and back
 * ```ts
 * await collect(of(1, 2).pipe(records())) // => [1, 2]
 * ```
 * @category elements
 * @since 0.1.0
 */
export const records = <T>(options: RecordsOptions<T> = {}): OperatorFunction<T, StreamElement<T, Unkeyed>> => openRecords(options)
