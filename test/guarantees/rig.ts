import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { taskEither as TE } from 'fp-ts'
import { CrashFs } from '../../laws/crashFs.js'
import type { Life } from '../../laws/simulation/life.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { ReplayableSource, SourceReader } from '../../lib/ports/replayableSource.js'
import type { StateBackend } from '../../lib/ports/stateBackend.js'
import type { SinkWriter, TransactionalSink } from '../../lib/ports/transactionalSink.js'
import type { TestDatabase } from '../postgres/database.js'
import type { Counted, Reading, Seen } from './records.js'

/** The world that the processes of one cell live in, and that outlives them. */
export class Rig {
  /** A model of a file system: what a process of its own writes to disk. */
  readonly files = new CrashFs()
  #closing: (() => Promise<unknown>)[] = []

  constructor(private readonly server: TestDatabase | undefined) {}

  get hasDatabase(): boolean {
    return this.server !== undefined
  }

  get database(): TestDatabase {
    if (this.server === undefined) throw new Error('this cell needs a server of Postgres')
    return this.server
  }

  /** A folder of the real file system, for who has no other. */
  async folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'rxweir-'))
    this.atEnd(() => rm(path, { recursive: true, force: true }))
    return path
  }

  atEnd = (close: () => Promise<unknown>): void => void this.#closing.push(close)

  /** A source that has something of the machine open. */
  source<T>(source: ReplayableSource<T>): ReplayableSource<T> {
    const open: ReplayableSource<T>['open'] = (context) => TE.map(this.#closed<SourceReader<T>>)(source.open(context))
    return { ...source, open }
  }

  /** A sink that has something of the machine open. */
  sink<T>(sink: TransactionalSink<T>): TransactionalSink<T> {
    const open: TransactionalSink<T>['open'] = (context) => TE.map(this.#closed<SinkWriter<T>>)(sink.open(context))
    return { ...sink, open }
  }

  readonly #closed = <A extends { close(): () => Promise<void> }>(opened: A): A => {
    this.atEnd(() => opened.close()())
    return opened
  }

  /** A process was killed: its connections end, and with them the transactions that it had begun. */
  async ended(): Promise<void> {
    await this.server?.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'rxweir %'`,
    )
  }

  /** What was opened last is closed first. */
  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close()
  }
}

/** A source, as each process opens it: of readings, or of lines that say them. */
export type SourceOf = (life: Life) => ReplayableSource<Reading | string>

/** Where state and checkpoints go, as each process opens them. */
export interface Opened {
  readonly storage: CheckpointStorage
  readonly state?: StateBackend
  /** It has something of the machine open, which is closed when the test is over. */
  readonly closes?: true
}
export type StorageOf = (life: Life) => Opened

/** A target, as each process opens it and as a reader sees it. */
export interface Target {
  sink(life: Life, storage: CheckpointStorage): TransactionalSink<Counted>
  /** Called for each record that passes before the sink. */
  tapped?(life: Life, value: Counted): void
  seen(): Promise<readonly Seen[]>
}

/** How a kind of part is made in the world of a cell. */
export type Made<A> = (rig: Rig) => A | Promise<A>
