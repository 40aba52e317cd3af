import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import { afterAll, describe, it } from 'vitest'
import { level, levelIn } from '../../backends/level/level.js'
import { backendLaws } from '../../laws/backendLaws.js'
import { journalLaws } from '../../laws/journalLaws.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { liveStorage } from '../support/pagedPlaces.js'

const folder = mkdtempSync(join(tmpdir(), 'rxweir-'))
const onDisk = new ClassicLevel(join(folder, 'database'))
afterAll(async () => {
  await onDisk.close()
  rmSync(folder, { recursive: true })
})

let cases = 0
/** Parts of one database are as good as a new one each, and nothing is to be opened. */
const part = (database: ClassicLevel | MemoryLevel) => {
  const sublevel = `case-${(cases += 1)}`
  return () => levelIn(new WeakMap(), database, { sublevel })
}

for (const [name, database, runs] of [
  ['memory-level', new MemoryLevel(), 5],
  ['classic-level', onDisk, 2],
] as const) {
  describe(`checkpoints in ${name}`, () => {
    const make = () => {
      const storage = part(database)
      return { storage: storage(), otherProcess: storage }
    }
    for (const law of storageLaws(make, { twoProcesses: true })) it(`${law.name}: ${law.statement}`, () => law.check({ runs }))
  })

  describe(`the journal in ${name}`, () => {
    const make = async () => ({ storage: part(database), dispose: async () => undefined })
    for (const law of journalLaws(make)) it(`${law.name}: ${law.statement}`, () => law.check({ runs }))
  })
}

describe('live rows in a database', () => {
  // Without a session they have no store; test/unit/pagedTables.test.ts tries them with one.
  for (const law of backendLaws(() => level(new MemoryLevel()).state)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 50 }))
})

describe('checkpoints of which every table has an index', () => {
  const make = () => {
    const name = ['rxweir', `case-${(cases += 1)}`] as const
    const database = new MemoryLevel()
    return { storage: liveStorage(new WeakMap(), database, name), otherProcess: () => liveStorage(new WeakMap(), database, name) }
  }
  for (const law of storageLaws(make, { twoProcesses: true })) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 3 }))
})
