import pg from 'pg'
import { expect, it } from 'vitest'
import { postgresDriver } from '../../backends/postgres/driver.js'

it('the driver of Postgres is loaded when it is needed', async () => {
  expect((await postgresDriver()).Client).toBe(pg.Client)
})

it('without the package pg nothing of Postgres opens', async () => {
  const missing = async (): Promise<never> => {
    throw new Error("Cannot find package 'pg'")
  }
  await expect(postgresDriver(missing)).rejects.toMatchObject({ code: 'PACKAGE_MISSING', details: { package: 'pg' } })
})
