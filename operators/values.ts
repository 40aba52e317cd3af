import type { OperatorFunction } from 'rxjs'
import type { StreamElement } from '../lib/element.js'
import { closeToValues } from '../lib/operate.js'

/**
 * Closes a stream of records to a stream of plain values.
 *
 * **When to use** to leave rxweir: behind it every rxjs operator sees values again.
 *
 * @example Taking what is needed
 * ```ts
 * await firstValueFrom(of('a', 'b').pipe(records(), mapValues((letter) => letter.toUpperCase()), values())) // => 'A'
 * ```
 * @category elements
 * @since 0.1.0
 */
export const values = <T>(): OperatorFunction<StreamElement<T, unknown>, T> => closeToValues
