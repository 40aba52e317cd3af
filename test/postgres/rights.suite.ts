import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { postgresStorage } from '../../backends/postgres/postgresStorage.js'
import { postgresTables } from '../../backends/postgres/tables.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { jobName } from '../../lib/identity.js'
import { unwrap } from '../../lib/task.js'
import type { TestDatabase } from './database.js'

const job = jobName('rights')

export function rightsSuite(database: () => TestDatabase): void {
  describe('what a role may do', () => {
    it('a role that may make nothing has all that a job needs from the script', async () => {
      await database().query('CREATE ROLE worker LOGIN')
      await database().query(postgresTables({ schema: 'granted', role: 'worker' }))
      const connection = { ...database().address, user: 'worker' }
      const make = async () => {
        await database().emptySchema('granted')
        return { storage: postgresStorage({ connection, schema: 'granted', createTables: false }) }
      }
      for (const law of storageLaws(make, { twoProcesses: false })) await law.check({ runs: 1 })
    })

    it('a role that owns its schema makes its tables there', async () => {
      await database().query('CREATE ROLE tenant LOGIN; CREATE SCHEMA rented AUTHORIZATION tenant')
      const storage = postgresStorage({ connection: { ...database().address, user: 'tenant' }, schema: 'rented' })
      const session = await unwrap(storage.open(job))
      await unwrap(session.latest())
      expect(await unwrap(session.takeOver(O.none))).toBe(1)
      await session.close()()
    })

    it('the script can be run again, and is what a storage makes by itself', async () => {
      const shapeOf = (schema: string) =>
        database().query(
          `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1, 2`,
          [schema],
        )
      await database().query(postgresTables({ schema: 'scripted' }))
      await database().query(postgresTables({ schema: 'scripted' }))
      const session = await unwrap(postgresStorage({ connection: database().address, schema: 'made' }).open(job))
      await unwrap(session.latest())
      await unwrap(session.takeOver(O.none))
      await session.close()()
      expect(await shapeOf('made')).toEqual(await shapeOf('scripted'))
      expect(await shapeOf('made')).not.toEqual([])
    })

    it.each<readonly [string, { readonly connection?: object; readonly schema?: string; readonly createTables?: boolean }]>([
      ['a database that there is not', { connection: { database: 'nowhere' } }],
      ['a role that there is not', { connection: { user: 'nobody_we_know' } }],
      ['no tables, which it may not make', { schema: 'unmade', createTables: false }],
    ])('a storage says that it is refused: %s', async (_, { connection, ...options }) => {
      const storage = postgresStorage({ connection: { ...database().address, ...connection }, ...options })
      const session = await unwrap(storage.open(job))
      await expect(unwrap(session.latest())).rejects.toMatchObject({ code: 'BACKEND_REFUSED' })
      await session.close()()
    })

    it('a storage writes nothing where it only looks', async () => {
      const session = await unwrap(postgresStorage({ connection: database().address, schema: 'untouched' }).open(job))
      expect(await unwrap(session.latest())).toEqual(O.none)
      await session.close()()
      expect(await database().query(`SELECT FROM pg_namespace WHERE nspname = 'untouched'`)).toEqual([])
    })

    it('tables of a newer release are refused', async () => {
      await database().query(postgresTables({ schema: 'newer' }))
      await database().query('UPDATE newer.format SET format = 99')
      const session = await unwrap(postgresStorage({ connection: database().address, schema: 'newer' }).open(job))
      await expect(unwrap(session.latest())).rejects.toMatchObject({ code: 'FORMAT_NEWER', details: { found: 99 } })
      await session.close()()
    })

    it('nothing that closed has left a connection open', async () => {
      const open = `SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'rxweir%'`
      // The server notices the end of a connection when it gets round to it.
      await expect.poll(() => database().query(open), { timeout: 60_000 }).toEqual([])
    })
  })
}
