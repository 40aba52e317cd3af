import type { StateCodec } from '../codec.js'
import { joinTexts, splitTexts } from './textParts.js'

/** Values of a stream, of which each next one is added without a copy of those before: a state is never changed. */
export interface Buffered<V> {
  /** How many values have come. */
  readonly index: number
  /** So many of them are kept. */
  readonly size: number
  readonly newest: Link<V> | undefined
}

/** A class of its own, since what is deep is not frozen link by link. */
class Link<V> {
  constructor(
    readonly value: V,
    readonly before: Link<V> | undefined,
  ) {}
}

export const nothingBuffered: Buffered<never> = { index: 0, size: 0, newest: undefined }

export const append = <V>({ index, size, newest }: Buffered<V>, value: V): Buffered<V> => ({
  index: index + 1,
  size: size + 1,
  newest: new Link(value, newest),
})

/** The state in which `values` are kept when `index` have come. */
export function buffered<V>(index: number, values: readonly V[]): Buffered<V> {
  let newest: Link<V> | undefined
  for (const value of values) newest = new Link(value, newest)
  return { index, size: values.length, newest }
}

/** The values that are kept, the oldest first. */
export function keptIn<V>({ size, newest }: Buffered<V>): V[] {
  const values = new Array<V>(size)
  let link = newest
  for (let at = size - 1; link !== undefined; at -= 1) {
    values[at] = link.value
    link = link.before
  }
  return values
}

export const bufferedCodec = <V>(inner: StateCodec<V>): StateCodec<Buffered<V>> => ({
  version: inner.version,
  toText: (state) => joinTexts([`${state.index}`, ...keptIn(state).map((value) => inner.toText(value))]),
  fromText(text, version) {
    const [index = '', ...values] = splitTexts(text)
    return buffered(
      Number(index),
      values.map((value) => inner.fromText(value, version)),
    )
  },
})
