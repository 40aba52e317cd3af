/**
 * Checkpoints in memory: the plain reference that every other storage is compared with.
 *
 * **Invariants** What was published is never changed: a checkpoint is a list of layers, and a publish makes a new list. Slots and
 * epochs follow the same rules as on disk, so that a writer that was taken over from is fenced.
 */
import { either as E, option as O, type task, type taskEither } from 'fp-ts'
import { type Clock, systemClock } from '../../lib/clock.js'
import { BackendError, ConfigurationError, invariant } from '../../lib/errors.js'
import { type CheckpointId, type Epoch, epoch, type JobName } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import type { CheckpointSession, CheckpointStorage, CheckpointWriter, StoredCheckpoint, WriterOptions } from '../../lib/ports/checkpointStorage.js'
import type { Journal } from '../../lib/ports/journal.js'
import { WriterLine } from '../../lib/writerLine.js'
import { MemoryLog, memoryJournal } from './memoryJournal.js'
import { addChunk, chunksOf, type Layer, merged, type OpenLayer } from './memoryLayers.js'

export interface MemoryOptions {
  /** How many of the newest complete checkpoints stay restorable: 1 to 1,000; 2 unless told. */
  readonly retainedCheckpoints?: number
  /** What holds the checkpoints. Two storages over one store behave as two processes over one directory. */
  readonly store?: MemoryStore
  /** Lets others have their turn while much is joined. Default: the machine's. */
  readonly clock?: Clock
}

interface Kept {
  readonly checkpointId: CheckpointId
  readonly epoch: Epoch
  readonly body: string
  readonly layers: readonly Layer[]
}

interface Slot {
  readonly seq: number
  readonly epoch: Epoch
  readonly retained: readonly Kept[]
}

/** The checkpoints of all jobs, as long as this object lives. */
export class MemoryStore {
  /** The newest slot of each job. */
  readonly newest = new Map<JobName, Slot>()
  readonly journals = new Map<JobName, MemoryLog>()
}

const start: Slot = { seq: 0, epoch: epoch(0), retained: [] }

/**
 * Keeps checkpoints in the memory of this process.
 *
 * They survive a restart of the job within the process, and nothing else.
 *
 * **When to use** in tests, and where a restart after an error is all that is asked for.
 * **Laws** read-your-snapshot · snapshot-isolation · monotone-completion · fencing
 *
 * @category backends
 * @since 0.1.0
 */
export function memory(options: MemoryOptions = {}): CheckpointStorage {
  const { retainedCheckpoints = 2, store = new MemoryStore(), clock = systemClock } = options
  if (!Number.isInteger(retainedCheckpoints) || retainedCheckpoints < 1 || retainedCheckpoints > 1_000)
    throw new ConfigurationError('OPTION_INVALID', { option: 'retainedCheckpoints', found: retainedCheckpoints, least: 1, most: 1_000 })
  const open = new Set<JobName>()
  return {
    manifest: {
      name: 'memory',
      durable: false,
      incremental: true,
      fencesProcesses: false,
      leavesOutExpired: true,
      journals: true,
      discards: true,
      concurrentWriters: true,
    },
    open:
      (job, { readOnly = false } = {}) =>
      async () => {
        if (readOnly) return E.right(new MemorySession(store, job, { retainedCheckpoints, clock, readOnly }, () => {}))
        if (open.has(job)) return E.left(new BackendError('BACKEND_IN_USE', { job }))
        open.add(job)
        return E.right(new MemorySession(store, job, { retainedCheckpoints, clock, readOnly }, () => open.delete(job)))
      },
  }
}

class MemorySession implements CheckpointSession {
  private closed = false
  private readonly line = new WriterLine()
  private own: Slot | undefined
  private lastRead: Slot | undefined
  private discarded = false
  private readonly readAt = new WeakMap<StoredCheckpoint, Slot>()

  constructor(
    private readonly store: MemoryStore,
    private readonly job: JobName,
    private readonly options: { readonly retainedCheckpoints: number; readonly clock: Clock; readonly readOnly: boolean },
    private readonly release: () => void,
  ) {}

  latest(): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    return this.task(() => {
      const slot = this.newest()
      this.lastRead = slot
      const kept = slot.retained.at(-1)
      if (kept === undefined) return O.none
      const stored = this.storedOf(kept)
      this.readAt.set(stored, slot)
      return O.some(stored)
    })
  }

  hold(id: CheckpointId): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    return this.task(() => {
      const kept = (this.own ?? this.newest()).retained.find(({ checkpointId }) => checkpointId === id)
      return kept === undefined ? O.none : O.some(this.storedOf(kept))
    })
  }

  /** Layers stay as long as somebody has them. */
  letGo(): void {}

  private storedOf(kept: Kept): StoredCheckpoint {
    return {
      checkpointId: kept.checkpointId,
      epoch: kept.epoch,
      body: JSON.parse(kept.body) as Json,
      readRows: (visit) =>
        this.task(async () => {
          for (const layer of kept.layers) for (const chunk of chunksOf(layer)) await visit(chunk)
        }),
    }
  }

  takeOver(from: O.Option<StoredCheckpoint>, above?: Epoch): taskEither.TaskEither<BackendError, Epoch> {
    return this.task(() => {
      invariant(this.own === undefined, 'a session takes over once')
      if (this.options.readOnly) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session only reads' })
      const slot = O.isSome(from) ? this.readAt.get(from.value) : this.lastRead
      invariant(slot !== undefined, 'a session takes over from what it read itself')
      const next = epoch(Math.max(slot.epoch, above ?? 0) + 1)
      this.claim({ seq: slot.seq + 1, epoch: next, retained: O.isSome(from) ? this.keptOf(slot.retained) : [] })
      return next
    })
  }

  begin(id: CheckpointId, { whole = false }: WriterOptions = {}): CheckpointWriter {
    invariant(id > this.lastPublished(), 'checkpoint ids increase')
    const layer: OpenLayer = new Map()
    let ended = false
    const going = (): void => {
      if (ended) throw new BackendError('BACKEND_NOT_OPEN', { checkpointId: id, reason: 'the checkpoint was published or given up' })
      this.requireWritable()
    }
    const writer: CheckpointWriter = {
      write: (chunk) =>
        this.task(() => {
          going()
          addChunk(layer, chunk)
        }),
      publish: (body, expired) =>
        this.task(async () => {
          going()
          ended = true
          invariant(id > this.lastPublished(), 'checkpoint ids increase')
          const own = this.requireWritable()
          const before = whole ? [] : (own.retained.at(-1)?.layers ?? [])
          const layers = await merged([...before, ...(layer.size === 0 ? [] : [layer])], () => this.options.clock.yield(), expired)
          this.requireOpen()
          this.requireWritable()
          const kept: Kept = { checkpointId: id, epoch: own.epoch, body: JSON.stringify(body), layers }
          this.claim({ seq: own.seq + 1, epoch: own.epoch, retained: this.keptOf([...own.retained, kept]) })
        }),
      abort: () => async () => {
        // What is being published is not given up any more.
        if (!ended) layer.clear()
        ended = true
      },
    }
    return this.line.add(id, writer, { whole })
  }

  journal(): taskEither.TaskEither<BackendError, Journal> {
    return this.task(() => {
      if (this.own === undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has not taken over' })
      const log = this.store.journals.get(this.job) ?? new MemoryLog()
      this.store.journals.set(this.job, log)
      return memoryJournal(log, () => {
        this.requireOpen()
        if (this.newest().epoch !== this.own?.epoch) throw new BackendError('BACKEND_FENCED', { job: this.job, fatal: true })
      })
    })
  }

  retained(): readonly CheckpointId[] {
    return (this.own ?? this.lastRead ?? start).retained.map((kept) => kept.checkpointId)
  }

  idle(): task.Task<void> {
    return async () => undefined
  }

  close(): task.Task<void> {
    return async () => {
      if (this.closed) return
      this.closed = true
      this.release()
    }
  }

  discard(): taskEither.TaskEither<BackendError, void> {
    return this.task(() => {
      const own = this.requireWritable()
      this.discarded = true
      this.claim({ seq: own.seq + 1, epoch: own.epoch, retained: [] })
    })
  }

  private requireWritable(): Slot {
    if (this.own === undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has not taken over' })
    if (this.discarded) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has discarded its checkpoints' })
    return this.own
  }

  private newest(): Slot {
    return this.store.newest.get(this.job) ?? start
  }

  private lastPublished(): number {
    return this.own?.retained.at(-1)?.checkpointId ?? 0
  }

  private keptOf(retained: readonly Kept[]): readonly Kept[] {
    return retained.slice(-this.options.retainedCheckpoints)
  }

  /** Each slot has one owner: whoever was first. */
  private claim(slot: Slot): void {
    if (this.newest().seq >= slot.seq) throw new BackendError('BACKEND_FENCED', { job: this.job, fatal: true })
    this.store.newest.set(this.job, slot)
    this.own = slot
  }

  private requireOpen(): void {
    if (this.closed) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session is closed' })
  }

  private task<A>(work: () => A | Promise<A>): taskEither.TaskEither<BackendError, A> {
    return async () => {
      try {
        this.requireOpen()
        return E.right(await work())
      } catch (error) {
        if (error instanceof BackendError) return E.left(error)
        throw error
      }
    }
  }
}
