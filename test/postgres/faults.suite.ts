import fc from 'fast-check'
import { option as O } from 'fp-ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { postgresSink } from '../../backends/postgres/postgresSink.js'
import { postgresSource } from '../../backends/postgres/postgresSource.js'
import { type PostgresStorageOptions, postgresStorage } from '../../backends/postgres/postgresStorage.js'
import { eagerClock } from '../../laws/eagerClock.js'
import { chunksOf, expectSame, type Found, must, planned, publishOn, type RowChange, readAll, recover, rowChange } from '../../laws/storageHistory.js'
import { json } from '../../lib/codec.js'
import { checkpointId, epoch, jobName, operatorUid } from '../../lib/identity.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import { unwrap } from '../../lib/task.js'
import { type Fate, type PostgresProxy, postgresProxy } from '../support/postgresProxy.js'
import type { TestDatabase } from './database.js'

const job = jobName('faults')
const rows: readonly RowChange[] = [1, 2, 3].map((key) => ({ uid: 'a', table: 'one', key, deleted: false }))

/** One fate for the first statement that has this in it, from now on. */
const once = (part: string, fate: Fate) => {
  let done = false
  return (statement: string): Fate => {
    if (done || !statement.includes(part)) return 'pass'
    done = true
    return fate
  }
}

export function faultsSuite(database: () => TestDatabase): void {
  let proxy: PostgresProxy
  beforeEach(async () => {
    await database().emptySchema('faults')
    proxy = await postgresProxy(database().server.port)
  })
  afterEach(() => proxy.close())

  const address = () => ({ ...database().address, port: proxy.port })
  const through = (options: Partial<PostgresStorageOptions> = {}) =>
    postgresStorage({ connection: address(), schema: 'faults', clock: eagerClock(), ...options })
  /** What somebody finds whose connection is not cut. */
  const inDatabase = async (): Promise<Found | undefined> => {
    const session = await unwrap(postgresStorage({ connection: database().address, schema: 'faults' }).open(job, { readOnly: true }))
    const latest = await unwrap(session.latest())
    const found = O.isSome(latest) ? await readAll(latest.value) : undefined
    await session.close()()
    return found
  }
  const published = (session: CheckpointSession, id: number, changes = rows) =>
    (async () => {
      const writer = session.begin(checkpointId(id))
      for (const chunk of chunksOf(changes, id)) await must(writer.write(chunk))
      await must(writer.publish({ id, of: changes.length }))
    })()

  describe('a checkpoint whose connection ends', () => {
    it('behind a COMMIT that was done is published, and told so', async () => {
      const session = await must(through().open(job))
      const before = await publishOn(session, await recover(session), 1, rows)
      proxy.fate = once('COMMIT', 'unanswered')
      const after = await publishOn(session, before, 2, rows.slice(1))
      expectSame((await inDatabase()) as Found, after, 'behind the cut')
      expectSame((await publishOn(session, after, 3, rows)) && ((await inDatabase()) as Found), planned(after, 3, rows), 'behind the next')
      await session.close()()
    })

    it('before its COMMIT was heard is not there, and told so', async () => {
      const session = await must(through().open(job))
      const before = await publishOn(session, await recover(session), 1, rows)
      proxy.fate = once('COMMIT', 'lost')
      await expect(published(session, 2)).rejects.toMatchObject({
        code: 'BACKEND_IO',
        details: { reason: 'the connection ended before it was published' },
      })
      expectSame((await inDatabase()) as Found, before, 'behind the cut')
      await publishOn(session, before, 3, rows)
      expect((await inDatabase())?.checkpointId).toBe(3)
      await session.close()()
    })

    it('while its COMMIT is still on its way is waited for', async () => {
      const session = await must(through().open(job))
      const before = await publishOn(session, await recover(session), 1, rows)
      proxy.fate = once('COMMIT', 'stuck')
      const asks = proxy.seen('COMMIT').then(() => proxy.seen('FOR UPDATE'))
      const publishing = publishOn(session, before, 2, rows)
      await asks
      // Whoever would read now, without waiting, would find the checkpoint missing.
      expect((await inDatabase())?.checkpointId).toBe(1)
      proxy.release()
      const after = await publishing
      expectSame((await inDatabase()) as Found, after, 'behind the release')
      await session.close()()
    })

    it('and nobody can be asked: the failure is fatal, and the next run reads what became of it', async () => {
      const session = await must(through({ attemptsMax: 2 }).open(job))
      await publishOn(session, await recover(session), 1, rows)
      proxy.fate = (statement) => {
        if (proxy.refusing) return 'lost'
        proxy.refusing = statement === 'COMMIT'
        return proxy.refusing ? 'unanswered' : 'pass'
      }
      await expect(published(session, 2)).rejects.toMatchObject({ code: 'BACKEND_IO', details: { fatal: true } })
      await expect(published(session, 3)).rejects.toMatchObject({ code: 'BACKEND_IO' })
      await session.close()()
      proxy.refusing = false
      proxy.fate = () => 'pass'
      const again = await must(through().open(job))
      expect((await recover(again)).checkpointId).toBe(2)
      await again.close()()
    })

    it('while it is written is given up, and the next one is whole', async () => {
      const session = await must(through().open(job))
      const before = await publishOn(session, await recover(session), 1, rows)
      proxy.fate = once('INSERT INTO "faults"."rows"', 'lost')
      await expect(published(session, 2)).rejects.toMatchObject({ code: 'BACKEND_IO' })
      expectSame((await inDatabase()) as Found, before, 'behind the cut')
      expectSame(await publishOn(session, before, 3, rows.slice(2)), (await inDatabase()) as Found, 'behind the next')
      await session.close()()
    })
  })

  it('a takeover that nobody answered is read anew, and then succeeds', async () => {
    const first = await must(through().open(job))
    const before = await publishOn(first, await recover(first), 1, rows)
    await first.close()()
    const session = await must(through().open(job))
    const latest = await must(session.latest())
    proxy.fate = once('COMMIT', 'unanswered')
    const answer = await session.takeOver(latest)()
    expect(answer).toMatchObject({ _tag: 'Left', left: { code: 'BACKEND_FENCED' } })
    expectSame(await recover(session), before, 'at the second attempt')
    await publishOn(session, before, 2, rows)
    await session.close()()
  })

  it('reading goes on over another connection', async () => {
    const session = await must(through().open(job))
    const many = [
      ...rows,
      ...Array.from({ length: 600 }, (_, index) => ({ uid: 'b' as const, table: 'two' as const, key: index % 9, deleted: false })),
    ]
    const expected = await publishOn(session, await recover(session), 1, many)
    const latest = await must(session.latest())
    if (O.isNone(latest)) throw new Error('a checkpoint was published')
    let pages = 0
    proxy.fate = (statement) => (statement.includes('ORDER BY since') && (pages += 1) <= 2 ? (pages === 1 ? 'unanswered' : 'lost') : 'pass')
    expectSame(await readAll(latest.value), expected, 'over three connections')
    expect(pages).toBeGreaterThanOrEqual(3)
    await session.close()()
  })

  it('a statement that waits for too long fails, and the next checkpoint is whole', async () => {
    const session = await must(through({ statementTimeoutMs: 50 }).open(job))
    const before = await publishOn(session, await recover(session), 1, rows)
    await database().query('BEGIN')
    await database().query('LOCK faults.checkpoints IN ACCESS EXCLUSIVE MODE')
    await expect(published(session, 2)).rejects.toMatchObject({ code: 'BACKEND_IO', details: { sqlState: '57014' } })
    await database().query('ROLLBACK')
    await publishOn(session, before, 3, rows)
    await session.close()()
  })

  it('a writer that says nothing for too long is in nobody’s way', async () => {
    const session = await must(through({ idleInTransactionMs: 500 }).open(job))
    const before = await publishOn(session, await recover(session), 1, rows)
    const writer = session.begin(checkpointId(2))
    for (const chunk of chunksOf(rows, 2)) await must(writer.write(chunk))
    const inTransaction = `SELECT FROM pg_stat_activity WHERE application_name = 'rxweir faults' AND state LIKE 'idle in transaction%'`
    await expect.poll(() => database().query(inTransaction), { timeout: 60_000 }).toEqual([])
    await expect(unwrap(writer.publish({}))).rejects.toMatchObject({ code: 'BACKEND_IO' })
    await publishOn(session, before, 3, rows)
    await session.close()()
  })

  it('wherever a connection is cut, what publish says is so', async () => {
    let cuts = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(rowChange, { maxLength: 4 }), fc.nat(14), fc.constantFrom<Fate>('lost', 'unanswered', 'pass')), {
          minLength: 2,
          maxLength: 5,
        }),
        async (plan) => {
          await database().emptySchema('faults')
          proxy.fate = () => 'pass'
          let session = await must(through().open(job))
          let expected = await recover(session)
          for (const [index, [changes, at, fate]] of plan.entries()) {
            const id = index + 1
            const cutAt = proxy.statements + at
            proxy.fate = () => {
              if (proxy.statements !== cutAt) return 'pass'
              if (fate !== 'pass') cuts += 1
              return fate
            }
            const result = await published(session, id, changes).then(
              () => 'published',
              (error: { readonly details: { readonly fatal?: boolean } }) => (error.details.fatal === true ? 'unknown' : 'failed'),
            )
            proxy.fate = () => 'pass'
            const after = planned(expected, id, changes)
            const found = (await inDatabase()) ?? expected
            expect(result).not.toBe('unknown')
            expected = result === 'published' ? after : expected
            expectSame(found, expected, `checkpoint ${id} was ${result}`)
          }
          await session.close()()
          session = await must(through().open(job))
          expectSame(await recover(session), expected, 'after a restart')
          await session.close()()
        },
      ),
      { numRuns: 10 },
    )
    expect(cuts).toBeGreaterThan(0)
  })

  describe('a sink with a ledger whose connection ends', () => {
    it.each<readonly [string, Fate]>([
      ['behind a COMMIT that was done', 'unanswered'],
      ['before its COMMIT was heard', 'lost'],
      ['while its COMMIT is on its way', 'stuck'],
    ])('%s writes each record once', async (_, fate) => {
      await database().query('DROP TABLE IF EXISTS sunk')
      await database().query('CREATE TABLE sunk (n int)')
      const sink = postgresSink<{ readonly n: number }>({ connection: address(), schema: 'faults', table: 'sunk', columns: ['n'] })
      const context = { job, uid: operatorUid('sink'), epoch: epoch(1), clock: eagerClock() }
      const writer = await unwrap(sink.open(context))
      await unwrap(writer.abortOthers())
      for (const n of [1, 2, 3]) writer.write({ n }, undefined, undefined)
      const handle = await unwrap(writer.preCommit(checkpointId(1)))
      if (O.isNone(handle)) throw new Error('a transaction has a handle')
      proxy.fate = once('COMMIT', fate)
      // The second attempt waits for the end of the first one.
      if (fate === 'stuck')
        void proxy
          .seen('COMMIT')
          .then(() => proxy.seen('FOR UPDATE'))
          .then(() => proxy.release())
      await unwrap(writer.commit(handle.value))
      expect(await database().query('SELECT n FROM sunk')).toEqual([1, 2, 3].map((n) => ({ n })))
      await writer.close()()
    })
  })

  it('a source reads each row once, wherever its connection is cut', async () => {
    await database().query('DROP TABLE IF EXISTS fed')
    await database().query('CREATE TABLE fed (xid xid8 NOT NULL DEFAULT pg_current_xact_id(), id serial)')
    await database().query('INSERT INTO fed SELECT FROM generate_series(1, 30)')
    const source = postgresSource({ connection: address(), table: 'fed', columns: ['id'], codec: json<{ readonly id: number }>() })
    const reader = await unwrap(source.open({ uid: operatorUid('fed'), clock: eagerClock(), from: O.none }))
    let asked = 0
    proxy.fate = () => (['pass', 'pass', 'pass', 'lost', 'pass', 'pass', 'unanswered'] as const)[(asked += 1) % 7] as Fate
    const seen: number[] = []
    for (;;) {
      const read = await unwrap(reader.read(4))
      if (read.kind === 'end') break
      seen.push(...read.batch.values.map(({ id }) => id))
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
    await reader.close()()
  })
}
