import type { StateCodec } from '../codec.js'

/** The last value of a stream, which may be `undefined`. */
export interface Last<V> {
  readonly value: V
}

export const lastCodec = <V>(inner: StateCodec<V>): StateCodec<Last<V>> => ({
  version: inner.version,
  toText: ({ value }) => inner.toText(value),
  fromText: (text, version) => ({ value: inner.fromText(text, version) }),
})
