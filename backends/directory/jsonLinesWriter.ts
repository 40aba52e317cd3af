/**
 * Writes the transactions of a `jsonLinesSink` for one run.
 *
 * **Invariants** A pending file is whole, synced and closed before it gets its name, and its name is synced before its handle is
 * given away. A committed file was pending. A record that `write` took is in memory, in a file under way, in a handle, or the
 * writer has failed and says so at every call. At most twice `bufferBytesMax` is in memory.
 *
 * **Fault model** Any operation may fail, once or for ever; writes may be short; a power cut leaves what was synced. A file on
 * which anything failed is never used again. What was in it is written to a new one where it is still in memory; where it is not,
 * only a restart can replay it, and the failure is fatal.
 */
import { option as O, type option, taskEither as TE, type task, type taskEither } from 'fp-ts'
import { SinkError } from '../../lib/errors.js'
import { checkpointId as asCheckpointId, epoch as asEpoch, type CheckpointId } from '../../lib/identity.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import type { CommittedUpTo, SinkContext, SinkWriter, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { systemCodeOf } from './failures.js'
import { inTurn } from './inTurn.js'
import { sinkFailure } from './jsonLinesErrors.js'
import { lineOfJson } from './lineOfJson.js'
import { type NewFile, PartBuffer } from './partBuffer.js'
import { commitPart, renewPart } from './partCommit.js'
import { committedName, inOrder, inProgressName, partFile, pendingName } from './partFiles.js'
import { type HandledPart, handledParts, partHandle } from './partHandle.js'

/** Text is handed on in blocks of about this many characters. */
const blockLength = 64 * 1024
/** Names of files under way that earlier attempts left behind; more of them in a row than this is no accident. */
const nameAttemptsMax = 1_000

export interface PartWriting<T> {
  readonly path: string
  readonly files: FileLayer
  readonly encode: (value: T) => unknown
  readonly bufferBytesMax: number
}

interface Sealed {
  readonly id: CheckpointId
  readonly part: PartBuffer
  /** Its checkpoint failed; it is written again with the next one. */
  carried: boolean
}

export class JsonLinesWriter<T> implements SinkWriter<T> {
  readonly #writing: PartWriting<T>
  readonly #context: SinkContext
  readonly #writes = inTurn()
  readonly #commits = inTurn()
  /** Parts that this run made: what they hold is known. */
  readonly #own = new Set<string>()
  /** Committed parts whose names a failed sync of the directory may have left to the next power cut. */
  readonly #doubtful = new Set<string>()
  #text = ''
  #current = new PartBuffer()
  #flushing = false
  /** Ended by a barrier, not yet durable; in the order of their checkpoints. */
  #sealed: Sealed[] = []
  #fileCount = 0
  #failure: SinkError | undefined
  #closed = false
  #waiters: (() => void)[] = []

  constructor(writing: PartWriting<T>, context: SinkContext) {
    this.#writing = writing
    this.#context = context
  }

  committedUpTo(): taskEither.TaskEither<SinkError, option.Option<CommittedUpTo>> {
    return this.#task(async () => {
      const newest = (await this.#parts())
        .filter(({ stage }) => stage === 'committed')
        .sort(inOrder)
        .at(-1)
      return newest === undefined ? O.none : O.some({ epoch: asEpoch(newest.epoch), checkpointId: asCheckpointId(newest.id) })
    })
  }

  abortOthers(): taskEither.TaskEither<SinkError, void> {
    return this.#task(async () => {
      const { files, path } = this.#writing
      const left = (await this.#parts()).filter(({ stage, epoch }) => stage !== 'committed' && epoch <= this.#context.epoch)
      for (const { name } of left) await files.unlink(`${path}/${name}`)
      if (left.length > 0) await files.syncDirectory(path)
    })
  }

  write(value: T): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closed) throw this.#afterClose()
    this.#text += lineOfJson(this.#writing.encode(value), this.#context.uid)
    if (this.#text.length >= blockLength) {
      this.#endBlock()
      this.#spill()
    }
  }

  full(): boolean {
    if (this.#failure !== undefined || this.#closed) return false
    let unwritten = this.#current.unwrittenBytes
    for (const { part, carried } of this.#sealed) if (!carried) unwritten += part.unwrittenBytes
    return unwritten > this.#writing.bufferBytesMax
  }

  drained(): Promise<void> {
    return this.full() ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve()
  }

  preCommit(id: CheckpointId): taskEither.TaskEither<SinkError, option.Option<TransactionHandle>> {
    this.#endBlock()
    if (this.#current.bytes > 0) this.#sealed.push({ id, part: this.#current, carried: false })
    this.#current = new PartBuffer()
    let result: Promise<option.Option<TransactionHandle>> | undefined
    return this.#task(() => {
      result ??= this.#writes(() => this.#makeDurable(id))
      return result
    })
  }

  commit(handle: TransactionHandle): taskEither.TaskEither<SinkError, void> {
    return this.#task(() =>
      this.#commits(async () => {
        const { files, path } = this.#writing
        const parts = handledParts(handle, path)
        for (const part of parts) {
          const name = committedName(part)
          await commitPart(files, path, part, this.#own.has(name))
          if (this.#doubtful.has(name)) await renewPart(files, path, part, this.#create)
        }
        try {
          await files.syncDirectory(path)
        } catch (cause) {
          for (const part of parts) this.#doubtful.add(committedName(part))
          throw cause
        }
        for (const part of parts) {
          this.#own.delete(committedName(part))
          this.#doubtful.delete(committedName(part))
        }
      }),
    )
  }

  close(): task.Task<void> {
    return async () => {
      this.#closed = true
      this.#relieve()
      await this.#writes(async () => {
        for (const part of [this.#current, ...this.#sealed.map((sealed) => sealed.part)]) await part.abandon(this.#writing.files)
      })
      await this.#commits(async () => undefined)
    }
  }

  #task<A>(work: () => Promise<A>): taskEither.TaskEither<SinkError, A> {
    return TE.tryCatch(
      async () => {
        if (this.#closed) throw this.#afterClose()
        return work()
      },
      (cause) => sinkFailure(this.#writing.path, this.#context.uid, cause),
    )
  }

  #afterClose(): SinkError {
    return new SinkError('SINK_IO', { path: this.#writing.path, uid: this.#context.uid, reason: 'the writer was closed' })
  }

  async #parts() {
    return (await this.#writing.files.list(this.#writing.path)).flatMap((name) => partFile(name) ?? [])
  }

  #endBlock(): void {
    if (this.#text === '') return
    this.#current.add(Buffer.from(this.#text, 'utf8'))
    this.#text = ''
  }

  /** Hands blocks to the file under way, so that little is left to do at the barrier. */
  #spill(): void {
    const part = this.#current
    let memoryBytes = part.memoryBytes
    for (const sealed of this.#sealed) memoryBytes += sealed.part.memoryBytes
    if (part.kept && memoryBytes > this.#writing.bufferBytesMax) part.release()
    // A part whose file failed waits in memory for the barrier, or for the limit: then a new file is tried, once.
    if (this.#flushing || (part.failed && part.kept)) return
    this.#flushing = true
    void this.#writes(async () => {
      // Barriers may have passed since: what they ended is written when it is made durable.
      const part = this.#current
      try {
        if (this.#failure === undefined && !this.#closed) await part.flush(this.#create)
      } catch (cause) {
        await this.#giveUp([part], cause)
      }
      this.#flushing = false
      this.#relieve()
      if (this.#failure === undefined && !this.#closed && this.#current.unwrittenBytes > 0) this.#spill()
    })
  }

  readonly #create = async (): Promise<NewFile> => {
    const { files, path } = this.#writing
    for (let attempt = 1; ; attempt += 1) {
      this.#fileCount += 1
      const name = `${path}/${inProgressName({ epoch: this.#context.epoch, id: this.#fileCount })}`
      try {
        return { path: name, file: await files.create(name) }
      } catch (cause) {
        if (systemCodeOf(cause) !== 'EEXIST' || attempt === nameAttemptsMax) throw cause
      }
    }
  }

  async #makeDurable(id: CheckpointId): Promise<option.Option<TransactionHandle>> {
    const { files, path } = this.#writing
    if (this.#failure !== undefined) throw this.#failure
    const sealed = this.#sealed.filter((part) => part.id <= id)
    if (sealed.length === 0) return O.none
    const parts: HandledPart[] = []
    const touched: PartBuffer[] = []
    try {
      for (const { id, part } of sealed) {
        touched.push(part)
        await part.flush(this.#create)
        const name = { epoch: this.#context.epoch, id }
        parts.push({ ...name, ...(await part.seal(files, `${path}/${pendingName(name)}`)) })
      }
      await files.syncDirectory(path)
    } catch (cause) {
      for (const part of sealed) part.carried = true
      await this.#giveUp(touched, cause)
      this.#relieve()
      throw this.#failure ?? new SinkError('SINK_IO', { path, uid: this.#context.uid, checkpointId: id, fatal: false }, { cause })
    }
    this.#sealed = this.#sealed.filter((part) => !sealed.includes(part))
    for (const part of parts) this.#own.add(committedName(part))
    this.#relieve()
    return O.some(partHandle(parts))
  }

  /** What is still in memory waits for the next file; what is not can only come again from the sources. */
  async #giveUp(parts: readonly PartBuffer[], cause: unknown): Promise<void> {
    for (const part of parts) await part.abandon(this.#writing.files)
    if (parts.every(({ kept }) => kept)) return
    const { path } = this.#writing
    const { uid } = this.#context
    this.#failure ??= new SinkError(
      'SINK_IO',
      { path, uid, fatal: true, reason: 'a file failed that alone held records of the transaction; a restart replays them' },
      { cause },
    )
  }

  #relieve(): void {
    if (this.full()) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}
