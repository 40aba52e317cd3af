import type { Key } from '../key.js'

/** In place of a saved value: the row was not there at the barrier. */
export const dead: unique symbol = Symbol('dead')
/** In place of a saved value: the row has not changed since the barrier. */
export const none: unique symbol = Symbol('none')

/**
 * One cell of keyed state: of one key, in one namespace (a window) if there is one, and of a list or a map one entry.
 *
 * Held by reference while a record is processed, so that a record costs one look-up. The value is immutable; the row is not.
 * `dirtyIn` and `slot` say where the row stands among the changes since the last barrier.
 */
export class Row<S = unknown> {
  /** The interval between two captures in which the row was last changed; 0 for never. */
  dirtyIn = 0
  /** The interval in which it came into being, while that is of interest; else 0. */
  bornIn = 0
  /** What an open capture will encode, when the row has changed since its barrier. A field, because a `Map` grows in jumps of many ms. */
  saved: S | typeof dead | typeof none = none
  /** The row's place among the changes of that interval. */
  slot = 0
  /** Whether the table still holds the row. */
  live = true
  /** The next row of the same key with another namespace. */
  next: Row<S> | undefined = undefined
  previous: Row<S> | undefined = undefined
  /** When it was touched, as the open capture will encode it. */
  savedMs = 0
  /** When it was last written or refreshed, in the time of its TTL; 0 where there is none. */
  touchedMs = 0

  constructor(
    readonly key: Key,
    readonly namespace: Key | undefined,
    public value: S,
    readonly entry: Key | undefined = undefined,
  ) {}
}
