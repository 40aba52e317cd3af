import { lastValueFrom, toArray } from 'rxjs'
import type { AnyStream } from '../lib/element.js'
import { closeToValues } from '../lib/operate.js'

/**
 * Collects the values of a bounded stream.
 *
 * **When to use** in tests and examples. It rejects with the error of the stream.
 *
 * @example All values of a stream
 * ```ts
 * await collect(of(3, 4).pipe(records(), mapValues((n) => n * n))) // => [9, 16]
 * ```
 * @category elements
 * @since 0.1.0
 */
export const collect = <T>(stream: AnyStream<T>): Promise<T[]> => lastValueFrom(closeToValues(stream).pipe(toArray()))
