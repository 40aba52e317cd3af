import type { Key } from '../key.js'
import type { StateDescriptor } from '../state/descriptor.js'
import type { ListState } from '../state/listState.js'
import type { MapState } from '../state/mapState.js'
import type { ValueState } from '../state/valueState.js'

/** One row of a state: the value of a key, or one entry of a map, or one element of a list. */
export interface StateRow<V, E = undefined> {
  /** `null` for state that belongs to no key. */
  readonly key: Key
  /** The window that it belongs to, where it belongs to one. */
  readonly namespace: Key | undefined
  /** The key of an entry of a map; the number of an element of a list, in their order. */
  readonly entry: E
  readonly value: V
  /** When it was touched, in the time of its TTL; undefined where it has none. */
  readonly touchedMs: number | undefined
}

/** A row of which nobody says what its state looks like. */
export interface PlainRow extends StateRow<unknown, Key | undefined> {
  /** The version of the codec that wrote it. */
  readonly version: number
  /** The stored text, of which `value` was read; for a codec with a text of its own, `value` is this text. */
  readonly text: string
}

/**
 * The rows of what a descriptor describes. Of a reducing or an aggregating state, whose descriptors do not tell what they keep, they are
 * read and written by the descriptor of a value with the same codec.
 */
export type RowOf<D> =
  D extends StateDescriptor<infer H, unknown>
    ? H extends MapState<infer K, infer V>
      ? StateRow<V, K>
      : H extends ListState<infer E>
        ? StateRow<E, number>
        : H extends ValueState<infer S, infer _I>
          ? StateRow<S>
          : StateRow<unknown>
    : never

/** A row to be written. An element of a list that has no number follows those before it. */
export type NewRow<D> = Pick<RowOf<D>, 'key' | 'value'> &
  Partial<Pick<RowOf<D>, 'namespace' | 'touchedMs'>> &
  (D extends StateDescriptor<infer H, unknown>
    ? H extends MapState<infer K, infer _V>
      ? { readonly entry: K }
      : H extends ListState<infer _E>
        ? { readonly entry?: number }
        : { readonly entry?: undefined }
    : never)
