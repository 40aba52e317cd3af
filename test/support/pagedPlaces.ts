import { rm } from 'node:fs/promises'
import { MemoryLevel } from 'memory-level'
import { level } from '../../backends/level/level.js'
import { LevelStore } from '../../backends/level/levelStore.js'
import { LiveTables } from '../../backends/level/liveTables.js'
import { type LmdbOptions, lmdbIn } from '../../backends/lmdb/lmdb.js'
import { lmdbTables } from '../../backends/lmdb/lmdbTables.js'
import { systemClock } from '../../lib/clock.js'
import { jobName } from '../../lib/identity.js'
import { attempt } from '../../lib/keyValue/attempt.js'
import { LiveSession } from '../../lib/keyValue/liveSession.js'
import { claim, type OpenSessions } from '../../lib/keyValue/openSessions.js'
import type { PagedTables } from '../../lib/paged/pagedTables.js'
import type { CheckpointSession, CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { StateRun } from '../../lib/ports/stateBackend.js'
import { unwrap } from '../../lib/task.js'
import { encryption } from './sealingKeys.js'
import { temporaryDirectory } from './temporary.js'

/** A store, and what processes that come one after the other have of it: tables with a cache of very few rows, and their session. */
export interface PagedPlace {
  open(run?: StateRun): Promise<{ readonly tables: PagedTables; readonly session: CheckpointSession }>
  dispose(): Promise<void>
}

const job = jobName('tables')
const limits = { cacheBytesMax: 1_500, dirtyBytesMax: Number.POSITIVE_INFINITY }
const alone: StateRun = { askCheckpoint() {}, pause: () => () => {} }

async function inLmdb(options: LmdbOptions = {}): Promise<PagedPlace> {
  const path = await temporaryDirectory()
  return {
    open: async (run = alone) => ({
      tables: lmdbTables({ file: `${path}/${job}/store.mdb`, ...limits }, run),
      session: await unwrap(lmdbIn(new Map(), path, options).storage.open(job)),
    }),
    dispose: () => rm(path, { recursive: true }),
  }
}

/** Checkpoints in a part of a database, with an index of every table, as if all were read while the job runs. */
export const liveStorage = (sessions: OpenSessions, database: MemoryLevel, name: readonly string[]): CheckpointStorage => ({
  manifest: level(database).manifest,
  open: (opened, { readOnly = false } = {}) =>
    attempt(async () => {
      const closing = readOnly ? () => undefined : await claim(sessions, database, `${name.join('/')}/${opened}`)
      const store = new LevelStore(database, [...name, opened])
      return new LiveSession(store, store.look, { job: opened, retainedCheckpoints: 2, clock: systemClock, readOnly, closing, isIndexed: () => true })
    }),
})

async function inLevel(): Promise<PagedPlace> {
  const database = new MemoryLevel()
  await database.open()
  return {
    async open(run = alone) {
      const live = new LiveTables({ sublevel: 'rxweir', ...limits })
      const tables = (await unwrap(live.state.open(job, run))) as PagedTables
      const store = new LevelStore(database, ['rxweir', job])
      const settings = { job, retainedCheckpoints: 2, clock: systemClock, readOnly: false, closing: () => undefined }
      const session = new LiveSession(store, store.look, { ...settings, isIndexed: live.tablesOf(job) })
      return { tables, session: live.opened(session, session) }
    },
    dispose: () => database.close(),
  }
}

export const pagedPlaces: Readonly<Record<string, () => Promise<PagedPlace>>> = {
  lmdb: inLmdb,
  'lmdb that is sealed': () => inLmdb({ encryption: encryption(1), compression: 'zlib' }),
  level: inLevel,
}
