/**
 * The files of parts that are not visible yet, of one run.
 *
 * **Invariants** One operation at a time. What `persist` answers is durable, bytes and names. At most twice `bufferBytesMax`, and
 * what the records under way add, is in memory. A record is in memory, in a file that a handle names, or `failure` says that the run
 * has to end.
 *
 * **Fault model** Any operation may fail, once or for ever. A file on which anything failed, or whose name a failed sync of the folder
 * was to cover, is given up; what is still in memory goes to a new one. What is not can only come again from the sources.
 */
import { SinkError } from '../../../lib/errors.js'
import type { FileLayer, OpenFile } from '../../../lib/ports/fileLayer.js'
import { systemCodeOf } from '../failures.js'
import { inTurn } from '../inTurn.js'
import { type Numbered, stagedName } from './fileNames.js'
import type { HeldBytes } from './heldBytes.js'
import type { Cut, PartFiles, RollingPart } from './rollingPart.js'

export interface StagingOptions {
  readonly files: FileLayer
  readonly folder: string
  readonly uid: string
  readonly epoch: number
  readonly bufferBytesMax: number
  /** There may be room again, or a failure. */
  changed(): void
}

/** Names that earlier attempts left behind; more of them in a row than this is no accident. */
const nameAttemptsMax = 1_000

export class Staging implements PartFiles {
  readonly files: FileLayer
  readonly folder: string
  readonly held: HeldBytes = { unwritten: 0, held: 0 }
  failure: SinkError | undefined
  readonly #options: StagingOptions
  readonly #turn = inTurn()
  /** Parts with something in memory or an open file. */
  readonly #parts = new Set<RollingPart>()
  readonly #dirty = new Set<RollingPart>()
  /** Parts whose file has a name that is not durable yet. */
  #unsynced = new Set<RollingPart>()
  #fileCount = 0
  #spilling = false
  #relieving = false
  #closed = false

  constructor(options: StagingOptions) {
    this.#options = options
    this.files = options.files
    this.folder = options.folder
  }

  /** More waits to be written than may be in memory. */
  get over(): boolean {
    return this.held.unwritten > this.#options.bufferBytesMax
  }

  /** There is something to write of a part, or its end. */
  spill(part: RollingPart): void {
    this.#parts.add(part)
    this.#dirty.add(part)
    this.#run()
  }

  /** Where memory is full, everything goes to the files and is kept no longer. */
  relieve(): void {
    if (this.held.held <= this.#options.bufferBytesMax || this.#relieving) return
    this.#relieving = true
    for (const part of this.#parts) {
      part.endBlock()
      part.release()
      this.#dirty.add(part)
    }
    this.#run()
  }

  /** Makes parts durable up to their cuts, and `finished` ones whole. Rejects with a `SinkError` that says whether it is fatal. */
  persist(cuts: readonly Cut[], finished: readonly Cut[]): Promise<void> {
    return this.#turn(async () => {
      if (this.failure !== undefined) throw this.failure
      try {
        for (const { part } of finished) await this.#attempt(part, () => part.seal(this))
        for (const cut of cuts) {
          const { part } = cut
          if (!part.has(cut)) await this.#attempt(part, () => part.flush(this).then(() => part.sync()))
        }
        await this.#syncNames()
      } catch (cause) {
        this.#relieving = false
        if (this.over) this.relieve()
        this.#options.changed()
        throw this.failure ?? new SinkError('SINK_IO', { path: this.folder, uid: this.#options.uid, fatal: false }, { cause })
      }
      for (const cut of finished) {
        cut.part.confirm(cut)
        this.#parts.delete(cut.part)
      }
      for (const cut of cuts) if (!cut.part.has(cut)) cut.part.confirm(cut)
      this.#options.changed()
    })
  }

  readonly create = async (part: RollingPart): Promise<{ readonly id: Numbered; readonly file: OpenFile }> => {
    for (let attempt = 1; ; attempt += 1) {
      this.#fileCount += 1
      const id = { epoch: this.#options.epoch, number: this.#fileCount }
      try {
        const file = await this.files.create(`${this.folder}/${stagedName(part.of.part, id)}`)
        this.#unsynced.add(part)
        // A part that goes on from an earlier run has its first file here, and `close` has to find it.
        this.#parts.add(part)
        return { id, file }
      } catch (cause) {
        if (systemCodeOf(cause) !== 'EEXIST' || attempt === nameAttemptsMax) throw cause
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#turn(async () => {
      for (const part of this.#parts) await part.close()
    })
  }

  async #syncNames(): Promise<void> {
    if (this.#unsynced.size === 0) return
    const named = this.#unsynced
    try {
      await this.files.syncDirectory(this.folder)
      this.#unsynced = new Set()
    } catch (cause) {
      for (const part of named) await this.#giveUp(part, cause)
      throw cause
    }
  }

  async #attempt(part: RollingPart, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (cause) {
      await this.#giveUp(part, cause)
      throw cause
    }
  }

  async #giveUp(part: RollingPart, cause: unknown, full = false): Promise<void> {
    await part.abandon(this)
    this.#unsynced.delete(part)
    if (cause instanceof SinkError && cause.details['fatal'] === true) this.failure ??= cause
    if (!part.lossy && !full) return
    this.failure ??= new SinkError(
      'SINK_IO',
      {
        path: this.folder,
        uid: this.#options.uid,
        fatal: true,
        reason: 'a file failed whose records are not all in memory, or memory is full; a restart replays them',
      },
      { cause },
    )
  }

  #run(): void {
    if (this.#spilling) return
    this.#spilling = true
    void this.#turn(async () => {
      for (const part of this.#dirty) {
        this.#dirty.delete(part)
        if (this.failure !== undefined || this.#closed) continue
        // A part whose file failed waits in memory for the barrier, or for the limit: then a new file is tried, once.
        if (part.failed && !this.#relieving) continue
        try {
          await (part.rolled ? part.seal(this) : part.flush(this))
        } catch (cause) {
          await this.#giveUp(part, cause, this.over)
        }
      }
      this.#spilling = false
      this.#relieving = false
      this.#options.changed()
    })
  }
}
