/**
 * What a checkpoint says beside its rows: where the sources stood, what operators keep apart from rows, and every transaction
 * that is not yet known to be committed. It is read back as untrusted input.
 */
import { either } from 'fp-ts'
import * as t from 'io-ts'
import { BackendError } from './errors.js'
import type { JobInstance } from './instanceShare.js'
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

const Body = t.intersection([
  t.type({
    format: t.union([t.literal(1), t.literal(format)]),
    maxParallelism: t.number,
    sources: t.record(t.string, t.type({ offset: json, finished: t.boolean })),
    operators: t.record(t.string, t.type({ derived: t.boolean, meta: json })),
    sinks: t.record(t.string, t.array(PendingTransaction)),
  }),
  t.partial({
    /** Of several instances of the job, the one that this belongs to. */
    instance: t.type({ index: t.number, of: t.number }),
    /** The checkpoint at whose cut this one stands, although it has a number of its own. */
    cut: t.number,
    /** What was asked for once, at a start that led here, and is not to be done again. */
    restored: t.partial({ checkpoint: t.number, without: t.array(t.string) }),
  }),
])

export type PendingTransaction = t.TypeOf<typeof PendingTransaction>
export type CheckpointBody = t.TypeOf<typeof Body>

/** A job that does not say runs in one instance. */
export const instanceOf = ({ instance }: CheckpointBody): JobInstance => instance ?? { index: 0, of: 1 }

/** A record of names that a hostile or an unlucky name (`__proto__`) cannot damage. */
export const byName = <A>(entries: Iterable<readonly [string, A]>): { [name: string]: A } =>
  Object.assign(Object.create(null) as { [name: string]: A }, Object.fromEntries(entries))

/** What is in it has been committed: nobody has to do it again. */
export const withoutTransactions = (body: CheckpointBody): Json =>
  bodyToStore({ ...body, sinks: byName(Object.keys(body.sinks).map((uid) => [uid, []] as const)) })

/** A body that was read, and changed, to be stored again. */
export const bodyToStore = (body: CheckpointBody): Json => body as unknown as Json

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
