import type { Encode } from './encode.js'

/**
 * Writes of each value a line of text.
 *
 * @example
 * ```ts
 * encodeLines((order: { id: number }) => `order ${order.id}`)({ id: 7 }, 'out') // => 'order 7\n'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function encodeLines<T = string>(text: (value: T) => string = String): Encode<T> {
  return (value) => `${text(value)}\n`
}
