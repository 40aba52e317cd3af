import { describe, it } from 'vitest'
import { postgresStorage } from '../../backends/postgres/postgresStorage.js'
import { storageLaws } from '../../laws/storageLaws.js'
import type { TestDatabase } from './database.js'

export function storageSuite(database: () => TestDatabase): void {
  describe('postgresStorage', () => {
    const make = async () => {
      const storage = () => postgresStorage({ connection: database().address, schema: 'laws' })
      await database().emptySchema('laws')
      return { storage: storage(), otherProcess: storage }
    }
    for (const law of storageLaws(make, { twoProcesses: true })) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 5 }))
  })
}
