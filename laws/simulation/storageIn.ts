/**
 * A storage as a simulated process sees it: every call and every answer waits until the schedule lets it go on, some calls fail, and after
 * the death of the process nothing has an effect and nothing answers.
 */
import { either as E, option as O } from 'fp-ts'
import { BackendError } from '../../lib/errors.js'
import type { CheckpointSession, CheckpointStorage, CheckpointWriter, RowChunk, StoredCheckpoint } from '../../lib/ports/checkpointStorage.js'
import type { Life } from './life.js'
import { asked, injected, type Port } from './port.js'

/** What a recovery has found, for whoever compares it. */
export interface Found {
  stored: StoredCheckpoint | undefined
  chunks: RowChunk[]
}

export interface StorageWatch {
  /** A checkpoint became durable. */
  published(life: Life, id: number): void
  read(life: Life, found: Found): void
  /** The process begins to take over from checkpoint `from`: answers what is called when it has, with its epoch. */
  takesOver(life: Life, from: number): (epoch: number) => void
}

/** Of a storage that is not the job's own nobody notes anything. */
const nobody: StorageWatch = { published() {}, read() {}, takesOver: () => () => {} }

export function storageIn(life: Life, storage: CheckpointStorage, watch: StorageWatch = nobody): CheckpointStorage {
  const port: Port<BackendError> = { life, kind: 'storage', failure: () => new BackendError('BACKEND_IO', injected) }
  return {
    manifest: storage.manifest,
    open: (job, options) => async () => {
      const opened = await asked(port, 'storage open', storage.open(job, options))()
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
              if (life.dead) return undefined
              found.chunks.push({ ...chunk, bytes: chunk.bytes.slice() })
              return visit(chunk)
            }),
          ),
      }
      original.set(seen, stored)
      return E.right(O.some(seen))
    },
    takeOver: (from, above) =>
      asked(port, 'storage takeOver', async () => {
        const tookOver = watch.takesOver(life, O.isSome(from) ? from.value.checkpointId : 0)
        const answer = await session.takeOver(O.map((seen: StoredCheckpoint) => original.get(seen) ?? seen)(from), above)()
        if (E.isRight(answer)) tookOver(answer.right)
        return answer
      }),
    hold: (id) => asked(port, 'storage hold', session.hold(id)),
    letGo: (id) => session.letGo(id),
    begin: (id, options) => writerIn(port, session.begin(id, options), () => watch.published(life, id)),
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
