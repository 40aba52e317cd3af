/**
 * One run's hold on the folder of a job.
 *
 * **Invariants** Publishes run one after the other; each claims the slot after the last. After `close`, after a fatal failure and
 * after being fenced nothing is published. The files of a checkpoint that failed are removed only while no slot can name them.
 */

import { either as E, option as O, type task, type taskEither } from 'fp-ts'
import type { Clock } from '../../lib/clock.js'
import { BackendError, type ErrorCode, type ErrorDetails, invariant } from '../../lib/errors.js'
import { type CheckpointId, checkpointId, type Epoch, epoch } from '../../lib/identity.js'
import type {
  CheckpointSession,
  CheckpointWriter,
  ExpiredRows,
  RowChunk,
  StoredCheckpoint,
  WriterOptions,
} from '../../lib/ports/checkpointStorage.js'
import type { Journal } from '../../lib/ports/journal.js'
import { UnderWay } from '../../lib/underWay.js'
import { WriterLine } from '../../lib/writerLine.js'
import { cleanUp } from './cleanUp.js'
import { chooseRun, compact, outdatedRun } from './compaction.js'
import { DirectoryWriter, type Publication, type WriterHost } from './directoryWriter.js'
import { attempt, storageFailure } from './failures.js'
import type { Folder, Top } from './folder.js'
import { DirectoryJournal } from './journal/directoryJournal.js'
import { bodyOf, type Manifest, type Segment } from './manifestFile.js'
import { segmentFile, slotFile } from './names.js'
import { noteReleased } from './released.js'
import { readSegment, SegmentWriter } from './segmentFile.js'
import type { Claim } from './sessions.js'

export interface SessionOptions {
  readonly job: string
  readonly clock: Clock
  readonly retainedCheckpoints: number
  readonly compactAfterSegments: number
  readonly compactionKeysMax: number
  /** Makes the folder, durably, and checks whose it is. */
  prepare(): Promise<void>
}

/** A merged segment that the next manifest will name instead of what it replaces. */
interface Compacted {
  readonly replaces: readonly Segment[]
  readonly by: Segment
}

/** What a merge could not read, no restore could. */
const unreadable: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['SNAPSHOT_CORRUPT', 'KEY_MISSING', 'KEY_WRONG', 'FILE_NOT_SEALED'])

export class DirectorySession implements CheckpointSession, WriterHost {
  private lastRead: Top | undefined
  private readonly readAt = new WeakMap<StoredCheckpoint, Top>()
  /** The newest manifest that this session published. */
  private own: Manifest | undefined
  private dead: BackendError | undefined
  private discarded = false
  private damage: BackendError | undefined
  private bug: { readonly error: unknown } | undefined
  private closed: Promise<void> | undefined
  private publishing: Promise<unknown> = Promise.resolve()
  private readonly underWay = new UnderWay()
  private readonly background = new Set<Promise<void>>()
  private readonly writers = new Set<CheckpointWriter>()
  private readonly line = new WriterLine()
  private compacting = false
  private compacted: Compacted | undefined
  private segmentCounter = 0
  /** What merges may leave out, from the newest checkpoint on. */
  private expired: ExpiredRows | undefined
  private entries: DirectoryJournal | undefined

  constructor(
    readonly folder: Folder,
    private readonly options: SessionOptions,
    /** None for a session that only reads. */
    private readonly claimed: Claim | undefined,
  ) {}

  latest(): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    return this.task({ folder: this.folder.path }, async () => {
      const top = await this.readTop()
      const checkpoint = top.manifest?.checkpoint
      if (checkpoint === undefined || checkpoint === null) return O.none
      const stored = this.storedOf(checkpoint, top)
      this.readAt.set(stored, top)
      return O.some(stored)
    })
  }

  takeOver(from: O.Option<StoredCheckpoint>, above?: Epoch): taskEither.TaskEither<BackendError, Epoch> {
    return this.task(
      { folder: this.folder.path },
      async () => {
        invariant(this.own === undefined, 'a session takes over once')
        if (this.claimed === undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session only reads' })
        await this.options.prepare()
        const top = O.isSome(from) ? this.readAt.get(from.value) : this.lastRead
        invariant(top !== undefined, 'a session takes over from what it read itself')
        const seq = top.seq + 1
        const checkpoint = O.isSome(from) ? (top.manifest?.checkpoint ?? null) : null
        const older = (top.manifest?.retained ?? []).filter((retained) => checkpoint !== null && retained.checkpointId < checkpoint.checkpointId)
        const life = top.manifest?.life ?? this.folder.protection.newLife()
        const manifest: Manifest = {
          ...(life === undefined ? {} : { life }),
          job: this.options.job,
          seq,
          parent: top.manifest === undefined ? null : top.seq,
          epoch: Math.max(top.manifest?.epoch ?? 0, above ?? 0) + 1,
          checkpoint,
          retained: checkpoint === null ? [] : this.newest([...older, retainedAt(seq, checkpoint)]),
        }
        await this.folder.claim(manifest, () => this.requireOpen())
        this.own = manifest
        this.inBackground(() => cleanUp(this.folder, () => this.cleanable()))
        return epoch(manifest.epoch)
      },
      'fencing may be read anew',
    )
  }

  begin(id: CheckpointId, { whole = false }: WriterOptions = {}): CheckpointWriter {
    invariant(this.own === undefined || id > (this.own.checkpoint?.checkpointId ?? 0), 'checkpoint ids increase')
    const writer = new DirectoryWriter(this, id, whole)
    if (this.own !== undefined && this.closed === undefined) this.writers.add(writer)
    return this.line.add(id, writer, { whole })
  }

  journal(): taskEither.TaskEither<BackendError, Journal> {
    return this.task({ folder: this.folder.path }, async () => {
      this.requireWritable()
      this.entries = await DirectoryJournal.open({
        files: this.folder.files,
        folder: `${this.folder.path}/journal`,
        protection: this.folder.protection.within(this.own?.life),
        epoch: this.own?.epoch ?? 0,
        // A journal that is being closed writes what it was given before.
        requireWriter: () => {
          if (this.dead !== undefined) throw this.dead
        },
      })
      return this.entries
    })
  }

  hold(id: CheckpointId): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    return this.task({ folder: this.folder.path }, async () => {
      const newest = this.own ?? (await this.readTop()).manifest
      const kept = newest?.retained.find((retained) => retained.checkpointId === id)
      if (newest === undefined || kept === undefined) return O.none
      this.folder.held.set(id, [slotFile(kept.seq), ...kept.segments])
      const manifest = newest.seq === kept.seq ? newest : await this.folder.read(kept.seq)
      const { checkpoint } = manifest
      return checkpoint === null ? O.none : O.some(this.storedOf(checkpoint, { seq: newest.seq, manifest }))
    })
  }

  letGo(id: CheckpointId): void {
    this.folder.held.delete(id)
  }

  retained(): readonly CheckpointId[] {
    return ((this.own ?? this.lastRead?.manifest)?.retained ?? []).map((retained) => checkpointId(retained.checkpointId))
  }

  discard(): taskEither.TaskEither<BackendError, void> {
    return this.task({ folder: this.folder.path }, async () => {
      this.requireWritable()
      this.discarded = true
      const turn = this.publishing.then(() => this.claimNothing())
      this.publishing = turn.catch(() => undefined)
      await turn
      // A merge that was under way has let go of its files by then.
      await this.idle()()
      await cleanUp(this.folder, () => this.cleanable())
    })
  }

  idle(): task.Task<void> {
    return async () => {
      while (this.background.size > 0) await Promise.all(this.background)
    }
  }

  close(): task.Task<void> {
    return () => {
      this.closed ??= this.settle()
      return this.closed
    }
  }

  // --- for the writers of this session

  /** Throws when nothing may be written or published any more. */
  requireWritable(): void {
    this.requireOpen()
    if (this.own === undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has not taken over' })
    if (this.discarded) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has discarded its checkpoints' })
  }

  /** Whether the files of a checkpoint that failed can be removed: not while a slot that could not be settled may name them. */
  get mayRemove(): boolean {
    return this.dead === undefined
  }

  createSegment(id: CheckpointId): Promise<{ readonly name: string; readonly writer: SegmentWriter }> {
    this.requireWritable()
    this.segmentCounter += 1
    const name = segmentFile({ epoch: this.own?.epoch ?? 0, checkpointId: id, counter: this.segmentCounter, token: this.folder.token() })
    this.folder.live.add(name)
    return SegmentWriter.create(this.folder, name).then(
      (writer) => ({ name, writer }),
      (error: unknown) => {
        this.folder.live.delete(name)
        throw error
      },
    )
  }

  /** Publishes what a writer finished, after the publishes before it. */
  publish({ id, whole, body, expired }: Publication, finish: () => Promise<Segment | undefined>, mayLink: () => void): Promise<void> {
    const turn = this.publishing.then(async () => {
      this.requireWritable()
      if (this.bug !== undefined) throw this.bug.error
      // A compaction found damage: what would be published now could not be restored.
      if (this.damage !== undefined) throw this.damage
      const added = await finish()
      const own = this.own as Manifest
      invariant(id > (own.checkpoint?.checkpointId ?? 0), 'checkpoint ids increase')
      const adopted = this.compacted
      const chain = whole ? [] : replaced(own.checkpoint?.segments ?? [], adopted)
      const segments = [...chain, ...(added === undefined ? [] : [added])]
      const seq = own.seq + 1
      const checkpoint = { checkpointId: id, epoch: own.epoch, segments, body }
      const manifest: Manifest = { ...own, seq, parent: own.seq, checkpoint, retained: this.newest([...own.retained, retainedAt(seq, checkpoint)]) }
      try {
        await this.folder.claim(manifest, () => {
          this.requireWritable()
          mayLink()
        })
      } catch (error) {
        // Noted before anybody hears of the failure: a slot that may be visible keeps its files.
        this.dieOf(error)
        throw error
      }
      this.own = manifest
      this.expired = expired
      // The others are named already, or are being merged: then they stay, whether or not somebody names them.
      if (added !== undefined) this.folder.live.delete(added.file)
      // Where the run that it replaces is gone, nobody names the merged segment: clean-up takes it.
      if (adopted !== undefined) this.folder.live.delete(adopted.by.file)
      if (adopted !== undefined && this.compacted === adopted) this.compacted = undefined
      this.inBackground(() => cleanUp(this.folder, () => this.cleanable()))
      this.startCompaction()
    })
    this.publishing = turn.catch(() => undefined)
    return turn
  }

  /** Runs work of this session as a task: refused when it is closed, waited for by `close`. */
  task<A>(details: ErrorDetails, work: () => Promise<A>, fencing?: 'fencing may be read anew'): taskEither.TaskEither<BackendError, A> {
    return () => {
      try {
        this.requireOpen()
      } catch (error) {
        return Promise.resolve(E.left(error as BackendError))
      }
      const running = attempt(details, work)().then((result) => {
        const retry = fencing !== undefined && E.isLeft(result) && result.left.code === 'BACKEND_FENCED'
        if (E.isLeft(result) && !retry) this.dieOf(result.left)
        return result
      })
      this.track(running)
      return running
    }
  }

  track(work: Promise<unknown>): void {
    this.underWay.add(work)
  }

  forget(writer: CheckpointWriter): void {
    this.writers.delete(writer)
  }

  // --- within

  private requireOpen(): void {
    if (this.closed !== undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session is closed' })
    if (this.dead !== undefined) throw this.dead
  }

  /** Clean-up leaves the newest two slots alone: with the second one nothing names a checkpoint any more. */
  private async claimNothing(): Promise<void> {
    for (let claimed = 0; claimed < 2; claimed += 1) {
      const own = this.own as Manifest
      const manifest: Manifest = { ...own, seq: own.seq + 1, parent: own.seq, checkpoint: null, retained: [] }
      await this.folder.claim(manifest, () => this.requireOpen())
      this.own = manifest
    }
  }

  private dieOf(error: unknown): void {
    if (error instanceof BackendError && error.details['fatal'] === true) this.dead ??= error
  }

  private async readTop(): Promise<Top> {
    const top = await this.folder.top()
    if (top.manifest !== undefined && top.manifest.job !== this.options.job)
      throw new BackendError('BACKEND_NOT_OWNED', { folder: this.folder.path, expected: this.options.job, found: top.manifest.job })
    this.lastRead = top
    return top
  }

  private storedOf(checkpoint: NonNullable<Manifest['checkpoint']>, top: Top): StoredCheckpoint {
    return {
      checkpointId: checkpointId(checkpoint.checkpointId),
      epoch: epoch(checkpoint.epoch),
      body: bodyOf(checkpoint),
      readRows: (visit) => this.task({ folder: this.folder.path }, () => this.readChain(top, checkpoint.segments, visit)),
    }
  }

  private async readChain(top: Top, segments: readonly Segment[], visit: (chunk: RowChunk) => unknown): Promise<void> {
    try {
      for (const segment of segments) await readSegment(this.folder, segment, visit)
    } catch (error) {
      // A writer that is still alive may have moved on and removed what this checkpoint needs. That is no damage.
      const moved = this.own === undefined && error instanceof BackendError && (await this.folder.top()).seq > top.seq
      throw moved
        ? new BackendError('BACKEND_FENCED', { reason: 'a newer checkpoint was published while this one was read' }, { cause: error })
        : error
    }
  }

  private newest(retained: Manifest['retained']): Manifest['retained'] {
    return retained.slice(-this.options.retainedCheckpoints)
  }

  /** What clean-up may go by: nothing once a slot may be visible that this session does not know of. */
  private cleanable(): Manifest | undefined {
    return this.dead === undefined ? this.own : undefined
  }

  private inBackground(work: () => Promise<void>): void {
    // What is no failure of the storage is a mistake of ours: the next publish throws it.
    const running = work()
      .catch((error: unknown) => {
        this.bug ??= { error }
      })
      .then(() => {
        this.background.delete(running)
      })
    this.track(running)
    this.background.add(running)
  }

  private startCompaction(): void {
    const own = this.own
    if (this.compacting || this.compacted !== undefined || own?.checkpoint === undefined || own.checkpoint === null) return
    const { segments } = own.checkpoint
    const { keyId } = this.folder.protection
    const outdated = keyId === undefined ? undefined : outdatedRun(segments, keyId)
    const run = outdated ?? chooseRun(segments, this.options.compactAfterSegments)
    if (run === undefined) return
    this.compacting = true
    // A whole checkpoint that is published meanwhile needs none of them.
    for (const { file } of run.segments) this.folder.live.add(file)
    const { expired } = this
    const id = checkpointId(own.checkpoint.checkpointId)
    this.inBackground(async () => {
      const failuresBefore = this.folder.syncFailures
      let segment: { readonly name: string; readonly writer: SegmentWriter } | undefined
      try {
        segment = await this.createSegment(id)
        await compact(run, segment.writer, { ...this.options, folder: this.folder, expired, goOn: () => this.requireOpen() })
        const by = await segment.writer.finish()
        await this.folder.sync()
        this.folder.requireSynced(failuresBefore)
        this.compacted = { replaces: run.segments, by }
      } catch (error) {
        if (segment !== undefined) {
          await segment.writer.discard()
          this.folder.live.delete(segment.name)
        }
        // Any other failure costs nothing but the merge, which is tried again after the next publish.
        const failure = storageFailure(error, { folder: this.folder.path })
        if (unreadable.has(failure.code)) this.damage = failure
      } finally {
        for (const { file } of run.segments) this.folder.live.delete(file)
        this.compacting = false
      }
    })
  }

  private async settle(): Promise<void> {
    let quiet = (): void => undefined
    // The gate is shut in this very call: what follows only waits.
    this.claimed?.closing(
      new Promise((resolve) => {
        quiet = resolve
      }),
    )
    await Promise.resolve()
    for (const writer of [...this.writers]) await writer.abort()()
    await this.underWay.ended()
    await this.entries?.close()()
    const unused = this.compacted?.by.file
    if (unused !== undefined && this.dead === undefined) await attempt({}, () => this.folder.files.unlink(`${this.folder.path}/${unused}`))()
    const { own } = this
    if (own !== undefined && this.dead === undefined) await noteReleased(this.folder, own.epoch)
    quiet()
  }
}

const retainedAt = (seq: number, checkpoint: NonNullable<Manifest['checkpoint']>): Manifest['retained'][number] => ({
  seq,
  checkpointId: checkpoint.checkpointId,
  segments: checkpoint.segments.map(({ file }) => file),
})

/**
 * The chain with the merged segment in the place of what it replaces. Only the end of a chain grows, so the run is still whole; or
 * all of it is gone, where a whole checkpoint was published meanwhile.
 */
function replaced(chain: readonly Segment[], compacted: Compacted | undefined): readonly Segment[] {
  const first = compacted?.replaces[0]
  if (compacted === undefined || first === undefined) return chain
  const at = chain.findIndex(({ file }) => file === first.file)
  if (at < 0) return chain
  invariant(
    compacted.replaces.every(({ file }, index) => chain[at + index]?.file === file),
    'a merged run is still part of the chain',
  )
  return [...chain.slice(0, at), compacted.by, ...chain.slice(at + compacted.replaces.length)]
}
