import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { postgresStorage } from '../../backends/postgres/postgresStorage.js'
import { publishOn, type RowChange, readAll, recover } from '../../laws/storageHistory.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { checkpointId, jobName, operatorUid } from '../../lib/identity.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import { unwrap } from '../../lib/task.js'
import type { TestDatabase } from './database.js'

const job = jobName('job')
const rows: readonly RowChange[] = [1, 2, 3].map((key) => ({ uid: 'a', table: 'one', key, deleted: false }))

export function storageSuite(database: () => TestDatabase): void {
  const make = async () => {
    const storage = () => postgresStorage({ connection: database().address, schema: 'laws' })
    await database().emptySchema('laws')
    return { storage: storage(), otherProcess: storage }
  }

  describe('postgresStorage', () => {
    for (const law of storageLaws(make, { twoProcesses: true })) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 5 }))

    it.each([
      ['a value is another one', `UPDATE laws.rows SET value = value || '\\x00' WHERE id = (SELECT min(id) FROM laws.rows)`],
      ['two rows have changed places', `UPDATE laws.rows r SET value = (SELECT min(value) FROM laws.rows o WHERE o.id <> r.id)`],
      ['a row is missing', 'DELETE FROM laws.rows WHERE id = (SELECT min(id) FROM laws.rows)'],
      [
        'a row is there that was not written',
        `INSERT INTO laws.rows SELECT job, since, until, epoch, 'b', tab, id, key, value, crc FROM laws.rows LIMIT 1`,
      ],
      ['the body is another one', `UPDATE laws.checkpoints SET body = '{"id":1,"of":4}'`],
    ])('damage is found: %s', async (_, damage) => {
      const { storage } = await make()
      const session = await unwrap(storage.open(job))
      await publishOn(session, await recover(session), 1, rows)
      await database().query(damage)
      const read = async () => {
        const latest = await unwrap(session.latest())
        if (O.isSome(latest)) await readAll(latest.value)
      }
      await expect(read()).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
      await session.close()()
    })

    it('keys of any length are kept, and told apart', async () => {
      const { storage } = await make()
      const session = await unwrap(storage.open(job))
      await recover(session)
      const frames = new RowFrames()
      // Bytes that cannot be compressed: an index compresses what it can.
      const bytes = (length: number, salt: number) => Uint8Array.from({ length }, (_, index) => Math.imul(index + salt, 2_654_435_761) >>> 24)
      // Of one length as a whole and as a digest, and longer than an index has room for.
      const keys = [0, 1, 32, 33, 200, 201, 3_000, 60_000].flatMap((length) => [1, 2].map((salt) => bytes(length, salt)))
      for (const [index, key] of keys.entries()) frames.add(key, Uint8Array.of(index))
      const writer = session.begin(checkpointId(1))
      await unwrap(writer.write({ uid: operatorUid('a'), table: 't', rows: frames.rows, bytes: frames.take() }))
      await unwrap(writer.publish({}))
      const latest = await unwrap(session.latest())
      if (O.isNone(latest)) throw new Error('a checkpoint was published')
      // The two empty keys are one: its later value counts.
      expect((await readAll(latest.value)).rows.size).toBe(keys.length - 1)
      await session.close()()
    })

    it('a checkpoint writes what changed, and what no kept checkpoint has is removed', async () => {
      const { storage } = await make()
      const session = await unwrap(storage.open(job))
      let found = await recover(session)
      const versions = async () => (await database().query<{ n: number }>('SELECT count(*)::int AS n FROM laws.rows'))[0]?.n
      const counts: (number | undefined)[] = []
      for (let id = 1; id <= 6; id += 1) {
        found = await publishOn(session, found, id, id === 1 ? rows : id === 5 ? rows.map((row) => ({ ...row, deleted: true })) : rows.slice(0, 1))
        counts.push(await versions())
      }
      // Two checkpoints are kept: the newest, and the versions that it has replaced. Deletions are gone with what they delete.
      expect(counts).toEqual([3, 4, 4, 4, 6, 1])
      await session.close()()
    })

    it('many rows are replaced without looking at each of them for each', async () => {
      // The server has not counted them yet. Where each is compared with each that takes twice as long, or more.
      const schema = database().freshSchema()
      const storage = postgresStorage({ connection: database().address, schema, statementTimeoutMs: 10_000 })
      const session = await unwrap(storage.open(job))
      await recover(session)
      for (const id of [1, 2]) {
        const frames = new RowFrames()
        for (let key = 0; key < 20_000; key += 1) frames.add(Buffer.from(`key-${key}`), Uint8Array.of(id))
        const writer = session.begin(checkpointId(id))
        await unwrap(writer.write({ uid: operatorUid('a'), table: 't', rows: frames.rows, bytes: frames.take() }))
        await unwrap(writer.publish({}))
      }
      await session.close()()
    })

    it('what is removed while somebody reads it is not half read', async () => {
      const { storage, otherProcess } = await make()
      const session = await unwrap(storage.open(job))
      let found = await publishOn(session, await recover(session), 1, rows)
      const beside = await unwrap(otherProcess().open(job, { readOnly: true }))
      const latest = await unwrap(beside.latest())
      for (const id of [2, 3]) found = await publishOn(session, found, id, rows)
      if (O.isNone(latest)) throw new Error('a checkpoint was published')
      await expect(readAll(latest.value)).rejects.toMatchObject({ code: 'BACKEND_FENCED' })
      await Promise.all([session.close()(), beside.close()()])
    })

    it('the number of checkpoints that are kept has bounds', () => {
      for (const retainedCheckpoints of [0, 1_001, 1.5])
        expect(() => postgresStorage({ connection: '', retainedCheckpoints })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    })
  })
}
