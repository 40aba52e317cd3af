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
  /** What is under way is called so. */
  readonly name: 'storage' | 'savepoint'
  /** A checkpoint became durable; one that was moved was written whole. */
  published(life: Life, id: number, moved: boolean): void
  read(life: Life, found: Found): void
  /** The process begins to take over from checkpoint `from`: answers what is called when it has, with its epoch. */
  takesOver(life: Life, from: number): (epoch: number) => void
}

/** Of a storage that is not the job's own nobody notes anything. */
const savepoint: StorageWatch = { name: 'savepoint', published() {}, read() {}, takesOver: () => () => {} }

export function storageIn(life: Life, storage: CheckpointStorage, watch: StorageWatch = savepoint): CheckpointStorage {
  const port: Port<BackendError> = { life, kind: 'storage', failure: () => new BackendError('BACKEND_IO', injected) }
  return {
    manifest: storage.manifest,
    open: (job, options) => async () => {
      const opened = await asked(port, `${watch.name} open`, storage.open(job, options))()
      if (E.isLeft(opened)) return opened
      life.open += 1
      return E.right(sessionIn(port, opened.right, watch))
    },
  }
}

function sessionIn(port: Port<BackendError>, session: CheckpointSession, watch: StorageWatch): CheckpointSession {
  const { life } = port
  const { name } = watch
  let open = true
  const original = new WeakMap<StoredCheckpoint, StoredCheckpoint>()
  const seenOf = (stored: StoredCheckpoint, note: (chunk: RowChunk) => void): StoredCheckpoint => ({
    checkpointId: stored.checkpointId,
    epoch: stored.epoch,
    body: stored.body,
    readRows: (visit) =>
      asked(
        port,
        `${name} readRows`,
        stored.readRows((chunk) => {
          if (life.dead) return undefined
          note(chunk)
          return visit(chunk)
        }),
      ),
  })
  return {
    latest: () => async () => {
      const latest = await asked(port, `${name} latest`, session.latest())()
      if (E.isLeft(latest)) return latest
      const stored = O.toUndefined(latest.right)
      const found: Found = { stored, chunks: [] }
      watch.read(life, found)
      if (stored === undefined) return E.right(O.none)
      const seen = seenOf(stored, (chunk) => void found.chunks.push({ ...chunk, bytes: chunk.bytes.slice() }))
      original.set(seen, stored)
      return E.right(O.some(seen))
    },
    takeOver: (from, above) =>
      asked(port, `${name} takeOver`, async () => {
        const tookOver = watch.takesOver(life, O.isSome(from) ? from.value.checkpointId : 0)
        const answer = await session.takeOver(O.map((seen: StoredCheckpoint) => original.get(seen) ?? seen)(from), above)()
        if (E.isRight(answer)) tookOver(answer.right)
        return answer
      }),
    hold: (id) => async () => {
      const held = await asked(port, `${name} hold`, session.hold(id))()
      return E.isLeft(held) ? held : E.right(O.map((stored: StoredCheckpoint) => seenOf(stored, () => {}))(held.right))
    },
    letGo: (id) => session.letGo(id),
    begin(id, options) {
      // In the storage of a job only what comes from elsewhere is written whole.
      const moved = name === 'storage' && options?.whole === true
      return writerIn(port, session.begin(id, options), moved ? 'move' : name, () => watch.published(life, id, moved))
    },
    retained: () => session.retained(),
    idle: () => session.idle(),
    close: () => () => {
      // The publishing gate closes in the call, not when the world has its turn.
      const closing = life.dead ? Promise.resolve() : session.close()()
      return life.ask('storage', `${name} close`, async () => {
        await closing
        if (open) life.open -= 1
        open = false
      })
    },
  }
}

function writerIn(port: Port<BackendError>, writer: CheckpointWriter, name: string, published: () => void): CheckpointWriter {
  return {
    write: (chunk) => asked(port, `${name} write`, writer.write(chunk)),
    publish: (body) =>
      asked(port, `${name} publish`, async () => {
        const answer = await writer.publish(body)()
        if (E.isRight(answer)) published()
        return answer
      }),
    abort: () => () => port.life.ask('storage', `${name} abort`, () => writer.abort()()),
  }
}
