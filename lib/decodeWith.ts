import type { StandardSchemaV1 } from '@standard-schema/spec'
import { either as E } from 'fp-ts'
import type { CodecOf, IoTsError } from './codecOf.js'
import { knownCodec } from './codecOf.js'
import { ConfigurationError } from './errors.js'
import { kindOf } from './kindOf.js'

/** Problems that one reason names. */
const problemsMax = 3
/** Characters of one reason: names within data are data too. */
const reasonLengthMax = 400

/** Why data was refused: paths and expected types, never values. */
export interface Refusal {
  readonly reason: string
  readonly cause?: unknown
}

/**
 * Checks data from outside, such as the records of a source, and gives it its type; or a readable reason without the data.
 *
 * Throws a `ConfigurationError` for what is no codec, and for a schema that validates asynchronously.
 */
export function decodeWith<T>(from: CodecOf<T>): (raw: unknown) => E.Either<string, T> {
  const decode = decoderOf(from)
  return (raw) => {
    const decoded = decode(raw)
    return E.isRight(decoded) ? decoded : E.left(decoded.left.reason)
  }
}

/** The same with the error that a codec threw. */
export function decoderOf<T>(from: CodecOf<T>): (raw: unknown) => E.Either<Refusal, T> {
  const known = knownCodec(from)
  switch (known.kind) {
    case 'schema':
      probe(known.schema)
      return (raw) => validated(known.schema, raw)
    case 'ioTs':
      return attempt((raw) => {
        const decoded = known.type.decode(raw)
        return decoded._tag === 'Right' ? decoded : E.left({ reason: reasonOf(decoded.left.map(ioTsProblem), decoded.left.length) })
      })
    case 'codec':
      return attempt((raw) => E.right(known.codec.decode(raw)))
  }
}

/** Asks a schema. Throws a `ConfigurationError` `CODEC_ASYNCHRONOUS` when it answers with a promise. */
export function validated<T>(schema: StandardSchemaV1<unknown, T>, raw: unknown): E.Either<Refusal, T> {
  return attempt((value) => {
    const result = schema['~standard'].validate(value)
    if (isPromise(result)) throw asynchronous(schema, result)
    if (result.issues === undefined) return E.right(result.value)
    return E.left({ reason: reasonOf(result.issues.slice(0, problemsMax).map(schemaProblem), result.issues.length) })
  })(raw)
}

/** Finds out when a codec is made, and not at the first restore, that a schema is asynchronous; where `undefined` tells. */
function probe(schema: StandardSchemaV1): void {
  const answer = attempt(() => E.right(schema['~standard'].validate(undefined)))(undefined)
  // A transform that throws on `undefined` tells nothing.
  if (E.isRight(answer) && isPromise(answer.right)) throw asynchronous(schema, answer.right)
}

function asynchronous(schema: StandardSchemaV1<unknown, unknown>, pending: Promise<unknown>): ConfigurationError {
  // Nobody waits for the answer, so its failure must not count as unhandled.
  pending.then(undefined, () => undefined)
  return new ConfigurationError('CODEC_ASYNCHRONOUS', { vendor: schema['~standard'].vendor })
}

const isPromise = (value: unknown): value is Promise<unknown> => typeof (value as { then?: unknown } | null | undefined)?.then === 'function'

/** What a codec of the user throws is its way to refuse; what we throw about the codec itself passes. */
const attempt =
  <T>(decode: (raw: unknown) => E.Either<Refusal, T>) =>
  (raw: unknown): E.Either<Refusal, T> => {
    try {
      return decode(raw)
    } catch (cause) {
      if (cause instanceof ConfigurationError) throw cause
      return E.left({ reason: `decoding threw ${cause instanceof Error ? cause.name : kindOf(cause)}`, cause })
    }
  }

function reasonOf(problems: readonly string[], count: number): string {
  const shown = problems.slice(0, problemsMax).join('; ')
  const text = count > problemsMax ? `${shown}; and ${count - problemsMax} more` : shown
  return text.length > reasonLengthMax ? `${text.slice(0, reasonLengthMax)}…` : text
}

const at = (path: readonly string[]): string => (path.length === 0 ? 'value' : path.join('.'))

function ioTsProblem({ context }: IoTsError): string {
  const path = context.map((entry) => entry.key).filter((key) => key !== '')
  return `${at(path)}: expected ${context[context.length - 1]?.type.name ?? 'another value'}`
}

/** Messages of schemas quote values (valibot's do), so the parts that say what was expected are used instead. */
function schemaProblem(issue: StandardSchemaV1.Issue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step))
  const { expected, format, code, type } = issue as unknown as { readonly [part: string]: unknown }
  const wanted = [expected, format, code, type].find((part) => typeof part === 'string')
  return `${at(path)}: expected ${wanted ?? 'what the schema accepts'}`
}
