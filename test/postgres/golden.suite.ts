import { option as O } from 'fp-ts'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { postgresSink } from '../../backends/postgres/postgresSink.js'
import { postgresSource } from '../../backends/postgres/postgresSource.js'
import { type PostgresStorage, type PostgresStorageOptions, postgresStorage } from '../../backends/postgres/postgresStorage.js'
import type { RowOrder } from '../../backends/postgres/rowOrder.js'
import { postgresTables } from '../../backends/postgres/tables.js'
import { eagerClock } from '../../laws/eagerClock.js'
import { checkpointId, epoch, jobName, operatorUid } from '../../lib/identity.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import type { SourceOffset } from '../../lib/ports/replayableSource.js'
import type { SinkContext, SinkWriter, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { livesContent, type Row, readLives, writeLives } from '../golden/lives.js'
import { recorded } from '../golden/recorded.js'
import { compressible, opensWithItsKeyOnly, sealing } from '../golden/sealed.js'
import { readAll } from '../support/ports.js'
import type { TestDatabase } from './database.js'

/** Each table of ours with what orders its rows. */
const tables = {
  format: 'format',
  jobs: 'job',
  checkpoints: 'job, checkpoint',
  rows: 'job, since, epoch, uid, tab, id',
  ledger: 'job, uid, epoch, checkpoint',
  sinks: 'job, uid',
} as const

interface Dump {
  /** What makes the tables. */
  readonly script: string
  /** What a database says of them. */
  readonly columns: readonly object[]
  readonly indexes: readonly object[]
  readonly rows: { readonly [table: string]: readonly object[] }
  readonly handles: { readonly [of in 'shared' | 'committed' | 'pending']: TransactionHandle }
}

const schema = 'golden'
/** Its digest stands for it. */
const more: readonly Row[] = [['m'.repeat(300), 'a long key']]
const shared = jobName('sharing')
const apart = jobName('apart')
const table = { table: { schema: 'public', table: 'golden_lines' }, columns: ['what'] }

export function goldenSuite(database: () => TestDatabase): void {
  const storage = (options: Pick<PostgresStorageOptions, 'encryption' | 'compression'> = {}): PostgresStorage =>
    postgresStorage({ connection: database().address, schema, ...options })
  const lines = async (): Promise<readonly unknown[]> =>
    (await database().query<{ what: string }>('SELECT what FROM golden_lines')).map(({ what }) => what)
  const empty = async (): Promise<void> => {
    await database().query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
    await database().query('DROP TABLE IF EXISTS golden_lines; CREATE TABLE golden_lines (what text)')
  }

  const context = (job: typeof shared, number: number): SinkContext => ({ job, uid: operatorUid('sink'), epoch: epoch(number), clock: eagerClock() })

  /** Writes a record into a transaction of its own. */
  async function transaction(writer: SinkWriter<object>, id: number, what: string): Promise<TransactionHandle> {
    writer.write({ what }, undefined, undefined)
    const handle = await unwrap(writer.preCommit(checkpointId(id)))
    if (O.isNone(handle)) throw new Error('a transaction with a record has a handle')
    return handle.value
  }

  async function sharing<A>(work: (writer: SinkWriter<object>, session: CheckpointSession) => Promise<A>): Promise<A> {
    const of = storage()
    const session = await unwrap(of.open(shared))
    const number = await unwrap(session.takeOver(await unwrap(session.latest())))
    const writer = await unwrap(postgresSink<object>({ storage: of, ...table }).open(context(shared, number)))
    try {
      return await work(writer, session)
    } finally {
      await writer.close()()
      await session.close()()
    }
  }

  async function withLedger<A>(number: number, work: (writer: SinkWriter<object>) => Promise<A>): Promise<A> {
    const writer = await unwrap(postgresSink<object>({ connection: database().address, schema, ...table }).open(context(apart, number)))
    return work(writer).finally(() => writer.close()())
  }

  /** Two lives of a storage, a sink that shares its transactions and one with a ledger. */
  async function written(): Promise<Dump> {
    await empty()
    await writeLives(storage(), more)
    const handle = await sharing(async (writer, session) => {
      const decided = await transaction(writer, 1, 'shared')
      await unwrap(session.begin(checkpointId(1)).publish({}))
      await unwrap(writer.commit(decided))
      return decided
    })
    const handles = await withLedger(1, async (writer) => {
      await unwrap(writer.abortOthers())
      const committed = await transaction(writer, 1, 'committed')
      await unwrap(writer.commit(committed))
      return { shared: handle, committed, pending: await transaction(writer, 2, 'pending') }
    })
    return {
      script: postgresTables({ schema }),
      columns: await database().query(
        `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = '${schema}'
        ORDER BY table_name, ordinal_position`,
      ),
      indexes: await database().query(`SELECT indexdef FROM pg_indexes WHERE schemaname = '${schema}' ORDER BY indexname`),
      rows: await rowsNow(),
      handles,
    }
  }

  async function rowsNow(): Promise<Dump['rows']> {
    const rows: { [name: string]: readonly object[] } = {}
    for (const [name, order] of Object.entries(tables)) {
      const found = await database().query<{ row: object }>(`SELECT row_to_json(t) AS row FROM ${schema}."${name}" t ORDER BY ${order}`)
      rows[name] = found.map(({ row }) => row)
    }
    return rows
  }

  /** Makes the tables as the release of the record did, and fills them. */
  async function fill({ script, rows }: Pick<Dump, 'script' | 'rows'>): Promise<void> {
    await empty()
    await database().query(script)
    for (const name of Object.keys(tables)) {
      await database().query(`DELETE FROM ${schema}."${name}"`)
      await database().query(`INSERT INTO ${schema}."${name}" SELECT * FROM json_populate_recordset(NULL::${schema}."${name}", $1)`, [
        JSON.stringify(rows[name]),
      ])
    }
  }

  describe('the tables of Postgres', () => {
    it('that an earlier release filled are read', async () => {
      await fill(await recorded('postgres', written))
      expect(await readLives(storage())).toEqual(livesContent({ more, journals: false }))
    })

    it('that an earlier release sealed are opened with their key, and with no other', async () => {
      const all = [...more, ...compressible]
      const record = await recorded('postgresSealed', async () => {
        await empty()
        await writeLives(storage(sealing), all)
        return { script: postgresTables({ schema }), rows: await rowsNow() }
      })
      await fill(record)
      await opensWithItsKeyOnly((options) => readLives(storage(options)), livesContent({ more: all, journals: false }))
    })

    it('and what a sink of an earlier release has committed is known, so that it does not come twice', async () => {
      const record = await recorded('postgres', written)
      await fill(record)
      await sharing(async (writer) => {
        expect(await unwrap(writer.committedUpTo())).toEqual(O.some({ epoch: 1, checkpointId: 1 }))
        await unwrap(writer.commit(record.handles.shared))
        expect(await lines()).toEqual([])
      })
      await withLedger(2, async (writer) => {
        expect(await unwrap(writer.committedUpTo())).toEqual(O.some({ epoch: 1, checkpointId: 1 }))
        await unwrap(writer.commit(record.handles.committed))
        expect(await lines()).toEqual([])
        // What it had pre-committed, and no more, is done now.
        await unwrap(writer.commit(record.handles.pending))
        expect(await lines()).toEqual(['pending'])
      })
      await expect(withLedger(0, async () => undefined)).rejects.toMatchObject({ code: 'SINK_FENCED' })
    })

    it('are made and filled as ever', async () => {
      const { script: _, ...record } = await recorded('postgres', written)
      const { script: __, ...today } = await written()
      expect(JSON.parse(JSON.stringify(today))).toEqual(record)
    })

    it('and a table is read on from where an earlier release has stopped', async () => {
      await database().query('DROP TABLE IF EXISTS golden_rows')
      await database().query('CREATE TABLE golden_rows (xid xid8 NOT NULL DEFAULT pg_current_xact_id(), id bigint PRIMARY KEY, what text)')
      await database().query(`INSERT INTO golden_rows VALUES (DEFAULT, 9007199254740993, 'a'), (DEFAULT, 9007199254740994, 'b')`)
      const all = (order: RowOrder, from?: SourceOffset) =>
        readAll(
          postgresSource({ connection: database().address, table: 'golden_rows', columns: ['what'], codec: t.type({ what: t.string }), order }),
          from,
        )
      const offsets = async () => {
        const byXid = (await all({ xid: 'xid', id: 'id' })).offsets[0] as { readonly [name: string]: unknown }
        // A server has an identity, and counts transactions, of its own.
        return {
          byId: (await all({ id: 'id' })).offsets[0] as SourceOffset,
          byXid: { ...byXid, server: typeof byXid['server'], xid: typeof byXid['xid'] },
        }
      }
      const record = await recorded('postgresOffset', offsets)
      expect(await offsets()).toEqual(record)
      expect((await all({ id: 'id' }, record.byId)).values).toEqual([{ what: 'b' }])
    })

    it('that a newer release made are refused by name, and so is its handle', async () => {
      const record = await recorded('postgres', written)
      await fill(record)
      const newer = (handle: TransactionHandle): TransactionHandle => ({ ...(handle as object), format: 2 }) as TransactionHandle
      for (const handle of [record.handles.shared, record.handles.committed])
        await expect(
          handle === record.handles.shared
            ? sharing((writer) => unwrap(writer.commit(newer(handle))))
            : withLedger(2, (writer) => unwrap(writer.commit(newer(handle)))),
        ).rejects.toMatchObject({ code: 'FORMAT_NEWER', details: { found: 2, supported: 1 } })
      await database().query(`UPDATE ${schema}.format SET format = 2`)
      await expect(readLives(storage())).rejects.toMatchObject({ code: 'FORMAT_NEWER', details: { found: 2, supported: 1 } })
      await expect(withLedger(2, async () => undefined)).rejects.toMatchObject({ code: 'FORMAT_NEWER' })
    })
  })
}
