/**
 * Ports as a simulated process sees them: every call and every answer waits until the schedule lets it go on, some calls fail,
 * and after the death of the process nothing has an effect and nothing answers.
 */
import { either as E, option as O, type taskEither } from 'fp-ts'
import { BackendError, SinkError, SourceError } from '../../lib/errors.js'
import type { CheckpointSession, CheckpointStorage, CheckpointWriter, RowChunk, StoredCheckpoint } from '../../lib/ports/checkpointStorage.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import type { ReplayableSource, SourceReader } from '../../lib/ports/replayableSource.js'
import type { CommittedUpTo, SinkWriter, TransactionalSink } from '../../lib/ports/transactionalSink.js'
import type { Life } from './life.js'
import type { Slow } from './world.js'

/** Every failure that a simulation makes says so. */
const injected = { injected: true } as const

interface Port<E> {
  readonly life: Life
  readonly kind: Slow
  readonly failure: () => E
}

/** A call that may fail before it has an effect. */
const asked =
  <E, A>({ life, kind, failure }: Port<E>, label: string, call: taskEither.TaskEither<E, A>): taskEither.TaskEither<E, A> =>
  () =>
    life.ask(kind, label, async () => (life.fault(kind) ? E.left(failure()) : call()))

/** What a recovery has found, for whoever compares it. */
export interface Found {
  stored: StoredCheckpoint | undefined
  chunks: RowChunk[]
}

export interface StorageWatch {
  /** A checkpoint became durable. */
  published(life: Life, id: number): void
  read(life: Life, found: Found): void
  /** The process went on from checkpoint `from`, and fenced every other. */
  tookOver(life: Life, from: number): void
}

export function storageIn(life: Life, storage: CheckpointStorage, watch: StorageWatch): CheckpointStorage {
  const port: Port<BackendError> = { life, kind: 'storage', failure: () => new BackendError('BACKEND_IO', injected) }
  return {
    manifest: storage.manifest,
    open: (job) => async () => {
      const opened = await asked(port, 'storage open', storage.open(job))()
      if (E.isLeft(opened)) return opened
      life.open += 1
      return E.right(sessionIn(port, opened.right, watch))
    },
  }
}

function sessionIn(port: Port<BackendError>, session: CheckpointSession, watch: StorageWatch): CheckpointSession {
  const { life } = port
  let open = true
  const original = new WeakMap<StoredCheckpoint, StoredCheckpoint>()
  return {
    latest: () => async () => {
      const latest = await asked(port, 'storage latest', session.latest())()
      if (E.isLeft(latest)) return latest
      const stored = O.toUndefined(latest.right)
      const found: Found = { stored, chunks: [] }
      watch.read(life, found)
      if (stored === undefined) return E.right(O.none)
      const seen: StoredCheckpoint = {
        checkpointId: stored.checkpointId,
        epoch: stored.epoch,
        body: stored.body,
        readRows: (visit) =>
          asked(
            port,
            'storage readRows',
            stored.readRows((chunk) => {
              if (life.dead) return
              found.chunks.push({ ...chunk, bytes: chunk.bytes.slice() })
              visit(chunk)
            }),
          ),
      }
      original.set(seen, stored)
      return E.right(O.some(seen))
    },
    takeOver: (from) =>
      asked(port, 'storage takeOver', async () => {
        const answer = await session.takeOver(O.map((seen: StoredCheckpoint) => original.get(seen) ?? seen)(from))()
        if (E.isRight(answer)) watch.tookOver(life, O.isSome(from) ? from.value.checkpointId : 0)
        return answer
      }),
    begin: (id) => writerIn(port, session.begin(id), () => watch.published(life, id)),
    retained: () => session.retained(),
    idle: () => session.idle(),
    close: () => () => {
      // The publishing gate closes in the call, not when the world has its turn.
      const closing = life.dead ? Promise.resolve() : session.close()()
      return life.ask('storage', 'storage close', async () => {
        await closing
        if (open) life.open -= 1
        open = false
      })
    },
  }
}

function writerIn(port: Port<BackendError>, writer: CheckpointWriter, published: () => void): CheckpointWriter {
  return {
    write: (chunk) => asked(port, 'storage write', writer.write(chunk)),
    publish: (body) =>
      asked(port, 'storage publish', async () => {
        const answer = await writer.publish(body)()
        if (E.isRight(answer)) published()
        return answer
      }),
    abort: () => () => port.life.ask('storage', 'storage abort', () => writer.abort()()),
  }
}

export interface SinkWatch {
  committed(life: Life, checkpointId: number | undefined): void
}

export function sinkIn(life: Life, sink: TransactionalSink<unknown>, watch: SinkWatch): TransactionalSink<unknown> {
  const port: Port<SinkError> = { life, kind: 'sink', failure: () => new SinkError('SINK_IO', injected) }
  return {
    commits: 'transactional',
    open: (context) => async () => {
      const opened = await (asked(port as Port<never>, 'sink open', sink.open(context)) as ReturnType<typeof sink.open>)()
      if (E.isLeft(opened)) return opened
      life.open += 1
      return E.right(sinkWriterIn(port, opened.right, watch))
    },
  }
}

function sinkWriterIn(port: Port<SinkError>, writer: SinkWriter<unknown>, watch: SinkWatch): SinkWriter<unknown> {
  const { life } = port
  const ids = new Map<string, number>()
  let open = true
  return {
    committedUpTo: (): taskEither.TaskEither<SinkError, O.Option<CommittedUpTo>> => asked(port, 'sink committedUpTo', writer.committedUpTo()),
    abortOthers: () => asked(port, 'sink abortOthers', writer.abortOthers()),
    write(value, timestamp, key) {
      if (life.mark('record written')) writer.write(value, timestamp, key)
    },
    full: () => !life.dead && writer.full(),
    drained: () => writer.drained(),
    preCommit(checkpointId) {
      if (life.dead) return () => new Promise<never>(() => {})
      const prepare = writer.preCommit(checkpointId)
      return () =>
        life.ask('sink', 'sink preCommit', async () => {
          const made = await prepare()
          if (E.isRight(made) && O.isSome(made.right)) ids.set(JSON.stringify(made.right.value), checkpointId)
          return made
        })
    },
    commit: (handle) => async () => {
      const fails = life.fault('sink')
      // The call got lost, or its answer did.
      const unheard = fails && life.world.random() < 0.5
      const answer = await life.ask('sink', 'sink commit', async () => {
        if (unheard) return E.left(port.failure())
        const committed = await writer.commit(handle)()
        if (E.isRight(committed)) watch.committed(life, ids.get(JSON.stringify(handle)))
        return committed
      })
      return fails && E.isRight(answer) ? E.left(port.failure()) : answer
    },
    close: () => () =>
      life.ask('sink', 'sink close', async () => {
        await writer.close()()
        if (open) life.open -= 1
        open = false
      }),
  }
}

export function sourceIn<T>(life: Life, source: ReplayableSource<T>): ReplayableSource<T> {
  const port: Port<SourceError> = { life, kind: 'source', failure: () => new SourceError('SOURCE_IO', injected) }
  return {
    offsets: 'replayable',
    deadLetters: source.deadLetters,
    open: (context) => async () => {
      const opened = await (asked(port as Port<never>, 'source open', source.open(context)) as ReturnType<typeof source.open>)()
      if (E.isLeft(opened)) return opened
      life.open += 1
      return E.right(readerIn(port, opened.right))
    },
  }
}

function readerIn<T>(port: Port<SourceError>, reader: SourceReader<T>): SourceReader<T> {
  const { life } = port
  let open = true
  return {
    start: reader.start,
    read: (recordsMax) => asked(port, 'source read', reader.read(recordsMax)),
    close: () => () =>
      life.ask('source', 'source close', async () => {
        await reader.close()()
        if (open) life.open -= 1
        open = false
      }),
  }
}

/** Files as one process sees them: each call waits its turn, and after the death of the process none has an effect. */
export function filesIn(life: Life, files: FileLayer): FileLayer {
  const step = (label: string): Promise<void> => life.step('storage', `file ${label}`)
  const opened = (file: OpenFile): OpenFile => {
    life.open += 1
    return openFile(file)
  }
  const openFile = (file: OpenFile): OpenFile => ({
    write: async (bytes, position) => (await step('write'), file.write(bytes, position)),
    read: async (into, position) => (await step('read'), file.read(into, position)),
    sync: async () => (await step('sync'), file.sync()),
    size: async () => (await step('size'), file.size()),
    truncate: async (bytes) => (await step('truncate'), file.truncate(bytes)),
    close: async () => {
      await step('close')
      await file.close()
      life.open -= 1
    },
  })
  return {
    create: async (path) => (await step('create'), opened(await files.create(path))),
    open: async (path) => (await step('open'), opened(await files.open(path))),
    link: async (from, to) => (await step('link'), files.link(from, to)),
    rename: async (from, to) => (await step('rename'), files.rename(from, to)),
    unlink: async (path) => (await step('unlink'), files.unlink(path)),
    makeDirectory: async (path) => (await step('makeDirectory'), files.makeDirectory(path)),
    list: async (path) => (await step('list'), files.list(path)),
    size: async (path) => (await step('size'), files.size(path)),
    syncDirectory: async (path) => (await step('syncDirectory'), files.syncDirectory(path)),
  }
}
