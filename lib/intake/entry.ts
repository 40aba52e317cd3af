/**
 * One entry of the intake of a pipeline: a value of one of its inputs, or the end of one.
 *
 * As text: `v <input> <version of the codec> <value as tagged JSON>`, or `e <input>`.
 */
import { BackendError, RestoreError } from '../errors.js'
import type { StateCodec } from '../stateCodec.js'

export type Entry =
  | { readonly kind: 'value'; readonly input: string; readonly value: unknown }
  /** The input has no more. */
  | { readonly kind: 'end'; readonly input: string }

export type CodecsOfInputs = ReadonlyMap<string, StateCodec<unknown>>

export const valueText = (input: string, value: unknown, codec: StateCodec<unknown>): string => `v ${input} ${codec.version} ${codec.toText(value)}`

export const endText = (input: string): string => `e ${input}`

const valueForm = /^v (\S+) (\d+) /
const endForm = /^e (\S+)$/

/** Reads an entry back. Throws a `RestoreError` for an input that the program does not have. */
export function readEntry(text: string, codecs: CodecsOfInputs): Entry {
  const value = valueForm.exec(text)
  const input = value?.[1] ?? endForm.exec(text)?.[1]
  if (input === undefined) throw new BackendError('SNAPSHOT_CORRUPT', { what: 'an entry of the journal', reason: 'it has another form' })
  const codec = codecs.get(input)
  if (codec === undefined) throw new RestoreError('STATE_UNCLAIMED', { uid: input, kind: 'input in the journal', inProgram: [...codecs.keys()] })
  if (value === null) return { kind: 'end', input }
  return { kind: 'value', input, value: codec.fromText(text.slice(value[0].length), Number(value[2])) }
}
