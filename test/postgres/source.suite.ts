import fc from 'fast-check'
import { option as O } from 'fp-ts'
import * as t from 'io-ts'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { type PostgresSourceOptions, postgresSource } from '../../backends/postgres/postgresSource.js'
import { eagerClock } from '../../laws/eagerClock.js'
import { type SourceFixture, sourceLaws } from '../../laws/sourceLaws.js'
import { operatorUid } from '../../lib/identity.js'
import type { SourceOffset, SourceRead, SourceReader } from '../../lib/ports/replayableSource.js'
import { unwrap } from '../../lib/task.js'
import { sideOutput } from '../../operators/sideOutput.js'
import type { TestDatabase } from './database.js'

const Value = t.type({ value: t.unknown })
const Named = t.type({ name: t.string })

export function sourceSuite(database: () => TestDatabase): void {
  const sourceOf = <T>(options: Omit<PostgresSourceOptions<T>, 'connection'>) =>
    postgresSource({ connection: database().address, pollMs: 1, ...options })
  const opened = <T>(options: Omit<PostgresSourceOptions<T>, 'connection'>, from: SourceOffset = null): Promise<SourceReader<T>> =>
    unwrap(sourceOf(options).open({ uid: operatorUid('rows'), clock: eagerClock(), from: from === null ? O.none : O.some(from) }))
  const emptyTable = async (table: string, columns = 'name text'): Promise<void> => {
    await database().query(`DROP TABLE IF EXISTS ${table}`)
    await database().query(`CREATE TABLE ${table} (xid xid8 NOT NULL DEFAULT pg_current_xact_id(), id bigserial, ${columns})`)
    await database().query(`CREATE INDEX ON ${table} (xid, id)`)
  }
  /** Several transactions at a time. */
  const session = async (): Promise<pg.Client> => {
    const client = new pg.Client(database().address)
    await client.connect()
    return client
  }
  const namesIn = (read: SourceRead<{ readonly name: string }>): readonly string[] =>
    read.kind === 'end' ? ['the end'] : read.batch.values.map(({ name }) => name)
  const lastOffset = (read: SourceRead<unknown>): SourceOffset => (read.kind === 'end' ? null : read.batch.offsetAfter(read.batch.values.length - 1))

  describe.each([
    ['by transaction', { xid: 'xid', id: 'id' }],
    ['by id', { id: 'id' }],
  ] as const)('postgresSource %s', (_, order) => {
    const records = fc.jsonValue().map((value) => ({ value: JSON.parse(JSON.stringify(value)) as unknown }))
    const make = async (all: readonly { readonly value: unknown }[]): Promise<SourceFixture<{ readonly value: unknown }>> => {
      await emptyTable('entries', 'value json')
      // Some transactions of one row, some of several.
      for (let from = 0; from < all.length; from += 1 + (from % 3)) {
        const rows = all.slice(from, from + 1 + (from % 3)).map(({ value }) => JSON.stringify(value))
        await database().query('INSERT INTO entries (value) SELECT * FROM unnest($1::json[])', [rows])
      }
      return {
        source: sourceOf({ table: 'entries', columns: ['value'], codec: Value as t.Type<{ readonly value: unknown }>, order }),
        lose: async () => void (await database().query('DELETE FROM entries')),
        dispose: async () => undefined,
      }
    }
    for (const law of sourceLaws({ records, make })) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 8 }))
  })

  describe('what postgresSource reads', () => {
    it('a row that becomes visible behind one with a higher id is not missed', async () => {
      await emptyTable('late')
      const [first, second] = [await session(), await session()]
      await first.query('BEGIN')
      await first.query(`INSERT INTO late (name) VALUES ('early id, late commit')`)
      await second.query(`INSERT INTO late (name) VALUES ('late id, early commit')`)
      const reader = await opened({ table: 'late', codec: Named, follow: true })
      const reading = unwrap(reader.read(10))
      // While the first is open nothing is ripe; a clock that never rests would ask again and again.
      await second.query('SELECT')
      await first.query('COMMIT')
      expect(namesIn(await reading)).toEqual(['early id, late commit', 'late id, early commit'])
      await Promise.all([reader.close()(), first.end(), second.end()])
    })

    it('without following it ends behind what was committed when it was opened, and waits for what began before that', async () => {
      await emptyTable('begun')
      const [open, later] = [await session(), await session()]
      await open.query('BEGIN')
      await open.query(`INSERT INTO begun (name) VALUES ('begun before')`)
      await later.query(`INSERT INTO begun (name) VALUES ('committed before')`)
      const reader = await opened({ table: 'begun', codec: Named })
      await later.query(`INSERT INTO begun (name) VALUES ('committed behind')`)
      const reading = unwrap(reader.read(10))
      await open.query('COMMIT')
      expect(namesIn(await reading)).toEqual(['begun before', 'committed before'])
      expect(namesIn(await unwrap(reader.read(10)))).toEqual(['the end'])
      await Promise.all([reader.close()(), open.end(), later.end()])
    })

    it('however transactions interleave, each row is read once, and those of one transaction in their order', () =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), fc.constantFrom('insert', 'commit', 'rollback', 'read')), { maxLength: 25 }), async (steps) => {
          await emptyTable('woven')
          const writers = [await session(), await session(), await session()]
          const pending: string[][] = [[], [], []]
          const committed: string[][] = []
          let offset: SourceOffset = null
          const seen: string[] = []
          const readAll = async (): Promise<void> => {
            // A new reader each time: the offset is all that it knows.
            const reader = await opened({ table: 'woven', codec: Named, follow: true }, offset)
            const [{ n = 0 } = {}] = await database().query<{ n: number }>(
              `SELECT count(*)::int AS n FROM woven WHERE xid < pg_snapshot_xmin(pg_current_snapshot())`,
            )
            while (seen.length < n) {
              const read = await unwrap(reader.read(2))
              seen.push(...namesIn(read))
              offset = lastOffset(read)
            }
            await reader.close()()
          }
          try {
            for (const [index, [who, what]] of steps.entries()) {
              const writer = writers[who] as pg.Client
              const rows = pending[who] as string[]
              if (what === 'insert') {
                if (rows.length === 0) await writer.query('BEGIN')
                rows.push(`${who}-${index}`)
                await writer.query('INSERT INTO woven (name) VALUES ($1)', [rows.at(-1)])
              } else if (what === 'read') await readAll()
              else if (rows.length > 0) {
                await writer.query(what)
                if (what === 'commit') committed.push([...rows])
                rows.length = 0
              }
            }
            for (const writer of writers) await writer.query('ROLLBACK')
            await readAll()
          } finally {
            for (const writer of writers) await writer.end()
          }
          expect([...seen].sort()).toEqual(committed.flat().sort())
          for (const rows of committed) expect(seen.filter((name) => rows.includes(name))).toEqual(rows)
        }),
        { numRuns: 12 },
      ))

    it('rows that no checkpoint needs are removed, but the one that was read last', async () => {
      await emptyTable('outbox')
      await database().query(`INSERT INTO outbox (name) SELECT 'row ' || n FROM generate_series(1, 5) n`)
      const reader = await opened({ table: 'outbox', codec: Named, follow: true, deleteRead: true })
      const first = await unwrap(reader.read(2))
      const second = await unwrap(reader.read(2))
      reader.checkpointCompleted?.(lastOffset(second), lastOffset(first))
      await expect
        .poll(() => database().query('SELECT name FROM outbox ORDER BY id'), { timeout: 60_000 })
        .toEqual([2, 3, 4, 5].map((n) => ({ name: `row ${n}` })))
      await reader.close()()
      const again = await opened({ table: 'outbox', codec: Named, follow: true }, lastOffset(first))
      expect(namesIn(await unwrap(again.read(10)))).toEqual(['row 3', 'row 4', 'row 5'])
      await again.close()()
    })

    it('rows that may not be removed end the run', async () => {
      await emptyTable('kept')
      await database().query(`INSERT INTO kept (name) VALUES ('a'), ('b')`)
      await database().query('CREATE ROLE reader LOGIN; GRANT SELECT ON kept TO reader')
      const source = postgresSource({
        connection: { ...database().address, user: 'reader' },
        table: 'kept',
        codec: Named,
        deleteRead: true,
        follow: true,
      })
      const reader = await unwrap(source.open({ uid: operatorUid('rows'), clock: eagerClock(), from: O.none }))
      const read = await unwrap(reader.read(1))
      reader.checkpointCompleted?.(lastOffset(read), lastOffset(read))
      await unwrap(reader.read(1))
      await expect(unwrap(reader.read(1))).rejects.toMatchObject({ code: 'SOURCE_REFUSED', details: { sqlState: '42501' } })
      await reader.close()()
    })

    it('a row that cannot be decoded ends the run behind those before it, or goes its own way', async () => {
      await emptyTable('mixed', 'name text')
      await database().query(`INSERT INTO mixed (name) VALUES ('a'), (NULL), ('b')`)
      const reader = await opened({ table: 'mixed', codec: Named })
      expect(namesIn(await unwrap(reader.read(10)))).toEqual(['a'])
      await expect(unwrap(reader.read(10))).rejects.toMatchObject({ code: 'RECORD_MALFORMED' })
      await reader.close()()
      const tolerant = await opened({ table: 'mixed', columns: ['name'], codec: Named, deadLetters: sideOutput('bad') })
      const read = await unwrap(tolerant.read(10))
      if (read.kind === 'end') throw new Error('there are rows')
      expect([...(read.batch.malformed ?? [])]).toEqual([
        [1, { offset: read.batch.offsetAfter(1), text: '{"name":null}', reason: expect.any(String) }],
      ])
      await tolerant.close()()
    })

    it('an offset of another server, of one that is behind, or of something else is refused', async () => {
      await emptyTable('known')
      await database().query(`INSERT INTO known (name) VALUES ('a')`)
      const reader = await opened({ table: 'known', codec: Named })
      const offset = lastOffset(await unwrap(reader.read(1))) as { readonly server: string; readonly xid: string; readonly id: string }
      await reader.close()()
      const from = (found: SourceOffset, onOffsetGone: 'fail' | 'earliest' = 'fail') => opened({ table: 'known', codec: Named, onOffsetGone }, found)
      await expect(from({ ...offset, server: '1' })).rejects.toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
      await expect(from({ ...offset, xid: '999999999999' })).rejects.toMatchObject({ code: 'SOURCE_OFFSET_AHEAD' })
      for (const other of [7, { id: '1' }, { ...offset, xid: 'x' }, [1]])
        await expect(from(other)).rejects.toMatchObject({ code: 'STATE_KIND_CHANGED' })
      const again = await from({ ...offset, server: '1' }, 'earliest')
      expect(namesIn(await unwrap(again.read(1)))).toEqual(['a'])
      await again.close()()
    })

    it('a table or a column that is not there is refused', async () => {
      await emptyTable('there')
      for (const options of [{ table: 'nowhere' }, { table: 'there', columns: ['other'] }]) {
        const reader = await opened({ codec: Named, ...options })
        await expect(unwrap(reader.read(1))).rejects.toMatchObject({ code: 'SOURCE_REFUSED' })
        await reader.close()()
      }
      const refused = (options: object) => () => sourceOf({ table: 'there', codec: Named, ...options })
      for (const options of [{ columns: [] }, { order: { xid: '', id: 'id' } }, { order: { id: '' } }, { pollMs: 0 }, { table: '' }])
        expect(refused(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    })

    it('a reader that is closed stops waiting', async () => {
      await emptyTable('quiet')
      const reader = await opened({ table: 'quiet', codec: Named, follow: true })
      const reading = reader.read(1)()
      await reader.close()()
      expect(await reading).toMatchObject({ _tag: 'Left', left: { code: 'SOURCE_IO' } })
    })
  })
}
