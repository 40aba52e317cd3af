/**
 * Writes the buckets of a `fileSink` for one run.
 *
 * **Invariants** Each bucket has one part at most that takes records. A part that ended before a barrier is in the handle of that
 * checkpoint, or, where that failed, of the next one; a part that goes on is there with the length that it had at the barrier. So the
 * newest handle names everything that is not visible, and a restore goes on from it alone.
 */
import { option as O, type option, taskEither as TE, type task, type taskEither } from 'fp-ts'
import type { Cancel } from '../../../lib/clock.js'
import { SinkError, StreamError } from '../../../lib/errors.js'
import { checkpointId as asCheckpointId, epoch as asEpoch, type CheckpointId } from '../../../lib/identity.js'
import type { CommittedUpTo, SinkContext, SinkWriter, TransactionHandle } from '../../../lib/ports/transactionalSink.js'
import { checksum } from '../fileBlocks.js'
import { inTurn } from '../inTurn.js'
import { sinkFailure } from '../jsonLinesErrors.js'
import { checkedBucket } from './bucketName.js'
import { fileHandle, fileTransaction, type OpenPart, type StagedPart } from './fileHandle.js'
import { finishedName, inOrder, type Numbered, parsedStaged, stagedName, stagingFolder } from './fileNames.js'
import type { FileSinkSettings } from './fileSinkSettings.js'
import { Publisher } from './publisher.js'
import { type Cut, RollingPart } from './rollingPart.js'
import { dueMs } from './rollingPolicy.js'
import { Staging } from './staging.js'

/** Encoded values become bytes in blocks of about this size. */
const blockBytes = 64 * 1024

interface Rolled {
  readonly cut: Cut
  /** The barrier behind its end, once there was one. */
  id: CheckpointId | undefined
}

const nameOf = ({ bucket, name }: StagedPart): string => `${bucket}/${name}`

export class FileSinkWriter<T> implements SinkWriter<T> {
  readonly #settings: FileSinkSettings<T>
  readonly #context: SinkContext
  readonly #staging: Staging
  readonly #publisher: Publisher
  readonly #commits = inTurn()
  /** Parts that take records, by bucket. */
  readonly #open = new Map<string, RollingPart>()
  /** Parts that ended and are in no handle yet. */
  #rolled: Rolled[] = []
  /** Parts in handles of this run that are not visible, with the files that go when they are. */
  readonly #own = new Map<string, readonly Numbered[]>()
  /** What the newest restored checkpoint left in progress; until what it does not name is removed. */
  #restored: readonly OpenPart[] | undefined = []
  readonly #bucketContext: { timestamp: number | undefined; nowMs: number } = { timestamp: undefined, nowMs: 0 }
  #partCount = 0
  #timer: Cancel | undefined
  #timerMs = Number.POSITIVE_INFINITY
  #closed = false
  #waiters: (() => void)[] = []

  constructor(settings: FileSinkSettings<T>, context: SinkContext) {
    const { files, path, bufferBytesMax } = settings
    const folder = `${path}/${stagingFolder}`
    this.#settings = settings
    this.#context = context
    const { uid, epoch } = context
    this.#staging = new Staging({ files, folder, uid, epoch, bufferBytesMax, changed: () => this.#relieve() })
    this.#publisher = new Publisher(files, path, folder)
  }

  committedUpTo(): taskEither.TaskEither<SinkError, option.Option<CommittedUpTo>> {
    return this.#task(async () => {
      const newest = await this.#publisher.newest()
      return newest === undefined ? O.none : O.some({ epoch: asEpoch(newest.epoch), checkpointId: asCheckpointId(newest.number) })
    })
  }

  abortOthers(): taskEither.TaskEither<SinkError, void> {
    return this.#task(async () => {
      const { files, folder } = this.#staging
      const goesOn: OpenPart[] = []
      for (const part of this.#restored ?? []) if (await this.#isThere(part)) goesOn.push(part)
      const named = new Set(goesOn.map(({ part, file }) => stagedName(part, file)))
      const left = (await files.list(folder)).filter((name) => {
        const parsed = parsedStaged(name)
        return parsed !== undefined && parsed.file.epoch <= this.#context.epoch && !named.has(name)
      })
      for (const name of left) await files.unlink(`${folder}/${name}`)
      if (left.length > 0) await files.syncDirectory(folder)
      this.#restored = undefined
      for (const part of goesOn) this.#adopt(part)
    })
  }

  write(value: T, timestamp: number | undefined): void {
    const { failure, held } = this.#staging
    if (failure !== undefined) throw failure
    if (this.#closed) throw this.#afterClose()
    const { bucket: bucketOf, encode, rolling, bufferBytesMax } = this.#settings
    const nowMs = this.#context.clock.nowMs()
    let bucket = ''
    if (bucketOf !== undefined) {
      this.#bucketContext.timestamp = timestamp
      this.#bucketContext.nowMs = nowMs
      bucket = bucketOf(value, this.#bucketContext)
    }
    const data = encode(value, this.#context.uid)
    if (typeof data !== 'string' && !(data instanceof Uint8Array))
      throw new StreamError('VALUE_NOT_ENCODABLE', { uid: this.#context.uid, type: typeof data })
    let part = this.#open.get(bucket)
    if (part !== undefined && part.bytes > rolling.sizeMax) {
      this.#roll(part)
      part = undefined
    }
    part ??= this.#begin(checkedBucket(bucket, this.#context.uid), nowMs)
    part.writtenMs = nowMs
    part.add(data)
    if (part.gatheredBytes >= blockBytes) {
      part.endBlock()
      this.#staging.spill(part)
    }
    if (held.held > bufferBytesMax) this.#staging.relieve()
  }

  endOfInput(): void {
    for (const part of [...this.#open.values()]) this.#roll(part)
  }

  full(): boolean {
    if (this.#staging.failure !== undefined || this.#closed) return false
    return this.#staging.over || this.#rolled.length >= this.#settings.finishedPartsMax
  }

  drained(): Promise<void> {
    return this.full() ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve()
  }

  preCommit(id: CheckpointId): taskEither.TaskEither<SinkError, option.Option<TransactionHandle>> {
    const { rolling } = this.#settings
    if (!this.#closed) {
      const nowMs = this.#context.clock.nowMs()
      for (const part of [...this.#open.values()])
        if (rolling.onCheckpoint || part.bytes > rolling.sizeMax || nowMs >= dueMs(rolling, part)) this.#roll(part)
    }
    for (const rolled of this.#rolled) rolled.id ??= id
    const cuts = [...this.#open.values()].map((part) => part.cut())
    let result: Promise<option.Option<TransactionHandle>> | undefined
    return this.#task(() => {
      result ??= this.#persist(id, cuts)
      return result
    })
  }

  commit(handle: TransactionHandle): taskEither.TaskEither<SinkError, void> {
    return this.#task(() =>
      this.#commits(async () => {
        const { checkpoint, finished, open } = fileTransaction(handle, this.#settings.path)
        if (finished.length > 0) await this.#publisher.publish(checkpoint, finished, (part) => this.#own.has(nameOf(part)))
        if (this.#restored !== undefined) this.#restored = open
        for (const part of finished) await this.#forget(part)
      }),
    )
  }

  close(): task.Task<void> {
    return async () => {
      this.#closed = true
      this.#timer?.()
      this.#relieve()
      await this.#staging.close()
      await this.#commits(async () => undefined)
    }
  }

  // ---- parts

  #begin(bucket: string, nowMs: number): RollingPart {
    const { prefix, suffix, gzip, header, openBucketsMax } = this.#settings
    if (this.#open.size >= openBucketsMax) this.#rollLeastRecent()
    this.#partCount += 1
    const part = { epoch: this.#context.epoch, number: this.#partCount }
    const begun = new RollingPart({ bucket, name: finishedName(prefix, part, suffix), part, createdMs: nowMs, gzip }, this.#staging.held)
    if (header !== undefined) begun.add(header)
    this.#hold(begun)
    // The file is made at once: that there is no room for it is learnt before the barrier.
    this.#staging.spill(begun)
    return begun
  }

  /** A part of an earlier run goes on as it began, unless parts look different by now. */
  #adopt(from: OpenPart): void {
    const { prefix, suffix, gzip } = this.#settings
    const part = RollingPart.restored(from, gzip, this.#staging.held)
    this.#hold(part)
    if (from.name !== finishedName(prefix, from.part, suffix)) this.#roll(part)
  }

  #hold(part: RollingPart): void {
    this.#open.set(part.of.bucket, part)
    this.#wakeAt(dueMs(this.#settings.rolling, part))
  }

  #roll(part: RollingPart): void {
    this.#open.delete(part.of.bucket)
    part.rolled = true
    this.#rolled.push({ cut: part.cut(), id: undefined })
    if (this.#rolled.length === this.#settings.finishedPartsMax) this.#context.askCheckpoint?.()
    this.#staging.spill(part)
  }

  #rollLeastRecent(): void {
    let least: RollingPart | undefined
    for (const part of this.#open.values()) if (least === undefined || part.writtenMs < least.writtenMs) least = part
    if (least !== undefined) this.#roll(least)
  }

  /** Parts end by the clock although no record and no barrier comes. */
  #wakeAt(atMs: number): void {
    if (this.#closed || atMs >= this.#timerMs) return
    this.#timer?.()
    this.#timerMs = atMs
    this.#timer = this.#context.clock.callAt(atMs, () => this.#wake())
  }

  #wake(): void {
    this.#timer = undefined
    this.#timerMs = Number.POSITIVE_INFINITY
    if (this.#closed || this.#staging.failure !== undefined) return
    const { rolling } = this.#settings
    const nowMs = this.#context.clock.nowMs()
    let nextMs = Number.POSITIVE_INFINITY
    for (const part of [...this.#open.values()]) {
      const atMs = dueMs(rolling, part)
      if (nowMs >= atMs) this.#roll(part)
      else nextMs = Math.min(nextMs, atMs)
    }
    this.#wakeAt(nextMs)
  }

  // ---- checkpoints

  async #persist(id: CheckpointId, cuts: readonly Cut[]): Promise<option.Option<TransactionHandle>> {
    const rolled = this.#rolled.filter((each) => each.id !== undefined && each.id <= id)
    await this.#staging.persist(
      cuts,
      rolled.map(({ cut }) => cut),
    )
    this.#rolled = this.#rolled.filter((each) => !rolled.includes(each))
    this.#relieve()
    const finished = rolled.map(({ cut }) => cut.part.staged())
    for (const [index, part] of finished.entries()) this.#own.set(nameOf(part), (rolled[index] as Rolled).cut.part.used)
    const open = cuts.map(({ part, bytes, crc32, writtenMs }) => ({ ...part.staged(), bytes, crc32, createdMs: part.createdMs, writtenMs }))
    if (finished.length === 0 && open.length === 0) return O.none
    return O.some(fileHandle({ checkpoint: { epoch: this.#context.epoch, number: id }, finished, open }))
  }

  /** Whether a part is there to go on with. One that is visible was committed with a newer checkpoint than the one restored. */
  async #isThere(part: OpenPart): Promise<boolean> {
    const { files, folder } = this.#staging
    const path = `${folder}/${stagedName(part.part, part.file)}`
    if (await this.#publisher.isVisible(part)) return false
    const bytes = await files.size(path)
    if (bytes === undefined) throw new SinkError('TRANSACTION_LOST', { path, epoch: part.part.epoch, part: part.part.number })
    if (bytes < part.bytes) throw new SinkError('TRANSACTION_DAMAGED', { path, what: 'bytes', found: bytes, expected: part.bytes, permanent: true })
    const found = await checksum(files, path, part.bytes)
    if (found !== part.crc32) throw new SinkError('TRANSACTION_DAMAGED', { path, what: 'checksum', found, expected: part.crc32, permanent: true })
    return true
  }

  /** The part is visible: the files that it had on its way there are not needed any more. */
  async #forget(part: StagedPart): Promise<void> {
    const used = this.#own.get(nameOf(part))
    if (used === undefined) return
    this.#own.delete(nameOf(part))
    const { files, folder } = this.#staging
    // That of the handle is gone already.
    for (const file of used) if (inOrder(file, part.file) !== 0) await files.unlink(`${folder}/${stagedName(part.part, file)}`).catch(() => undefined)
  }

  // ---- calls

  #task<A>(work: () => Promise<A>): taskEither.TaskEither<SinkError, A> {
    return TE.tryCatch(
      async () => {
        if (this.#closed) throw this.#afterClose()
        return work()
      },
      (cause) => sinkFailure(this.#settings.path, this.#context.uid, cause),
    )
  }

  #afterClose(): SinkError {
    return new SinkError('SINK_IO', { path: this.#settings.path, uid: this.#context.uid, reason: 'the writer was closed' })
  }

  #relieve(): void {
    if (this.full()) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}
