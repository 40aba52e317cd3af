import fc from 'fast-check'
import type { Codec, MigratingCodec } from '../lib/codecOf.js'
import { hasCode } from '../lib/errors.js'
import { stateCodec } from '../lib/stateCodec.js'
import { encodeTagged } from '../lib/taggedJson.js'
import { elsewhere } from './elsewhere.js'
import { type Law, law } from './law.js'
import { sameShown, unchanged } from './shownAs.js'

/** What one older version stored. */
export interface OldVersion<S> {
  /** Data as its `encode` left it. */
  readonly stored: fc.Arbitrary<unknown>
  /** What it means now, where one can say so. */
  means?(stored: unknown): S
}

export interface MigrationUnderLaw<S> {
  readonly codec: Codec<S> | MigratingCodec<S>
  /** What each version before the present one stored. */
  readonly olds: { readonly [version: number]: OldVersion<S> }
  readonly values: fc.Arbitrary<S>
}

/**
 * What every codec promises whose stored shape has changed.
 *
 * @example Euros that became cents
 * ```ts
 * const total = codec({
 *   version: 2,
 *   encode: (cents: number) => ({ cents }),
 *   decode: (stored) => (stored as { cents: number }).cents,
 *   migrations: { 1: (euros) => ({ cents: Math.round((euros as number) * 100) }) },
 * })
 * const laws = migrationLaws({ codec: total, values: fc.nat(), olds: { 1: { stored: fc.nat(), means: (euros: number) => euros * 100 } } })
 * for (const law of laws) await law.check()
 * laws.map(({ name }) => name) // => ['old-values-decode', 'migrated-once', 'migration-purity', 'newer-is-refused']
 * ```
 * @category laws
 * @since 0.2.0
 */
export function migrationLaws<S>({ codec, olds, values }: MigrationUnderLaw<S>): readonly Law[] {
  const { version, toText, fromText } = stateCodec<S>(codec)
  const versions = Object.entries(olds) as unknown as (readonly [string, OldVersion<S>])[]
  if (versions.length === 0) throw new RangeError('migrationLaws needs to know what an older version stored: olds is empty')
  const old = fc.oneof(
    ...versions.map(([from, { stored, means }]) =>
      stored.map((data) => ({ from: Number(from), data, means: means as ((data: unknown) => S) | undefined })),
    ),
  )
  const about = (
    name: string,
    statement: string,
    check: (case_: { from: number; data: unknown; means: ((data: unknown) => S) | undefined }) => void,
  ): Law => law(name, statement, () => fc.asyncProperty(old, async (drawn) => check(drawn)))
  return [
    about('old-values-decode', 'what an older version stored is read, and means what it meant', ({ from, data, means }) => {
      const untried = missing(
        version,
        codec,
        versions.map(([each]) => Number(each)),
      )
      if (untried !== undefined) throw new Error(`nothing says what version ${untried} stored: add it to olds`)
      const read = fromText(encodeTagged(data), from)
      if (means !== undefined) sameShown(read, means(data), `what version ${from} stored`)
    }),
    about('migrated-once', 'stored again as what it is now, it reads the same and is not migrated twice', ({ from, data }) => {
      const read = fromText(encodeTagged(data), from)
      sameShown(fromText(toText(read), version), read, `what version ${from} stored, read and stored again`)
    }),
    about('migration-purity', 'migrations change nothing that they are given, and answer the same each time', ({ from, data }) => {
      const text = encodeTagged(data)
      const other = elsewhere(() => fromText(text, from))
      sameShown(other, fromText(text, from), `what version ${from} stored, read at another time`)
      const step = (codec as Partial<MigratingCodec<S>>).migrations?.[from]
      if (step !== undefined) unchanged(`the migration from version ${from}`, step, data)
    }),
    law('newer-is-refused', 'what a newer version stored, and one that nobody reads any more, is refused by its number', () =>
      fc.asyncProperty(values, fc.integer({ min: 1, max: 9 }), async (value, ahead) => {
        for (const other of [version + ahead, 1 - ahead, version + 0.5])
          try {
            fromText(toText(value), other)
            throw new Error(`version ${other} was read by version ${version}`)
          } catch (error) {
            if (!hasCode(error, 'STATE_VERSION_UNSUPPORTED')) throw error
          }
      }),
    ),
  ]
}

/** A version that the codec reads and of which nobody says what it stored. */
function missing<S>(version: number, codec: Codec<S>, known: readonly number[]): number | undefined {
  const migrations = (codec as Partial<MigratingCodec<S>>).migrations ?? {}
  for (let each = version - 1; each >= 1 && typeof migrations[each] === 'function'; each -= 1) if (!known.includes(each)) return each
  return undefined
}
