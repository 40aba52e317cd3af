import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ConfigurationError } from './errors.js'
import { kindOf } from './kindOf.js'

/**
 * Turns a state into plain data and back.
 *
 * **Laws** `round-trip` · `encode-purity` · `one-text` · `hostile-bytes`: `decode(encode(value))` equals `value`; both are synchronous, and neither
 * changes what it is given. With migrations: `old-values-decode` · `migrated-once` · `migration-purity` · `newer-is-refused`
 */
export interface Codec<S> {
  /** Counts the shapes that `encode` ever had, from 1; stored with every value. */
  readonly version: number
  encode(value: S): unknown
  decode(stored: unknown): S
}

/** Reads what older versions wrote: the step at `n` turns data of version `n` into data of version `n + 1`. */
export interface Migrations {
  readonly [from: number]: (stored: unknown) => unknown
}

/** A codec that also reads the versions before its own. */
export interface MigratingCodec<S> extends Codec<S> {
  readonly migrations: Migrations
}

/** Anything that says what a state looks like: an io-ts type, a Standard Schema (zod, valibot, arktype), or a codec. */
export type CodecOf<S> =
  | Codec<S>
  // biome-ignore lint/suspicious/noExplicitAny: with any other parameter type S would no longer be inferred from the io-ts type.
  | { readonly _A: S; readonly _O: unknown; readonly encode: (value: any) => unknown }
  // biome-ignore lint/suspicious/noExplicitAny: what a schema takes is asked in Restorable, where the message is readable.
  | StandardSchemaV1<any, S>

export type SchemaMustNotTransform = 'this schema cannot read back what it returned (a transform): use codec({ encode, decode })'

/** What was stored is the schema's output; on restore it is its input again. */
export type Restorable<C> = C extends StandardSchemaV1<infer I, infer O> ? ([O] extends [I] ? unknown : SchemaMustNotTransform) : unknown

/** What a codec is, asked at run time: JavaScript callers exist, and so do libraries that look alike. */
export type KnownCodec<S> =
  | { readonly kind: 'schema'; readonly schema: StandardSchemaV1<unknown, S> }
  | { readonly kind: 'ioTs'; readonly type: IoTsType<S> }
  | { readonly kind: 'codec'; readonly codec: Codec<S> }

/** As much of an io-ts type as is used here, so that two copies of io-ts can meet. */
export interface IoTsType<S> {
  readonly name: string
  encode(value: S): unknown
  decode(raw: unknown): { readonly _tag: 'Right'; readonly right: S } | { readonly _tag: 'Left'; readonly left: readonly IoTsError[] }
}
export interface IoTsError {
  readonly context: readonly { readonly key: string; readonly type: { readonly name: string } }[]
}

/** Throws a `ConfigurationError` `CODEC_INVALID` for what is none of them. */
export function knownCodec<S>(from: CodecOf<S>): KnownCodec<S> {
  const found = from as unknown
  if (hasMethods(found, [])) {
    // Asked first, because schemas of zod have `encode` and `decode` too.
    if (hasMethods(found['~standard'], ['validate'])) return { kind: 'schema', schema: from as StandardSchemaV1<unknown, S> }
    if (hasMethods(found, ['encode', 'decode', 'validate'])) return { kind: 'ioTs', type: from as unknown as IoTsType<S> }
    if (hasMethods(found, ['encode', 'decode'])) {
      const { version } = found
      if (!Number.isSafeInteger(version) || (version as number) < 1)
        throw new ConfigurationError('CODEC_INVALID', { found: `version of kind ${kindOf(version)}`, expected: 'version: a whole number from 1' })
      return { kind: 'codec', codec: from as Codec<S> }
    }
  }
  throw new ConfigurationError('CODEC_INVALID', { found: kindOf(found) })
}

/** Schemas of arktype are functions. */
function hasMethods(value: unknown, names: readonly string[]): value is { readonly [name: string]: unknown } {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return names.every((name) => typeof (value as { readonly [name: string]: unknown })[name] === 'function')
}
