import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { type PostgresStorageOptions, postgresStorage } from '../../backends/postgres/postgresStorage.js'
import { checksumOf } from '../../backends/postgres/rowId.js'
import { zstd } from '../../backends/postgres/zstd.js'
import { must, nothing, readAll } from '../../laws/storageHistory.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { type JobName, jobName } from '../../lib/identity.js'
import { unwrap } from '../../lib/task.js'
import type { PlainRows } from '../support/checkpoints.js'
import { encryption } from '../support/sealingKeys.js'
import { writeTotals } from '../support/totals.js'
import type { TestDatabase } from './database.js'

type Options = Pick<PostgresStorageOptions, 'encryption' | 'compression'>
const sealed: Options = { encryption: encryption(1), compression: 'zlib' }
const schema = 'sealing'
const orders = jobName('orders')
const long = 'a long value that says the same again and again. '.repeat(100)

/** A version of a row, as the table has it. */
interface Version {
  readonly job: string
  readonly since: string
  readonly until: string | null
  readonly id: Buffer
  readonly value: Buffer
}

export function sealingSuite(database: () => TestDatabase): void {
  const storageOf = (options: Options) => postgresStorage({ connection: database().address, schema, ...options })

  const write = (options: Options, checkpoints: { readonly [id: number]: PlainRows }, job: JobName = orders): Promise<void> =>
    writeTotals(storageOf(options), checkpoints, job)

  async function read(options: Options): Promise<readonly string[]> {
    const session = await must(storageOf(options).open(orders))
    try {
      const latest = await unwrap(session.latest())
      const { rows } = O.isSome(latest) ? await readAll(latest.value) : nothing
      return [...rows].map(([name, value]) => `${name.replace('totals/value/', '')}: ${value}`).sort()
    } finally {
      await session.close()()
    }
  }

  const versions = (): Promise<readonly Version[]> =>
    database().query<Version & object>(`SELECT job, since, until, id, value FROM ${schema}.rows ORDER BY job, since, id`)
  /** As somebody would who can write to the table, and mends the checksum. */
  const put = ({ job, since, id }: Version, value: Buffer): Promise<unknown> =>
    database().query(`UPDATE ${schema}.rows SET value = $4, crc = $5 WHERE job = $1 AND since = $2 AND id = $3`, [
      job,
      since,
      id,
      value,
      checksumOf(id, value),
    ])

  describe('postgresStorage that is compressed and sealed', () => {
    const make = async () => {
      await database().emptySchema(schema)
      const storage = () => storageOf(sealed)
      return { storage: storage(), otherProcess: storage }
    }
    for (const law of storageLaws(make, { twoProcesses: true })) it(`keeps the law ${law.name}: ${law.statement}`, () => law.check({ runs: 2 }))

    it('leaves no value, no key and no offset in its tables', async () => {
      await database().emptySchema(schema)
      await write({ encryption: encryption(1) }, { 1: { ada: 'ada-has-12', bob: 'bob-has-7' }, 2: { ada: 'ada-has-13' } })
      expect(await read(sealed)).toEqual(['ada: ada-has-13', 'bob: bob-has-7'])
      const tables = ['rows', 'checkpoints', 'jobs']
      let all = ''
      for (const table of tables) {
        const [row] = await database().query<{ readonly all: string }>(
          `SELECT string_agg(encode(t::text::bytea, 'escape'), '') AS all FROM ${schema}.${table} t`,
        )
        all += row?.all
      }
      const hex = (text: string): string => Buffer.from(text).toString('hex')
      for (const secret of ['ada-has', 'bob-has', 'has-', 'offset']) {
        expect(all).not.toContain(secret)
        expect(all).not.toContain(hex(secret))
      }
      expect(all).toContain('totals')
      expect(all).toContain(hex('k1'))
    })

    it('refuses a value that stands in the place of another, of another job, or of a newer one', async () => {
      await database().emptySchema(schema)
      await write(sealed, { 1: { ada: 'ada-has-12', bob: 'bob-has-7' }, 2: { ada: 'ada-has-13' } })
      await write(sealed, { 1: { ada: 'ada-has-12' } }, jobName('bills'))
      const all = await versions()
      const [elsewhere, ...own] = all as [Version, ...Version[]]
      expect(elsewhere.job).toBe('bills')
      const living = own.filter(({ until }) => until === null)
      const replaced = own.find(({ until }) => until !== null) as Version
      const newer = living.find(({ id }) => id.equals(replaced.id)) as Version
      const other = living.find(({ id }) => !id.equals(replaced.id)) as Version
      for (const [place, value] of [
        [other, newer.value],
        [newer, other.value],
        [newer, elsewhere.value],
        [newer, replaced.value],
        [other, Buffer.from(other.value).fill(7, other.value.length - 3, other.value.length - 2)],
      ] as const) {
        await put(place, value)
        await expect(read(sealed)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { reason: 'it is not what was sealed here' } })
        await put(place, place.value)
      }
      expect(await read(sealed)).toEqual(['ada: ada-has-13', 'bob: bob-has-7'])
    })

    it('tells a key that is missing, and tables that are not sealed', async () => {
      await database().emptySchema(schema)
      await write(sealed, { 1: { ada: 'ada-has-12' } })
      await expect(read({ encryption: encryption(2) })).rejects.toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
      await expect(read({})).rejects.toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
      await write({ encryption: encryption(1, 2) }, { 2: { bob: 'bob-has-7' } })
      expect(await read({ encryption: encryption(1, 2) })).toEqual(['ada: ada-has-12', 'bob: bob-has-7'])
      await expect(read({ encryption: encryption(2) })).rejects.toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1', what: 'a row' } })
      await database().emptySchema(schema)
      await write({}, { 1: { ada: 'ada-has-12' } })
      await expect(read(sealed)).rejects.toMatchObject({ code: 'FILE_NOT_SEALED' })
    })

    it('takes less room, and is read with zstd where Node has it', async () => {
      for (const options of [{ compression: 'zlib' }, sealed, ...(zstd === undefined ? [] : [{ compression: 'zstd' }])] as readonly Options[]) {
        await database().emptySchema(schema)
        await write(options, { 1: { ada: long, bob: 'short' } })
        expect(await read(options)).toEqual([`ada: ${long}`, 'bob: short'])
        expect((await versions()).every(({ value }) => value.length < long.length / 4)).toBe(true)
      }
      if (zstd === undefined) expect(() => storageOf({ compression: 'zstd' })).toThrow('OPTION_INVALID')
    })
  })
}
