import { type Codec, knownCodec, type MigratingCodec, type Migrations } from './codecOf.js'

export type { Codec, CodecOf, MigratingCodec, Migrations, Restorable, SchemaMustNotTransform } from './codecOf.js'
export { decodeWith } from './decodeWith.js'
export { type StateCodec, stateCodec } from './stateCodec.js'

const asItIs: Codec<unknown> = { version: 1, encode: (value) => value, decode: (stored) => stored }

/**
 * Names the type of a state that is stored as it is.
 *
 * Nothing is checked when it is read back; a schema or an io-ts type does that.
 *
 * **When to use** for plain data: objects, arrays, Map, Set, Date, bigint, bytes, `undefined`, `NaN`.
 *
 * @example Storing a state as it is
 * ```ts
 * json<{ readonly count: number }>().decode({ count: 1 }) // => { count: 1 }
 * ```
 * @category keyed state
 * @since 0.1.0
 */
export const json = <S>(): Codec<S> => asItIs as Codec<S>

/** What {@link codec} is made of. */
export interface CodecOptions<S> {
  /** Counts the shapes that `encode` ever had, from 1 (the default). */
  readonly version?: number
  /** Plain data, of which the state can be made again. */
  encode(value: S): unknown
  /** The way back. Throws for data that it does not understand. */
  decode(stored: unknown): S
  /** How to read older versions; without gaps up to `version`. */
  readonly migrations?: Migrations
}

/**
 * Stores a state as plain data of your choice.
 *
 * **When to use** for class instances, for states whose shape changed, and where the stored form should be smaller.
 *
 * @throws ConfigurationError `CODEC_INVALID` when a part is missing
 * @example Reading what an older release stored
 * ```ts
 * const total = codec({
 *   version: 2,
 *   encode: (cents: bigint) => cents,
 *   decode: (stored) => BigInt(stored as bigint),
 *   migrations: { 1: (euros) => BigInt(euros as number) * 100n },
 * })
 * total.version // => 2
 * ```
 * @category keyed state
 * @since 0.1.0
 */
export function codec<S>({ version = 1, encode, decode, migrations = {} }: CodecOptions<S>): MigratingCodec<S> {
  const made: MigratingCodec<S> = { version, encode, decode, migrations }
  knownCodec(made)
  return made
}
