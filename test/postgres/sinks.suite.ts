import fc from 'fast-check'
import { either as E, option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { type LedgerSinkOptions, postgresSink } from '../../backends/postgres/postgresSink.js'
import { postgresStorage } from '../../backends/postgres/postgresStorage.js'
import { eagerClock } from '../../laws/eagerClock.js'
import { type SinkFixture, sinkLaws } from '../../laws/sinkLaws.js'
import { checkpointId, epoch, jobName, operatorUid } from '../../lib/identity.js'
import type { SinkContext, SinkWriter } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import type { TestDatabase } from './database.js'
import { SharedRuns } from './sharedRuns.js'

interface Line {
  readonly who: string
  readonly what: unknown
}

/** What a column of texts and one of JSON can hold: no NUL, no half of a character. */
const text = fc.string({ unit: 'binary' }).map((found) => found.replaceAll('\0', ''))
const records: fc.Arbitrary<Line> = fc
  .record({
    who: text,
    what: fc.oneof(fc.integer(), text, fc.boolean(), fc.constant(null), fc.array(fc.integer(), { maxLength: 3 }), fc.record({ a: text })),
  })
  .map((line) => JSON.parse(JSON.stringify(line)))

const run = (number: number): SinkContext => ({ job: jobName('job'), uid: operatorUid('sink'), epoch: epoch(number), clock: eagerClock() })

export function sinksSuite(database: () => TestDatabase): void {
  const lines = { table: { schema: 'public', table: 'the "lines"' }, columns: ['who', 'what'] }
  const emptyTable = async (): Promise<void> => {
    await database().query('CREATE TABLE IF NOT EXISTS "the ""lines""" (n serial PRIMARY KEY, who text, what json)')
    await database().query('DELETE FROM "the ""lines"""')
    await database().emptySchema('sinks')
  }
  const committed = () => database().query<Line>('SELECT who, what FROM "the ""lines""" ORDER BY n')

  describe('postgresSink with the storage of the job', () => {
    const make = async (): Promise<SinkFixture<Line>> => {
      await emptyTable()
      const runs = new SharedRuns<Line>({ connection: database().address, schema: 'sinks' }, lines)
      return { sink: () => runs.sink(), committed, dispose: () => runs.close() }
    }
    for (const law of sinkLaws({ records, make })) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 5 }))
  })

  describe('postgresSink with a ledger', () => {
    const make = async (): Promise<SinkFixture<Line>> => {
      await emptyTable()
      return { sink: () => postgresSink<Line>({ ...lines, connection: database().address, schema: 'sinks' }), committed, dispose: async () => {} }
    }
    for (const law of sinkLaws({ records, make })) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 5 }))
  })

  describe('what postgresSink is asked to write', () => {
    /** Writes values in one transaction each, and commits them. */
    const committing = async <T>(writer: SinkWriter<T>, transactions: readonly (readonly T[])[]): Promise<void> => {
      await unwrap(writer.abortOthers())
      for (const [index, values] of transactions.entries()) {
        for (const value of values) writer.write(value, undefined, undefined)
        const handle = await unwrap(writer.preCommit(checkpointId(index + 1)))
        if (O.isSome(handle)) await unwrap(writer.commit(handle.value))
      }
    }
    const written = async <T>(options: Omit<LedgerSinkOptions<T>, 'connection'>, ...transactions: readonly (readonly T[])[]): Promise<void> => {
      const { address, emptySchema } = database()
      await emptySchema('sinks')
      const writer = await unwrap(postgresSink<T>({ connection: address, schema: 'sinks', ...options }).open(run(1)))
      await committing(writer, transactions).finally(() => writer.close()())
    }

    it('every column has the type of the table, and the others their defaults', async () => {
      await database().query(
        'CREATE TABLE kinds (at timestamptz, n bigint, exact numeric, tags text[], raw bytea, doc jsonb, ok boolean DEFAULT true)',
      )
      const columns = ['at', 'n', 'exact', 'tags', 'raw', 'doc']
      const row = { at: new Date(0), n: '9007199254740993', exact: '1.10', tags: ['a', 'b"c'], raw: '\\x00ff', doc: { a: [1, null] } }
      await written({ table: 'kinds', columns }, [row, { n: 1 }])
      expect(await database().query('SELECT * FROM kinds ORDER BY n DESC')).toEqual([
        { at: new Date(0), n: '9007199254740993', exact: '1.10', tags: ['a', 'b"c'], raw: Buffer.of(0, 255), doc: { a: [1, null] }, ok: true },
        { at: null, n: '1', exact: null, tags: null, raw: null, doc: null, ok: true },
      ])
    })

    it('what looks like SQL is text, in a value and in a name', async () => {
      const evil = `x'); DROP TABLE kinds; --"`
      await database().query(`CREATE TABLE "evil"";--" ("a""; --" text)`)
      await written({ table: 'evil";--', columns: ['a"; --'] }, [{ 'a"; --': evil }])
      expect(await database().query(`SELECT * FROM "evil"";--"`)).toEqual([{ 'a"; --': evil }])
    })

    it('a later row of a key takes the place of the earlier one, in one transaction and in the next', async () => {
      await database().query('CREATE TABLE totals (customer text UNIQUE, total int)')
      const sink = { table: 'totals', columns: ['customer', 'total'], onConflict: { columns: ['customer'], action: 'update' } } as const
      const of = (customer: string | null, total: number) => ({ customer, total })
      await written(sink, [of('ada', 1), of('bob', 2), of('ada', 3), of(null, 8), of(null, 9)], [of('bob', 4)])
      expect(await database().query('SELECT * FROM totals ORDER BY customer, total')).toEqual([of('ada', 3), of('bob', 4), of(null, 8), of(null, 9)])
    })

    it('a later row of a key is left out, where that is asked for', async () => {
      await database().query('CREATE TABLE firsts (customer text UNIQUE, total int)')
      const sink = { table: 'firsts', columns: ['customer', 'total'], onConflict: { columns: ['customer'], action: 'ignore' } } as const
      await written(
        sink,
        [
          { customer: 'ada', total: 1 },
          { customer: 'ada', total: 2 },
        ],
        [{ customer: 'ada', total: 3 }],
      )
      expect(await database().query('SELECT * FROM firsts')).toEqual([{ customer: 'ada', total: 1 }])
    })

    it.each([
      ['a row that a constraint forbids', { table: 'strict', columns: ['n'] }, { n: -1 }],
      ['a value of another type', { table: 'strict', columns: ['n'] }, { n: 'many' }],
      ['a table that there is not', { table: 'nowhere', columns: ['n'] }, { n: 1 }],
      ['a column that there is not', { table: 'strict', columns: ['m'] }, { m: 1 }],
    ])('what the server refuses is refused for good: %s', async (_, options, value) => {
      await database().query('CREATE TABLE IF NOT EXISTS strict (n int CHECK (n > 0))')
      await expect(written<object>(options, [value])).rejects.toMatchObject({ code: 'SINK_REFUSED', details: { sqlState: expect.any(String) } })
      expect(await database().query('SELECT * FROM strict')).toEqual([])
    })

    it.each([
      ['a column that is not written', { n: 1, m: 2 }],
      ['a number that JSON has no word for', { n: Number.NaN }],
      ['no object', 7],
    ])('what cannot be told to the server is no record: %s', async (_, value) => {
      await expect(written<unknown>({ table: 'strict', columns: ['n'] }, [value])).rejects.toMatchObject({ code: 'VALUE_NOT_ENCODABLE' })
    })

    it('names and actions are looked at before anything is opened', () => {
      const connection = database().address
      const refused = (options: object) => () => postgresSink({ connection, table: 'a', columns: ['b'], ...options })
      for (const options of [
        { table: '' },
        { table: 'a\0b' },
        { table: 'a'.repeat(64) },
        { table: { schema: '', table: 'a' } },
        { columns: [] },
        { columns: ['b', 'b'] },
        { onConflict: { columns: ['b'], action: 'replace' } },
        { schema: '' },
        { recordsMax: 0 },
        { connection: undefined },
        { attemptsMax: 0 },
        { statementTimeoutMs: Number.POSITIVE_INFINITY },
      ])
        expect(refused(options), JSON.stringify(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    })

    it('a run that was taken over from commits nothing any more', async () => {
      await emptyTable()
      const sink = postgresSink<Line>({ ...lines, connection: database().address, schema: 'sinks' })
      const old = await unwrap(sink.open(run(1)))
      const fresh = await unwrap(sink.open(run(2)))
      old.write({ who: 'old', what: 1 }, undefined, undefined)
      const handle = await unwrap(old.preCommit(checkpointId(1)))
      if (O.isNone(handle)) throw new Error('a transaction has a handle')
      await expect(unwrap(old.commit(handle.value))).rejects.toMatchObject({ code: 'SINK_FENCED' })
      await expect(unwrap(sink.open(run(1)))).rejects.toMatchObject({ code: 'SINK_FENCED' })
      await unwrap(fresh.commit(handle.value))
      expect(await committed()).toEqual([{ who: 'old', what: 1 }])
      await Promise.all([old.close()(), fresh.close()()])
    })

    it('the ledger keeps what it may be asked for, and no more', async () => {
      await emptyTable()
      const entries = async () =>
        (await database().query<{ n: number }>('SELECT checkpoint::int AS n FROM sinks.ledger ORDER BY n')).map(({ n }) => n)
      await database().query(`INSERT INTO sinks.ledger SELECT 'job', 'sink', 0, n FROM generate_series(1, 1300) n`)
      const writer = await unwrap(postgresSink<Line>({ ...lines, connection: database().address, schema: 'sinks' }).open(run(1)))
      await committing(
        writer,
        [1, 2].map((what) => [{ who: 'a', what }]),
      )
      expect((await entries()).length).toBe(1_002)
      const handleOf = (checkpoint: number) => ({ format: 1, epoch: 0, checkpointId: checkpoint, version: 1, texts: ['{}'] })
      // Of what is older than all that it knows, it was there before.
      for (const known of [1, 300, 302, 1_300]) expect(await writer.commit(handleOf(known))()).toEqual(E.right(undefined))
      await expect(unwrap(writer.commit(handleOf(1_301)))).rejects.toMatchObject({ code: 'TRANSACTION_LOST' })
      expect(await committed()).toEqual([1, 2].map((what) => ({ who: 'a', what })))
      await writer.close()()
    })

    it('a sink that shares transactions wants the storage of its job', async () => {
      const storage = postgresStorage({ connection: database().address, schema: 'sinks' })
      await expect(unwrap(postgresSink({ storage, ...lines }).open(run(1)))).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    })
  })
}
