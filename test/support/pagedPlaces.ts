import { rm } from 'node:fs/promises'
import { MemoryLevel } from 'memory-level'
import { LevelStore } from '../../backends/level/levelStore.js'
import { LiveTables } from '../../backends/level/liveTables.js'
import { lmdbIn } from '../../backends/lmdb/lmdb.js'
import { lmdbTables } from '../../backends/lmdb/lmdbTables.js'
import { systemClock } from '../../lib/clock.js'
import { jobName } from '../../lib/identity.js'
import { LiveSession } from '../../lib/keyValue/liveSession.js'
import type { PagedTables } from '../../lib/paged/pagedTables.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import type { StateRun } from '../../lib/ports/stateBackend.js'
import { unwrap } from '../../lib/task.js'
import { temporaryDirectory } from './temporary.js'

/** A store, and what processes that come one after the other have of it: tables with a cache of very few rows, and their session. */
export interface PagedPlace {
  open(run?: StateRun): Promise<{ readonly tables: PagedTables; readonly session: CheckpointSession }>
  dispose(): Promise<void>
}

const job = jobName('tables')
const limits = { cacheBytesMax: 1_500, dirtyBytesMax: Number.POSITIVE_INFINITY }
const alone: StateRun = { askCheckpoint() {}, pause: () => () => {} }

async function inLmdb(): Promise<PagedPlace> {
  const path = await temporaryDirectory()
  return {
    open: async (run = alone) => ({
      tables: lmdbTables({ file: `${path}/${job}/store.mdb`, ...limits }, run),
      session: await unwrap(lmdbIn(new Map(), path).storage.open(job)),
    }),
    dispose: () => rm(path, { recursive: true }),
  }
}

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

export const pagedPlaces: Readonly<Record<string, () => Promise<PagedPlace>>> = { lmdb: inLmdb, level: inLevel }
