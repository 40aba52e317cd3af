import { either as E } from 'fp-ts'
import type { Codec, CodecOf, MigratingCodec, Migrations } from './codecOf.js'
import { knownCodec } from './codecOf.js'
import { decoderOf, type Refusal, validated } from './decodeWith.js'
import { ConfigurationError, type ErrorDetails, RestoreError, StreamError } from './errors.js'
import { decodeTagged, encodeTagged } from './taggedJson.js'

/** The one shape that the rest of the core knows: a value to text, and text of some version to a value. */
export interface StateCodec<S> {
  readonly version: number
  /** Throws a `StreamError` `VALUE_NOT_ENCODABLE`, or what the encoder of the user throws. */
  toText(value: S): string
  /** Throws a `BackendError` `SNAPSHOT_CORRUPT`, or a `RestoreError` `STATE_VERSION_UNSUPPORTED` or `CODEC_MISMATCH`. */
  fromText(text: string, version: number): S
}

/** The version of types and schemas: they have none of their own, and a codec that replaces one starts at 2. */
const schemaVersion = 1

/**
 * Makes the one shape of whatever says what a state looks like.
 *
 * @param where - named by every error, such as the uid and the name of the state
 */
export function stateCodec<S>(from: CodecOf<S>, where: ErrorDetails = {}): StateCodec<S> {
  const codec = migratingCodec(from, where)
  const decode = decoderOf(from)
  const first = firstVersion(codec)
  const mismatch = (version: number, { reason, cause }: Refusal): RestoreError =>
    new RestoreError('CODEC_MISMATCH', { ...where, version, reason }, cause === undefined ? {} : { cause })

  const migrated = (stored: unknown, version: number): unknown => {
    let current = stored
    for (let step = version; step < codec.version; step += 1) {
      try {
        current = codec.migrations[step]!(current)
      } catch (cause) {
        throw mismatch(version, { reason: `the migration from version ${step} threw`, cause })
      }
    }
    return current
  }

  return {
    version: codec.version,
    toText: (value) => encodeTagged(codec.encode(value), where),
    fromText(text, version) {
      if (!Number.isInteger(version) || version < first || version > codec.version) {
        const supported = Array.from({ length: codec.version - first + 1 }, (_, index) => first + index)
        throw new RestoreError('STATE_VERSION_UNSUPPORTED', { ...where, found: version, supported })
      }
      const stored = decodeTagged(text)
      const decoded = decode(version === codec.version ? stored : migrated(stored, version))
      if (E.isLeft(decoded)) throw mismatch(version, decoded.left)
      return decoded.right
    },
  }
}

type Encoder<S> = Pick<MigratingCodec<S>, 'version' | 'encode' | 'migrations'>

function migratingCodec<S>(from: CodecOf<S>, where: ErrorDetails): Encoder<S> {
  const known = knownCodec(from)
  switch (known.kind) {
    case 'ioTs':
      return { version: schemaVersion, encode: (value) => known.type.encode(value), migrations: {} }
    case 'codec':
      return { version: known.codec.version, encode: (value) => known.codec.encode(value), migrations: migrationsOf(known.codec) }
    case 'schema': {
      // One look at the first value tells, before anything is stored, a schema that cannot read what it returned.
      let proven = false
      const encode = (value: S): unknown => {
        if (proven) return value
        const again = validated(known.schema, value)
        if (E.isLeft(again)) throw new StreamError('VALUE_NOT_ENCODABLE', { ...where, reason: `the schema refuses it, ${again.left.reason}` })
        proven = true
        return value
      }
      return { version: schemaVersion, encode, migrations: {} }
    }
  }
}

const migrationsOf = <S>(codec: Codec<S>): Migrations => (codec as Partial<MigratingCodec<S>>).migrations ?? {}

/** The oldest version that can be read. A migration that no stored version would ever reach is a mistake of the caller. */
function firstVersion({ version, migrations }: { readonly version: number; readonly migrations: Migrations }): number {
  let first = version
  while (typeof migrations[first - 1] === 'function') first -= 1
  for (const name of Object.keys(migrations)) {
    if (first < 1 || !/^[1-9][0-9]*$/.test(name) || Number(name) < first || Number(name) >= version)
      throw new ConfigurationError('CODEC_INVALID', {
        found: `a migration from version ${name}`,
        expected: `one migration from each version up to ${version}, without gaps`,
      })
  }
  return first
}
