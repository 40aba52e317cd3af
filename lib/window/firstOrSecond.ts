import { type Codec, type CodecOf, json, stateCodec } from '../codec.js'
import type { ErrorDetails } from '../errors.js'

/** A record of one of two streams that share windows. */
export type FirstOrSecond<T, U> = { readonly from: 'first'; readonly value: T } | { readonly from: 'second'; readonly value: U }

/** Stores the records of both streams, each by its own codec and with the version of that: `['first', 1, '"text of the value"']`. */
export function firstOrSecondCodec<T, U>(
  first: CodecOf<T> | undefined,
  second: CodecOf<U> | undefined,
  where: ErrorDetails,
): Codec<FirstOrSecond<T, U>> {
  const ofFirst = stateCodec<T>(first ?? json<T>(), where)
  const ofSecond = stateCodec<U>(second ?? json<U>(), where)
  return {
    version: 1,
    encode: (record) =>
      record.from === 'first'
        ? [record.from, ofFirst.version, ofFirst.toText(record.value)]
        : [record.from, ofSecond.version, ofSecond.toText(record.value)],
    decode(stored) {
      const [from, version, text] = stored as ['first' | 'second', number, string]
      return from === 'first' ? { from, value: ofFirst.fromText(text, version) } : { from, value: ofSecond.fromText(text, version) }
    },
  }
}
