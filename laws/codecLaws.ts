import fc from 'fast-check'
import type { CodecOf } from '../lib/codec.js'
import { RxweirError } from '../lib/errors.js'
import { stateCodec } from '../lib/stateCodec.js'
import { type Law, law } from './law.js'
import { unpolluted } from './pollution.js'
import { sameShown, unchanged } from './shownAs.js'

export interface CodecUnderLaw<S> {
  /** As handed to a state: an io-ts type, a Standard Schema, `json()` or a codec. */
  readonly codec: CodecOf<S>
  readonly values: fc.Arbitrary<S>
}

/** Data that somebody else stored: names that are traps, tags, deep and wide. */
const hostile = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc
    .object({ key: fc.constantFrom('__proto__', 'constructor', 'prototype', 'toJSON', '$map', '$date', 'a'), maxDepth: 3 })
    .map((value) => JSON.stringify(value)),
  fc.string({ maxLength: 20 }),
)

/**
 * What everything that says what a state looks like promises.
 *
 * @example The laws of an io-ts type
 * ```ts
 * const laws = codecLaws({ codec: t.type({ name: t.string, count: t.number }), values: fc.record({ name: fc.string(), count: fc.double() }) })
 * for (const law of laws) await law.check()
 * laws.map(({ name }) => name) // => ['round-trip', 'encode-purity', 'one-text', 'hostile-bytes']
 * ```
 * @category laws
 * @since 0.2.0
 */
export function codecLaws<S>({ codec, values }: CodecUnderLaw<S>): readonly Law[] {
  const made = () => stateCodec<S>(codec)
  const about = (name: string, statement: string, check: (value: S) => void): Law =>
    law(name, statement, () => fc.asyncProperty(values, async (value) => check(value)))
  return [
    about('round-trip', 'what is read back equals what was stored, however often', (value) => {
      const { toText, fromText, version } = made()
      const once = fromText(toText(value), version)
      sameShown(once, value, 'what was read back')
      sameShown(fromText(toText(once), version), value, 'what was read back the second time')
    }),
    about('encode-purity', 'a value that is stored is not changed', (value) => {
      unchanged('encode', made().toText, value)
    }),
    about('one-text', 'a value has one text, so that a checkpoint of the same state is the same', (value) => {
      const { toText, fromText, version } = made()
      const text = toText(value)
      if (toText(value) !== text) throw new Error(`stored twice it is ${text} and ${toText(value)}`)
      const again = toText(fromText(text, version))
      if (again !== text) throw new Error(`read back and stored again it is ${again} instead of ${text}`)
    }),
    law('hostile-bytes', 'text that it did not write is refused with a code, or understood; it changes no prototype', () =>
      fc.asyncProperty(hostile, async (text) =>
        unpolluted(() => {
          const { fromText, version } = made()
          try {
            fromText(text, version)
          } catch (error) {
            if (!(error instanceof RxweirError)) throw new Error(`the text ${text} was refused with ${String(error)}`, { cause: error })
          }
        }),
      ),
    ),
  ]
}
