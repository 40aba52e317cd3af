import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPostgres, type PostgresServer, postgresServer } from '../support/postgresServer.js'
import { type TestDatabase, testDatabase } from './database.js'
import { faultsSuite } from './faults.suite.js'
import { goldenSuite } from './golden.suite.js'
import { guaranteesSuite } from './guarantees.suite.js'
import { jobsSuite } from './jobs.suite.js'
import { rightsSuite } from './rights.suite.js'
import { sealingSuite } from './sealing.suite.js'
import { sinksSuite } from './sinks.suite.js'
import { sourceSuite } from './source.suite.js'
import { storageSuite } from './storage.suite.js'

const isMissing = !hasPostgres()

it.skipIf(isMissing && process.env['RXWEIR_REQUIRE_SERVICES'] !== '1')('there is a server of Postgres to test with', () => {
  expect(isMissing, 'install the package postgresql, or let npm install optional packages').toBe(false)
})

describe.skipIf(isMissing)('on a server of Postgres', () => {
  let server: PostgresServer | undefined
  let database: TestDatabase | undefined
  beforeAll(async () => {
    server = await postgresServer()
    database = await testDatabase(server, 'suites')
  })
  afterAll(async () => {
    await database?.close()
    await server?.remove()
  })
  const ours = (): TestDatabase => database as TestDatabase

  storageSuite(ours)
  sealingSuite(ours)
  sinksSuite(ours)
  sourceSuite(ours)
  faultsSuite(ours)
  jobsSuite(ours)
  rightsSuite(ours)
  goldenSuite(ours)
  guaranteesSuite(ours)
})
