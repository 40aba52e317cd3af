/**
 * Compresses and seals what a storage of rows keeps of a job: rows, what stands beside them, and the journal.
 *
 * **Invariants** The storage is never given a value or a key in the clear, once it is told to seal. What is sealed was sealed before a step of
 * the storage begins, and is opened when the step has ended: a step waits for nothing. Rows and publishes reach the storage in the order
 * in which they were asked for.
 */
import { either as E, option as O, taskEither as TE, type taskEither } from 'fp-ts'
import { type BackendError, invariant } from '../errors.js'
import type { CheckpointId, Epoch } from '../identity.js'
import { attempt } from '../keyValue/attempt.js'
import type { CheckpointSession, CheckpointWriter, StoredCheckpoint, WriterOptions } from '../ports/checkpointStorage.js'
import type { Journal } from '../ports/journal.js'
import { openedBody } from './bodyForm.js'
import { InOrder } from './inOrder.js'
import { packedForm, plainForm, type RowForm, sealedForm, secretBytes } from './rowForm.js'
import { sealedJournal } from './sealedJournal.js'
import { readSealedRows } from './sealedRows.js'
import { sealedWriter } from './sealedWriter.js'
import type { ValueCipher } from './valueCipher.js'

export interface SealingSettings {
  readonly job: string
  readonly cipher: ValueCipher
  /** Whether chunks that are read say which checkpoint wrote their rows: then that is bound to them, too. */
  readonly tellsWriters: boolean
  /** Lets others have their turn: sealing many rows takes its time. */
  breathe(): Promise<void>
}

interface Known {
  readonly stored: StoredCheckpoint
  readonly form: RowForm
}

const formOf = new WeakMap<CheckpointSession, () => RowForm>()

/** Whether whoever reads the rows of a session past it, once it has taken over, finds them as they are. */
export const keepsRowsAsTheyAre = (session: CheckpointSession): boolean => (formOf.get(session)?.() ?? plainForm).kind === 'plain'

/** What a session stores, sealed; where nothing is to be sealed, what is sealed is refused, and the rest is left as it is. */
export function sealedSession(inner: CheckpointSession, { job, cipher, tellsWriters, breathe }: SealingSettings): CheckpointSession {
  const known = new WeakMap<StoredCheckpoint, Known>()
  const publishes = new InOrder('goes on')
  let own: { readonly form: RowForm; readonly epoch: Epoch } | undefined

  const opened = async (stored: StoredCheckpoint): Promise<StoredCheckpoint> => {
    const { checkpointId, epoch } = stored
    const { form, body } = await openedBody(cipher, { job, checkpointId, epoch }, stored.body)
    const readRows: StoredCheckpoint['readRows'] =
      form.kind === 'plain'
        ? (visit, isUnwanted) => stored.readRows(visit, isUnwanted)
        : (visit, isUnwanted) => readSealedRows({ stored, form, cipher, job, breathe }, visit, isUnwanted)
    const result: StoredCheckpoint = { checkpointId, epoch, body, readRows }
    known.set(result, { stored, form })
    return result
  }
  const maybeOpened = (found: O.Option<StoredCheckpoint>): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> =>
    O.isNone(found) ? TE.right(found) : attempt(async () => O.some(await opened(found.value)))

  /** In what form a run goes on from there. */
  const formFrom = async (from: Known | undefined): Promise<RowForm> => {
    if (from !== undefined && from.form.kind !== 'plain') return from.form
    const { primitives } = cipher
    if (from === undefined && primitives !== undefined) return sealedForm(primitives, primitives.random(secretBytes))
    return cipher.packs ? packedForm : plainForm
  }

  const session: CheckpointSession = {
    latest: () => TE.chain(maybeOpened)(inner.latest()),
    takeOver: (from, above) => async () => {
      const found = O.isSome(from) ? known.get(from.value) : undefined
      invariant(O.isNone(from) || found !== undefined, 'a session takes over from what it read itself')
      const form = await formFrom(found)
      const taken = await inner.takeOver(found === undefined ? O.none : O.some(found.stored), above)()
      if (E.isRight(taken)) own = { form, epoch: taken.right }
      return taken
    },
    begin: (checkpointId: CheckpointId, options?: WriterOptions): CheckpointWriter => {
      const writer = inner.begin(checkpointId, options)
      if (own === undefined || own.form.kind === 'plain') return writer
      const { form, epoch } = own
      return sealedWriter({ inner: writer, cipher, form, job, checkpointId, epoch, tellsWriters, publishes, breathe })
    },
    retained: () => inner.retained(),
    hold: (id) => async () => {
      const held = await TE.chain(maybeOpened)(inner.hold(id))()
      if (E.isLeft(held)) inner.letGo(id)
      return held
    },
    letGo: (id) => inner.letGo(id),
    idle: () => inner.idle(),
    close: () => inner.close(),
  }
  const { journal, discard } = inner
  const whole: CheckpointSession = {
    ...session,
    ...(journal && { journal: () => TE.map((found: Journal) => sealedJournal(found, cipher, job))(journal.call(inner)) }),
    // Behind what is still being sealed: that was asked for before.
    ...(discard && { discard: () => () => publishes.next(Promise.resolve(), discard.call(inner)) }),
  }
  formOf.set(whole, () => own?.form ?? plainForm)
  return whole
}
