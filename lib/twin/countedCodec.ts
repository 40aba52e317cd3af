import type { StateCodec } from '../codec.js'
import { joinTexts, splitTexts } from './textParts.js'

/** A value with how many came before the next: RxJS's functions are told the index. */
export interface Counted<S> {
  readonly index: number
  readonly value: S
}

export const countedCodec = <S>(inner: StateCodec<S>): StateCodec<Counted<S>> => ({
  version: inner.version,
  toText: ({ index, value }) => joinTexts([`${index}`, inner.toText(value)]),
  fromText(text, version) {
    const [index = '', value = ''] = splitTexts(text)
    return { index: Number(index), value: inner.fromText(value, version) }
  },
})
