import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { MemoryLevel } from 'memory-level'
import { directory } from '../../backends/directory/directory.js'
import { indexeddbIn } from '../../backends/indexeddb/indexeddb.js'
import { levelIn } from '../../backends/level/level.js'
import { lmdbIn } from '../../backends/lmdb/lmdb.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { postgresStorage } from '../../backends/postgres/postgresStorage.js'
import { filesIn } from '../../laws/simulation/filesIn.js'
import { TabLocks } from '../support/tabLocks.js'
import type { StorageName } from './cells.js'
import type { Made, StorageOf } from './rig.js'

export const guaranteed = 'guaranteed'

/** The storages by the name that they have in the tables. Each process has sessions of its own. */
export const storages: { readonly [name in StorageName]: Made<StorageOf> } = {
  memory: () => {
    const store = new MemoryStore()
    return () => ({ storage: memory({ store }) })
  },
  directory: (rig) => (life) => ({ storage: directory('/state', { files: filesIn(life, rig.files), clock: life }) }),
  lmdb: async (rig) => {
    const path = await rig.folder()
    return (life) => ({ ...lmdbIn(new Map(), path, { clock: life }), closes: true })
  },
  level: () => {
    const database = new MemoryLevel()
    return (life) => {
      const { state, storage } = levelIn(new WeakMap(), database, { clock: life })
      return { state, storage }
    }
  },
  postgres: async (rig) => {
    await rig.database.emptySchema(guaranteed)
    return (life) => ({ storage: postgresStorage({ connection: rig.database.address, schema: guaranteed, clock: life }), closes: true })
  },
  indexeddb: () => {
    const indexedDB = new IDBFactory()
    return (life) => ({ storage: indexeddbIn(new WeakMap(), { browser: { indexedDB, IDBKeyRange, locks: new TabLocks() }, clock: life }) })
  },
}
