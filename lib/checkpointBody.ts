/**
 * What a checkpoint says beside its rows: where the sources stood, what operators keep apart from rows, and every transaction
 * that is not yet known to be committed. It is read back as untrusted input.
 */
import { either } from 'fp-ts'
import * as t from 'io-ts'
import { BackendError } from './errors.js'
import type { Json } from './json.js'

/** Format 2: some operator has records in flight, which a reader of format 1 would lose. */
const format = 2

const json = new t.Type<Json, Json, unknown>(
  'Json',
  (value): value is Json => value !== undefined,
  (value, context) => (value === undefined ? t.failure(value, context) : t.success(value as Json)),
  t.identity,
)

const PendingTransaction = t.type({ checkpointId: t.number, epoch: t.number, handle: json })

const Body = t.type({
  format: t.union([t.literal(1), t.literal(format)]),
  maxParallelism: t.number,
  sources: t.record(t.string, t.type({ offset: json, finished: t.boolean })),
  operators: t.record(t.string, t.type({ derived: t.boolean, meta: json })),
  sinks: t.record(t.string, t.array(PendingTransaction)),
})

export type PendingTransaction = t.TypeOf<typeof PendingTransaction>
export type CheckpointBody = t.TypeOf<typeof Body>

/** A record of names that a hostile or an unlucky name (`__proto__`) cannot damage. */
export const byName = <A>(entries: Iterable<readonly [string, A]>): { [name: string]: A } =>
  Object.assign(Object.create(null) as { [name: string]: A }, Object.fromEntries(entries))

export const bodyOf = (parts: Omit<CheckpointBody, 'format'>, { inFlight = false }: { readonly inFlight?: boolean } = {}): Json =>
  ({ format: inFlight ? format : 1, ...parts }) as unknown as Json

export function readBody(stored: Json): CheckpointBody {
  const found = (stored as { format?: unknown } | null)?.format
  if (typeof found === 'number' && found > format) throw new BackendError('FORMAT_NEWER', { what: 'checkpoint', found, supported: format })
  const decoded = Body.decode(stored)
  if (either.isLeft(decoded))
    throw new BackendError('SNAPSHOT_CORRUPT', {
      what: 'the body of the checkpoint',
      reason: decoded.left.map(({ context }) => context.map(({ key }) => key).join('.')).slice(0, 3),
    })
  const { sources, operators, sinks } = decoded.right
  return {
    ...decoded.right,
    sources: byName(Object.entries(sources)),
    operators: byName(Object.entries(operators)),
    sinks: byName(Object.entries(sinks)),
  }
}
