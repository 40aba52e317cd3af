import type { AnyKeyOperator } from '../lib/element.js'
import { operate } from '../lib/operate.js'

/**
 * Looks at each record and passes it on.
 *
 * **When to use** to log or count while developing. What it does is done again after a crash: it is no sink.
 *
 * @param look - called with the value, and with its key and event time
 * @example Watching records pass
 * ```ts
 * const seen: number[] = []
 * await collect(of(1, 2).pipe(records(), tapValues((n) => seen.push(n))))
 * seen // => [1, 2]
 * ```
 * @category elements
 * @since 0.1.0
 */
export const tapValues = <T>(
  look: (value: T, record: { readonly key: unknown; readonly timestamp: number | undefined }) => void,
): AnyKeyOperator<T, T> =>
  operate<T, T>({
    name: 'tapValues',
    create: ({ output }) => ({
      processRecord(value, timestamp, key) {
        look(value, { key, timestamp })
        output.processRecord(value, timestamp, key)
      },
    }),
  })
