import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { MemoryLevel } from 'memory-level'
import { describe, it } from 'vitest'
import { indexeddbIn } from '../../backends/indexeddb/indexeddb.js'
import { levelIn } from '../../backends/level/level.js'
import { journalLaws } from '../../laws/journalLaws.js'
import { storageLaws } from '../../laws/storageLaws.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { encryption } from '../support/sealingKeys.js'
import { TabLocks } from '../support/tabLocks.js'

const sealed = { encryption: encryption(1), compression: 'zlib' } as const

const database = new MemoryLevel()
let parts = 0
const ofLevel = (): (() => CheckpointStorage) => {
  const sublevel = `part-${(parts += 1)}`
  return () => levelIn(new WeakMap(), database, { sublevel, ...sealed })
}
const ofIndexeddb = (): (() => CheckpointStorage) => {
  const indexedDB = new IDBFactory()
  return () => indexeddbIn(new WeakMap(), { ...sealed, browser: { indexedDB, IDBKeyRange, locks: new TabLocks() } })
}

for (const [name, open] of [
  ['level that is compressed and sealed', ofLevel],
  ['IndexedDB that is compressed and sealed', ofIndexeddb],
] as const) {
  describe(`checkpoints in ${name}`, () => {
    const make = () => {
      const storage = open()
      return { storage: storage(), otherProcess: storage }
    }
    for (const law of storageLaws(make, { twoProcesses: true })) it(`keeps the law ${law.name}: ${law.statement}`, () => law.check({ runs: 2 }))
  })

  describe(`the journal in ${name}`, () => {
    const make = async () => ({ storage: open(), dispose: async () => undefined })
    for (const law of journalLaws(make)) it(`keeps the law ${law.name}: ${law.statement}`, () => law.check({ runs: 2 }))
  })
}
