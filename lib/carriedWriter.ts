/**
 * Writes the transactions of a carried sink for one run.
 *
 * **Invariants** A record is told of when its checkpoint is complete, not before, and in the order of `write`. What the target has
 * confirmed is not told again in this run. The key of a record depends on its transaction and its place in it alone. At most
 * `recordsMax` records, and what arrives while the sources pause, are neither delivered nor in nobody's hands: each is in the
 * current transaction or in a handle, which every checkpoint carries until its commit is confirmed.
 *
 * **Fault model** A delivery may fail, succeed without an answer, or never answer; the process may die between any two steps. The
 * target may forget everything.
 */
import { option as O, type option, taskEither as TE, type task, type taskEither } from 'fp-ts'
import { type CarriedTransaction, carriedHandle, carriedTransaction, isLater } from './carriedHandle.js'
import type { CarriedForm, CarriedSinkOptions } from './carriedOptions.js'
import type { Cancel } from './clock.js'
import type { Delivery, DeliveryTarget } from './delivery.js'
import { InvariantViolation, invariant, SinkError } from './errors.js'
import { type CheckpointId, checkpointId, epoch } from './identity.js'
import type { CommittedUpTo, SinkContext, SinkWriter, TransactionHandle } from './ports/transactionalSink.js'
import { sinkFailure } from './sinkFailure.js'

export interface Carrying<T, D> {
  readonly prefix: string
  readonly recordsMax: number
  readonly charactersMax: number
  readonly committedUpTo: CarriedSinkOptions['committedUpTo'] | undefined
  readonly form: CarriedForm<T, D>
}

/** A transaction of this run that is not delivered. */
interface Carried {
  readonly id: CheckpointId
  readonly records: number
  readonly characters: number
  /** Its checkpoint is complete. */
  decided: boolean
}

/** A checkpoint that was asked for may fail, so it is asked for again. */
const askAgainMs = 1_000

export class CarriedWriter<T, D> implements SinkWriter<T> {
  #texts: string[] = []
  #characters = 0
  /** In the order of their checkpoints. */
  readonly #carried: Carried[] = []
  #carriedRecords = 0
  #carriedCharacters = 0
  #newest: CommittedUpTo | undefined
  /** How much of the transaction under way the target has confirmed. */
  #underWay: { readonly transaction: CommittedUpTo; confirmed: number } | undefined
  #working: Promise<unknown> = Promise.resolve()
  #waiters: (() => void)[] = []
  #again: Cancel | undefined
  readonly #closing = new AbortController()

  constructor(
    private readonly carrying: Carrying<T, D>,
    private readonly context: SinkContext,
    private readonly target: DeliveryTarget<D>,
  ) {}

  committedUpTo(): taskEither.TaskEither<SinkError, option.Option<CommittedUpTo>> {
    return this.#task(async () => {
      const found: unknown = await this.carrying.committedUpTo?.()
      if (found === undefined) return O.none
      const known = found as { readonly epoch: number; readonly checkpointId: number } | null
      if (!(Number.isSafeInteger(known?.epoch) && Number.isSafeInteger(known?.checkpointId)))
        throw new SinkError('SINK_IO', { uid: this.context.uid, reason: 'committedUpTo answered something else than epoch and checkpointId' })
      return O.some({ epoch: epoch(known!.epoch), checkpointId: checkpointId(known!.checkpointId) })
    })
  }

  /** There is nothing to remove: a transaction that no checkpoint names is nowhere. */
  abortOthers(): taskEither.TaskEither<SinkError, void> {
    return this.#task(async () => undefined)
  }

  write(value: T): void {
    if (this.#closing.signal.aborted) throw this.#afterClose()
    const text = this.carrying.form.toText(value)
    this.#texts.push(text)
    this.#characters += text.length
    if (this.#again === undefined && this.full()) this.#ask()
  }

  full(): boolean {
    const { recordsMax, charactersMax } = this.carrying
    return this.#carriedRecords + this.#texts.length >= recordsMax || this.#carriedCharacters + this.#characters >= charactersMax
  }

  drained(): Promise<void> {
    if (!this.full() || this.#closing.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  preCommit(id: CheckpointId): taskEither.TaskEither<SinkError, option.Option<TransactionHandle>> {
    const texts = this.#texts
    const characters = this.#characters
    if (texts.length === 0) return this.#task(async () => O.none)
    this.#texts = []
    this.#characters = 0
    this.#carried.push({ id, records: texts.length, characters, decided: false })
    this.#carriedRecords += texts.length
    this.#carriedCharacters += characters
    const handle = carriedHandle({ epoch: this.context.epoch, checkpointId: id, version: this.carrying.form.version, texts })
    return this.#task(async () => O.some(handle))
  }

  commit(handle: TransactionHandle): taskEither.TaskEither<SinkError, void> {
    return this.#task(() => {
      const result = this.#working.then(() => this.#deliver(carriedTransaction(handle, { uid: this.context.uid })))
      this.#working = result.catch(() => undefined)
      return result
    })
  }

  close(): task.Task<void> {
    return async () => {
      if (this.#closing.signal.aborted) return
      this.#closing.abort()
      this.#again?.()
      this.#relieve()
      await this.#working
      // What it still had is in a checkpoint; how its end went changes nothing.
      await this.target.close?.().catch((error: unknown) => {
        if (error instanceof InvariantViolation) throw error
      })
    }
  }

  async #deliver(transaction: CarriedTransaction): Promise<void> {
    if (this.#newest !== undefined && !isLater(transaction, this.#newest)) return
    const { epoch, checkpointId, version, texts } = transaction
    const own = epoch === this.context.epoch ? this.#carried.find(({ id }) => id === checkpointId) : undefined
    if (own !== undefined) own.decided = true
    if (this.#underWay === undefined || isLater(transaction, this.#underWay.transaction))
      this.#underWay = { transaction: { epoch, checkpointId }, confirmed: 0 }
    const underWay = this.#underWay
    const first = underWay.confirmed
    const { form, prefix } = this.carrying
    const deliveries = texts.slice(first).map((text, place): Delivery<D> => {
      const index = first + place
      return { value: form.fromText(text, version), key: `${prefix}/${epoch}-${checkpointId}/${index}`, epoch, checkpointId, index }
    })
    let listening = true
    // What an attempt that was given up confirms later is delivered again: the next one has begun without it.
    const confirmed = (count: number): void => {
      if (!listening) return
      invariant(count <= deliveries.length, 'a target confirms what it was given')
      underWay.confirmed = Math.max(underWay.confirmed, first + count)
    }
    try {
      await this.target.deliver(deliveries, confirmed, this.#closing.signal)
    } finally {
      listening = false
    }
    this.#underWay = undefined
    this.#newest = { epoch, checkpointId }
    if (own !== undefined) this.#delivered(own)
  }

  #delivered(own: Carried): void {
    this.#carried.splice(this.#carried.indexOf(own), 1)
    this.#carriedRecords -= own.records
    this.#carriedCharacters -= own.characters
    if (this.full()) return this.#ask()
    this.#again?.()
    this.#again = undefined
    this.#relieve()
  }

  /** What waits for a checkpoint would wait as long as its interval, or for ever where there is none. */
  #ask(): void {
    const { clock, askCheckpoint } = this.context
    this.#again?.()
    this.#again = undefined
    if (askCheckpoint === undefined || this.#closing.signal.aborted || !this.full()) return
    if (this.#texts.length > 0 || this.#carried.some(({ decided }) => !decided)) askCheckpoint()
    this.#again = clock.callAt(clock.nowMs() + askAgainMs, () => this.#ask())
  }

  #relieve(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }

  #task<A>(work: () => Promise<A>): taskEither.TaskEither<SinkError, A> {
    return TE.tryCatch(
      async () => {
        if (this.#closing.signal.aborted) throw this.#afterClose()
        return work()
      },
      (cause) => sinkFailure(cause, this.context.uid),
    )
  }

  #afterClose(): SinkError {
    return new SinkError('SINK_IO', { uid: this.context.uid, reason: 'the writer was closed' })
  }
}
