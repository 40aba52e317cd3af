import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PostgresServer, postgresServer } from '../support/postgresServer.js'
import { type TestDatabase, testDatabase } from './database.js'
import { faultsSuite } from './faults.suite.js'
import { jobsSuite } from './jobs.suite.js'
import { rightsSuite } from './rights.suite.js'
import { sinksSuite } from './sinks.suite.js'
import { sourceSuite } from './source.suite.js'
import { storageSuite } from './storage.suite.js'

const server = await postgresServer()

it.skipIf(server === undefined && process.env['RXWEIR_REQUIRE_SERVICES'] !== '1')('there is a server of Postgres to test with', () => {
  expect(server, 'install the package postgresql, or let npm install optional packages').toBeDefined()
})

describe.skipIf(server === undefined)('on a server of Postgres', () => {
  let database: TestDatabase | undefined
  beforeAll(async () => {
    database = await testDatabase(server as PostgresServer, 'suites')
  })
  afterAll(async () => {
    await database?.close()
    await server?.remove()
  })
  const ours = (): TestDatabase => database as TestDatabase

  storageSuite(ours)
  sinksSuite(ours)
  sourceSuite(ours)
  faultsSuite(ours)
  jobsSuite(ours)
  rightsSuite(ours)
})
