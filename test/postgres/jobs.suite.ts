import fc from 'fast-check'
import * as t from 'io-ts'
import { lastValueFrom, retry } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memory } from '../../backends/memory/memoryStorage.js'
import type { PostgresAddress } from '../../backends/postgres/connection.js'
import { postgresSink } from '../../backends/postgres/postgresSink.js'
import { postgresSource } from '../../backends/postgres/postgresSource.js'
import { postgresStorage } from '../../backends/postgres/postgresStorage.js'
import { eagerClock } from '../../laws/eagerClock.js'
import { defineJob, type Job } from '../../lib/job.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { type Fate, type PostgresProxy, postgresProxy } from '../support/postgresProxy.js'
import type { TestDatabase } from './database.js'

const Sale = t.type({ customer: t.string, amount: t.number })
const customers = ['ada', 'bob', 'cy']

interface Total {
  readonly customer: string
  readonly total: number
}

interface TotallingOptions {
  readonly follow?: boolean
  readonly schema?: string
  readonly from?: CheckpointStorage
  readonly intervalMs?: number
}

export function jobsSuite(database: () => TestDatabase): void {
  let proxy: PostgresProxy
  beforeEach(async () => {
    proxy = await postgresProxy(database().server.port)
  })
  afterEach(() => proxy.close())

  const query = <Row extends object>(text: string) => database().query<Row>(text)
  const empty = async (): Promise<void> => {
    await database().emptySchema('jobs')
    for (const table of ['sales', 'shared', 'ledgered', 'newest']) await query(`DROP TABLE IF EXISTS ${table}`)
    await query('CREATE TABLE sales (xid xid8 NOT NULL DEFAULT pg_current_xact_id(), id serial, customer text, amount int)')
    for (const table of ['shared', 'ledgered']) await query(`CREATE TABLE ${table} (n serial, customer text, total int)`)
    await query('CREATE TABLE newest (customer text PRIMARY KEY, total int)')
  }
  const sell = (from: number, to: number) =>
    query(`INSERT INTO sales (customer, amount) SELECT (ARRAY['ada','bob','cy'])[1 + n % 3], n FROM generate_series(${from}, ${to}) n`)
  /** Totals of each customer, as the sales make them. */
  const totalsOf = (from: number, to: number): readonly Total[] => {
    const totals = new Map<string, number>()
    return Array.from({ length: to - from + 1 }, (_, index) => {
      const amount = from + index
      const customer = customers[amount % 3] as string
      totals.set(customer, (totals.get(customer) ?? 0) + amount)
      return { customer, total: totals.get(customer) as number }
    })
  }
  /** Reads sales, and writes running totals to three tables: in the transaction of the checkpoint, and behind a ledger. */
  const totalling = (connection: PostgresAddress, { follow = false, schema = 'jobs', from, intervalMs = 5 }: TotallingOptions = {}): Job => {
    const storage = postgresStorage({ connection, schema, clock: eagerClock() })
    const columns = ['customer', 'total']
    const restore = from === undefined ? {} : { restore: { from } }
    return defineJob('totals', { storage, checkpoints: { intervalMs, tolerableFailures: 3 }, ...restore }, ({ source, sink }) => {
      const sales = postgresSource({ connection, table: 'sales', columns: ['customer', 'amount'], codec: Sale, pollMs: 2, follow })
      const totals = source('sales', sales).pipe(
        keyBy(({ customer }) => customer),
        statefulMap('total', { state: t.number, initial: 0 }, (total, { customer, amount }: t.TypeOf<typeof Sale>) => [
          total + amount,
          { customer, total: total + amount },
        ]),
      )
      return [
        totals.pipe(sink('shared', postgresSink<Total>({ storage, table: 'shared', columns }))),
        totals.pipe(sink('ledgered', postgresSink<Total>({ connection, schema: 'jobs', table: 'ledgered', columns }))),
        totals.pipe(
          sink('newest', postgresSink<Total>({ storage, table: 'newest', columns, onConflict: { columns: ['customer'], action: 'update' } })),
        ),
      ]
    })
  }
  const expectTotals = async (expected: readonly Total[]): Promise<void> => {
    for (const table of ['shared', 'ledgered']) {
      const found = await query<Total>(`SELECT customer, total FROM ${table} ORDER BY n`)
      expect(found, table).toEqual(expected)
    }
    const newest = customers.map((customer) => expected.findLast((total) => total.customer === customer))
    expect(await query('SELECT * FROM newest ORDER BY customer')).toEqual(newest.filter((total) => total !== undefined))
  }

  describe('a job on Postgres', () => {
    it('counts each row once, wherever its connections are cut', async () => {
      let cuts = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom<Fate>('lost', 'unanswered')), { minLength: 2, maxLength: 4 }),
          async (plan) => {
            await empty()
            await sell(1, 40)
            const fates = [...plan]
            let next = fates.shift()
            let at = proxy.statements + (next?.[0] ?? 0)
            proxy.fate = () => {
              if (next === undefined || proxy.statements < at) return 'pass'
              const [, fate] = next
              next = fates.shift()
              at = proxy.statements + (next?.[0] ?? 0)
              cuts += 1
              return fate
            }
            const connection = { ...database().address, port: proxy.port }
            await lastValueFrom(totalling(connection).pipe(retry({ count: 50 })), { defaultValue: undefined })
            await expectTotals(totalsOf(1, 40))
          },
        ),
        { numRuns: 6 },
      )
      expect(cuts).toBeGreaterThanOrEqual(6)
    })

    it('counts each row once when the server is killed in the middle', async () => {
      await empty()
      await sell(1, 300)
      const { server, address } = database()
      const connection = { ...address, port: proxy.port }
      const job = totalling(connection, { follow: true })
      let failures = 0
      const run = job.pipe(retry({ delay: async () => void (failures += 1) })).subscribe()
      for (const round of [1, 2]) {
        await proxy.seen('INSERT INTO "jobs"."checkpoints"')
        await server.kill()
        await server.start()
        await sell(300 * round + 1, 300 * round + 300)
      }
      await expect.poll(() => query('SELECT count(*)::int AS n FROM ledgered'), { timeout: 60_000 }).toEqual([{ n: 900 }])
      run.unsubscribe()
      await lastValueFrom(totalling(address), { defaultValue: undefined })
      await expectTotals(totalsOf(1, 900))
      expect(failures).toBeGreaterThan(0)
    })

    it('that is taken over from stops with its code, and the other one goes on', async () => {
      await empty()
      await sell(1, 50)
      const { address } = database()
      const first = lastValueFrom(totalling(address, { follow: true, intervalMs: 50 }))
      await expect.poll(() => query('SELECT count(*)::int AS n FROM shared'), { timeout: 60_000 }).toEqual([{ n: 50 }])
      // While it looks for the newest checkpoint the first may publish another one; then it looks again, a few times.
      const second = lastValueFrom(totalling(address).pipe(retry({ count: 20 })), { defaultValue: undefined })
      await sell(51, 80)
      await expect(first).rejects.toMatchObject({ code: expect.stringMatching(/^(BACKEND|SINK)_FENCED$/) })
      await second
      await lastValueFrom(totalling(address), { defaultValue: undefined })
      await expectTotals(totalsOf(1, 80))
    })

    it('moves with a savepoint, to another storage and from there into an empty schema', async () => {
      await empty()
      await database().emptySchema('moved')
      await sell(1, 50)
      const { address } = database()
      const running = async (options: TotallingOptions, sales: number) => {
        const run = totalling(address, { ...options, follow: true }).run()
        await expect.poll(() => query('SELECT count(*)::int AS n FROM ledgered'), { timeout: 60_000 }).toEqual([{ n: sales }])
        return run
      }
      const inMemory = memory()
      await (await running({}, 50)).stop({ savepoint: inMemory })
      await sell(51, 80)
      const inDatabase = postgresStorage({ connection: address, schema: 'copied' })
      const moved = await running({ schema: 'moved', from: inMemory }, 80)
      await moved.savepoint(inDatabase)
      await moved.stop()
      await database().emptySchema('again')
      await sell(81, 90)
      await (await running({ schema: 'again', from: inDatabase }, 90)).stop()
      await expectTotals(totalsOf(1, 90))
    })

    it('whose results the server refuses ends with what the server said, and without a checkpoint of them', async () => {
      await empty()
      await query('ALTER TABLE shared ADD CHECK (total < 100)')
      await sell(1, 40)
      const ended = lastValueFrom(totalling(database().address))
      await expect(ended).rejects.toMatchObject({
        code: 'BACKEND_IO',
        details: { uid: 'shared' },
        cause: { code: 'SINK_REFUSED', details: { sqlState: '23514' } },
      })
      const counts = `SELECT (SELECT count(*)::int FROM shared) AS shared, (SELECT count(*)::int FROM newest) AS newest`
      expect(await query(counts)).toEqual([{ shared: 0, newest: 0 }])
    })
  })
}
